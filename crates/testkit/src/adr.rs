//! The decisions under `adr/`, read as data: each page's form, what it names, and what names it.
//!
//! Nothing here reads a disk: a page is a name and a text, and [`Tree`] holds the files that pages may
//! name. So each rule can be seen to fail on a page made up for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const KEYS: [&str; 4] = ["status", "date", "code", "enforced-by"];
const SECTIONS: [&str; 4] = ["Context", "Decision", "Alternatives", "Consequences"];

/// The files of the repository, by path, with their text; a folder is there if a file is in it.
#[derive(Debug, Default)]
pub struct Tree(pub BTreeMap<String, String>);

impl Tree {
    /// Returns whether a file or a folder is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.0.contains_key(path) || self.0.keys().any(|file| file.starts_with(&folder))
    }

    fn names(&self, path: &str, needle: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let mut files = self.0.iter().filter(|(file, _)| *file == path || file.starts_with(&folder));
        files.any(|(_, text)| text.contains(needle))
    }
}

/// One page, taken apart.
#[derive(Debug, Default)]
pub struct Page {
    /// The name of the file, without its folder.
    pub file: String,
    /// The number that the file's name gives.
    pub number: Option<u16>,
    /// The decision in a sentence, as the title states it.
    pub title: String,
    /// `accepted`, `proposed` or `superseded by NNN`.
    pub status: String,
    /// The day of the decision.
    pub date: String,
    /// The paths that follow the decision.
    pub code: Vec<String>,
    /// What fails if they do not, as `path::needle`.
    pub enforced_by: Vec<String>,
    /// What is wrong with the page itself.
    pub violations: Vec<String>,
}

impl Page {
    /// Reads a page; what is wrong with its form is among its violations.
    #[must_use]
    pub fn read(file: &str, text: &str) -> Self {
        let mut page = Self { file: file.to_owned(), ..Self::default() };
        page.number = file.get(..3).and_then(|digits| digits.parse().ok());
        if page.number.is_none() || file.get(3..4) != Some("-") {
            page.violations.push("the file's name is not NNN-what-was-decided.md".to_owned());
        }
        let parts = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
        let (front, body) = parts.unwrap_or_default();
        page.read_front_matter(front);
        page.read_body(body);
        let lines = text.lines().count();
        if !(40..=90).contains(&lines) {
            page.violations.push(format!("{lines} lines rather than 40 to 90"));
        }
        // Neither an entry of the front matter nor a row of a table can be wrapped.
        let wrappable = |line: &str| !line.starts_with("  - ") && !line.starts_with('|');
        let long = |line: &str| wrappable(line) && line.chars().count() > 110;
        for (at, line) in text.lines().enumerate().filter(|(_, line)| long(line)) {
            page.violations.push(format!("line {}: {} characters", at + 1, line.chars().count()));
        }
        page
    }

    /// Returns whether code may point to this page.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.status == "accepted"
    }

    fn read_front_matter(&mut self, front: &str) {
        let mut keys = Vec::new();
        for line in front.lines() {
            if let Some(item) = line.strip_prefix("  - ") {
                match keys.last() {
                    Some(&"code") => self.code.push(item.to_owned()),
                    Some(&"enforced-by") => self.enforced_by.push(item.to_owned()),
                    _ => self.violations.push(format!("{item} belongs to no list")),
                }
            } else if let Some((key, value)) = line.split_once(':') {
                keys.push(key);
                match key {
                    "status" => value.trim().clone_into(&mut self.status),
                    "date" => value.trim().clone_into(&mut self.date),
                    _ => {}
                }
            }
        }
        if keys != KEYS {
            self.violations.push(format!("front matter has {keys:?} rather than {KEYS:?}"));
        }
        let superseded = self
            .status
            .strip_prefix("superseded by ")
            .is_some_and(|number| number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit()));
        if !superseded && !["accepted", "proposed"].contains(&self.status.as_str()) {
            self.violations.push(format!("unknown status {:?}", self.status));
        }
        if chrono::NaiveDate::parse_from_str(&self.date, "%Y-%m-%d").is_err() {
            self.violations.push(format!("{:?} is no date", self.date));
        }
        if self.code.is_empty() {
            self.violations.push("names no code".to_owned());
        }
        if self.enforced_by.is_empty() {
            self.violations.push("nothing enforces it".to_owned());
        }
    }

    fn read_body(&mut self, body: &str) {
        let prefix = format!("# ADR-{:03}: ", self.number.unwrap_or_default());
        match body.lines().next().and_then(|line| line.strip_prefix(&prefix)) {
            Some(title) => title.clone_into(&mut self.title),
            None => self.violations.push(format!("the title does not begin with {prefix:?}")),
        }
        let sections: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if sections != SECTIONS {
            self.violations.push(format!("sections are {sections:?} rather than {SECTIONS:?}"));
        }
    }
}

/// Returns whether a file may point to decisions: code, configuration, workflows and documentation.
#[must_use]
pub fn may_point(path: &str) -> bool {
    !path.starts_with("adr/")
}

/// Checks what the pages name, and that they are named back; each violation goes to its page.
pub fn check_pages(pages: &mut [Page], tree: &Tree) {
    let mut seen = BTreeSet::new();
    let accepted: BTreeSet<_> = pages.iter().filter(|page| page.is_accepted()).map(|p| p.number).collect();
    for page in pages {
        if !seen.insert(page.number) {
            page.violations.push("another page has this number".to_owned());
        }
        if let Some(next) = page.status.strip_prefix("superseded by ")
            && !accepted.contains(&next.parse().ok())
        {
            page.violations.push(format!("ADR-{next}, which supersedes it, is not an accepted page"));
        }
        for path in page.code.iter().filter(|path| !tree.has(path)) {
            page.violations.push(format!("{path} does not exist"));
        }
        for entry in &page.enforced_by {
            page.violations.extend(check_enforcement(entry, tree));
        }
        let name = format!("ADR-{:03}", page.number.unwrap_or_default());
        let tests = page.enforced_by.iter().filter_map(|entry| entry.split_once("::")).map(|(path, _)| path);
        let mut named_by = page.code.iter().map(String::as_str).chain(tests);
        if page.is_accepted() && !named_by.any(|path| tree.names(path, &name)) {
            page.violations.push(format!("none of its code and tests names {name}"));
        }
    }
}

/// Returns what is wrong with an entry of `enforced-by`, if anything is.
#[must_use]
pub fn check_enforcement(entry: &str, tree: &Tree) -> Option<String> {
    match entry.split_once("::") {
        None => Some(format!("{entry} is not path::needle")),
        Some((path, _)) if !tree.0.contains_key(path) => Some(format!("{path} does not exist")),
        Some((path, needle)) if needle.is_empty() || !tree.0[path].contains(needle) => {
            Some(format!("{path} does not contain {needle:?}"))
        }
        Some((path, name)) if is_code(path) && is_name(name) && !runs(name, &tree.0[path]) => {
            Some(format!("{path} has no test {name} that runs"))
        }
        Some(_) => None,
    }
}

fn is_code(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

fn is_name(text: &str) -> bool {
    text.contains('_') && text.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// Tells whether a text has a function of this very name that is neither commented out nor ignored.
fn runs(name: &str, text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        !line.starts_with("//")
            && line.split_once(&format!("fn {name}")).is_some_and(|(_, rest)| rest.starts_with(['(', '<']))
    });
    starts.into_iter().any(|(at, _)| {
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with(['#', '/']));
        attributes.into_iter().all(|line| !line.starts_with("#[ignore"))
    })
}

/// Returns each pointer to a page that is not there or not accepted.
#[must_use]
pub fn check_pointers(pages: &[Page], tree: &Tree) -> Vec<String> {
    let accepted: BTreeSet<_> = pages.iter().filter(|page| page.is_accepted()).map(|p| p.number).collect();
    let mut found = Vec::new();
    for (path, text) in tree.0.iter().filter(|(path, _)| may_point(path)) {
        for (at, line) in text.lines().enumerate() {
            for rest in line.split("ADR-").skip(1) {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if !digits.is_empty() && (digits.len() != 3 || !accepted.contains(&digits.parse().ok())) {
                    found.push(format!("{path}:{}: ADR-{digits} is not an accepted page", at + 1));
                }
            }
        }
    }
    found
}

/// Returns where the index differs from the pages, which are in the order of their numbers.
#[must_use]
pub fn check_index(pages: &[Page], index: &str) -> Vec<String> {
    let rows: Vec<_> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let due: Vec<_> = pages
        .iter()
        .map(|page| {
            let Page { file, title, status, date, .. } = page;
            format!("| [{:03}]({file}) | {title} | {status} | {date} |", page.number.unwrap_or_default())
        })
        .collect();
    let missing = due.iter().filter(|row| !rows.contains(&row.as_str()));
    let mut found: Vec<_> = missing.map(|row| format!("the index lacks {row}")).collect();
    let extra = rows.iter().filter(|row| !due.iter().any(|wanted| wanted == *row));
    found.extend(extra.map(|row| format!("the index has {row}")));
    if found.is_empty() && rows != due {
        found.push("the index is not in the order of the numbers, or names a page twice".to_owned());
    }
    found
}

/// Returns the table of the decisions: code, enforcing tests, and whether the check found all in order.
#[must_use]
pub fn table(pages: &[Page], tree: &Tree) -> String {
    let rows = pages.iter().map(|page| {
        let code = page.code.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join("<br>");
        let mark = |entry: &String| match check_enforcement(entry, tree) {
            None => format!("`{entry}`"),
            Some(_) => format!("`{entry}` **missing**"),
        };
        let tests = page.enforced_by.iter().map(mark).collect::<Vec<_>>().join("<br>");
        let result = if page.violations.is_empty() { "ok".to_owned() } else { page.violations.join("; ") };
        let number = page.number.unwrap_or_default();
        let title = format!("ADR-{number:03} {} ({})", page.title, page.status);
        format!("| {title} | {code} | {tests} | {result} |\n")
    });
    format!("| decision | code | enforcing test | result |\n|---|---|---|---|\n{}", rows.collect::<String>())
}
