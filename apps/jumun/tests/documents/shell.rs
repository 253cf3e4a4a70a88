//! One shell in which commands are run as they are printed.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What the commands need.
const TOOLS: [&str; 3] = ["bash", "curl", "jq"];

/// The address of the API as it is printed, and that of the stand-ins.
pub(crate) const PRINTED: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8081"];

/// Returns a tool that is not there; a failure under `REQUIRE_SERVICES=1`.
pub(crate) fn missing() -> Option<&'static str> {
    let runs = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    let missing = TOOLS.into_iter().find(|tool| !runs(tool))?;
    let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(!required, "REQUIRE_SERVICES=1, and no {missing}");
    Some(missing)
}

/// Tells whether bash can read a text to its end: no quote and no loop in it is open.
pub(crate) fn is_complete(text: &str) -> bool {
    !text.trim_end().ends_with('\\')
        && Command::new("bash").args(["-n", "-c", text]).output().unwrap().status.success()
}

/// What a command did.
pub(crate) struct Outcome {
    pub(crate) succeeded: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Returns the HTTP statuses that curl was answered with; 0 for no answer.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        self.stderr.lines().filter_map(|line| line.strip_prefix("status ")?.parse().ok()).collect()
    }
}

/// A bash that lives as long as the value.
pub(crate) struct Shell {
    child: Child,
    commands: ChildStdin,
    results: Lines<BufReader<ChildStdout>>,
    folder: PathBuf,
}

impl Shell {
    /// Starts a bash whose home is a folder.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-u", "-o", "pipefail"]).current_dir(folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("CURL_HOME", folder).env("HOME", folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let commands = child.stdin.take().unwrap();
        let results = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, commands, results, folder: folder.to_owned() }
    }

    /// Connects whoever asks for a printed address to a real one, and lets curl tell each status. The
    /// commands stay as they are: this is the one place where addresses differ.
    pub(crate) fn connect(&self, real: [&str; 2]) {
        let mut settings = vec![
            "silent".to_owned(),
            "show-error".to_owned(),
            "max-time = 60".to_owned(),
            r#"write-out = "%{stderr}status %{http_code}\n""#.to_owned(),
        ];
        let addresses = PRINTED.into_iter().zip(real);
        settings.extend(addresses.map(|(printed, real)| format!("connect-to = \"{printed}:{real}\"")));
        fs::write(self.folder.join(".curlrc"), settings.join("\n")).unwrap();
    }

    /// Runs a command to its end.
    pub(crate) fn run(&mut self, command: &str) -> Outcome {
        let [out, err] = ["out", "err"].map(|name| self.folder.join(name));
        let (shown, logged) = (out.display(), err.display());
        let text = format!("{{\n{command}\n}} >'{shown}' 2>'{logged}' </dev/null; echo $?\n");
        self.commands.write_all(text.as_bytes()).unwrap();
        let result = self.results.next().unwrap_or_else(|| panic!("the shell ends at: {command}")).unwrap();
        Outcome {
            succeeded: result == "0",
            stdout: fs::read_to_string(out).unwrap(),
            stderr: fs::read_to_string(err).unwrap(),
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
