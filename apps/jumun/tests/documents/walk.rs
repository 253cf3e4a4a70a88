//! Going through a document from top to bottom, doing what it says.

use crate::markdown::{Block, Document, read};
use crate::server::Server;
use crate::shell::{Outcome, PRINTED, Shell, is_complete, missing};
use crate::{answer, markdown};

/// A command with what the comment above it says.
struct Step {
    command: String,
    comment: String,
    line: usize,
}

/// What a document says that a command is answered with: `→ 409 OUT_OF_STOCK` in the comment above it.
struct Expected<'c> {
    status: u16,
    code: Option<&'c str>,
}

impl Step {
    /// Cuts a block into commands, each with the comment lines before it.
    fn of_block(block: &Block) -> Vec<Self> {
        let mut steps: Vec<Self> = Vec::new();
        let (mut command, mut comment) = (String::new(), String::new());
        for (index, line) in block.text.lines().enumerate() {
            if command.is_empty() && (line.starts_with('#') || line.is_empty()) {
                comment.extend([line, "\n"]);
                continue;
            }
            command.extend([line, "\n"]);
            if is_complete(&command) {
                let (command, comment) = (std::mem::take(&mut command), std::mem::take(&mut comment));
                steps.push(Self { command, comment, line: block.line + index });
            }
        }
        assert!(command.is_empty(), "a command does not end: {command}");
        steps
    }

    fn expected(&self) -> Option<Expected<'_>> {
        let (_, text) = self.comment.rsplit_once("→ ")?;
        let mut words = text.split_whitespace();
        let status = words.next().and_then(|word| word.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status after the arrow: {text}"));
        Some(Expected { status, code: words.next() })
    }

    /// Returns the target and the settings before it, if this is a call of `make`.
    fn target(&self) -> Option<(&str, Vec<(String, String)>)> {
        let mut words = self.command.split_whitespace().peekable();
        let mut settings = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            if !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
                break;
            }
            settings.push((name.to_owned(), value.to_owned()));
            words.next();
        }
        (words.next() == Some("make")).then(|| (words.next().unwrap(), settings))
    }

    /// Checks what curl was answered with.
    fn check(&self, outcome: &Outcome) -> Result<(), String> {
        if !outcome.succeeded {
            return Err("it fails".into());
        }
        let statuses = outcome.statuses();
        let Some(last) = statuses.last() else {
            return if self.command.contains("curl ") { Err("no status".into()) } else { Ok(()) };
        };
        match self.expected() {
            Some(Expected { status, .. }) if *last != status => Err(format!("{last} instead of {status}")),
            Some(Expected { code: Some(code), .. }) if !outcome.stdout.contains(code) => {
                Err(format!("no {code}"))
            }
            None if !statuses.iter().all(|status| (200..300).contains(status)) => {
                Err(format!("{statuses:?}, and nothing is said of it"))
            }
            _ => Ok(()),
        }
    }
}

fn is_bash(block: &Block) -> bool {
    assert!(block.language != "sh" && !block.language.is_empty(), "line {}: which language?", block.line);
    block.language == "bash"
}

/// Returns the commands of a document, each with the answer that is expected, without what is said of them.
pub(crate) fn commands(document: &Document) -> Vec<(String, Option<(u16, String)>)> {
    let blocks = document.blocks();
    let steps = blocks.iter().filter(|block| is_bash(block)).flat_map(Step::of_block);
    let bare = |step: Step| {
        let expected =
            step.expected().map(|Expected { status, code }| (status, code.unwrap_or("").to_owned()));
        (step.command.split(" # ").next().unwrap().trim().to_owned(), expected)
    };
    steps.map(bare).collect()
}

/// Checks that the Makefile has a target.
fn check_target(target: &str) {
    let makefile = read("Makefile");
    let is_there = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
    assert!(is_there, "the Makefile has no target `{target}`");
    let serves = makefile.contains("\nrun: ") && makefile.contains("\tcargo run --package jumun -- serve\n");
    assert!(serves, "`make run` does something else than this test");
}

/// Checks that a command asks nobody but the printed addresses.
fn check_addresses(command: &str) {
    for address in command.split("http://").skip(1) {
        assert!(PRINTED.iter().any(|printed| address.starts_with(printed)), "who is this? {command}");
    }
    assert!(!command.contains("https://"), "this leaves the machine: {command}");
}

/// Does what a document says: `make run` starts the server, other targets only have to exist, and everything
/// else is run in one shell. What stands below a command as `json` or `http` is its answer.
pub(crate) fn run(document: &Document) {
    if missing().is_some() {
        return;
    }
    document.targets().for_each(check_target);
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Shell::start(folder.path());
    let mut server = None;
    let mut last: Option<Outcome> = None;
    let mut answered = 0;
    for block in document.blocks() {
        let place = format!("{}:{}", document.name, block.line);
        if block.language == "json" || block.language == "http" {
            let outcome = last.take().unwrap_or_else(|| panic!("{place}: the answer to what?"));
            check_answer(&block, &outcome.stdout, &place);
        }
        if !is_bash(&block) {
            continue;
        }
        for step in Step::of_block(&block) {
            if let Some((target, settings)) = step.target() {
                check_target(target);
                if target == "run" {
                    // The one before has to end first: there is one database.
                    drop(server.take());
                    let started = Server::start(folder.path(), &settings);
                    shell.connect([&started.api, &started.stand_ins]);
                    server = Some(started);
                }
                continue;
            }
            assert!(server.is_some(), "{}:{}: nobody has said `make run`", document.name, step.line);
            check_addresses(&step.command);
            let outcome = shell.run(&step.command);
            if let Err(problem) = step.check(&outcome) {
                let Outcome { stdout, stderr, .. } = outcome;
                panic!("{}:{}: {problem}\n{}{stdout}\n{stderr}", document.name, step.line, step.command);
            }
            answered += outcome.statuses().len();
            last = Some(outcome);
        }
    }
    assert!(answered > 10, "{}: {answered} requests", document.name);
}

fn check_answer(block: &markdown::Block, output: &str, place: &str) {
    if block.language == "http" {
        if let Some(line) = answer::missing_line(&block.text, output) {
            panic!("{place}: no `{line}` in {output}");
        }
        return;
    }
    let printed = serde_json::from_str(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
    let real = answer::json(output).unwrap_or_else(|| panic!("{place}: no JSON in {output}"));
    if let Some(difference) = answer::differs(&printed, &real, "") {
        panic!("{place}: {difference}\n{output}");
    }
}
