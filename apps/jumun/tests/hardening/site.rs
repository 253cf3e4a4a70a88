//! A folder with a server in it, and everything that the server says.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

/// A setting and its value.
pub(crate) type Setting<'a> = (&'a str, &'a str);

/// A folder with a database of its own.
pub(crate) struct Site(TempDir);

impl Site {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str], settings: &[Setting<'_>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumun"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("JUMUN_HTTP_ADDR", "127.0.0.1:0").env("JUMUN_STAND_INS_ADDR", "127.0.0.1:0");
        command.envs(settings.iter().copied());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str], settings: &[Setting<'_>]) -> Output {
        self.command(arguments, settings).output().unwrap()
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn serve(&self, settings: &[Setting<'_>]) -> Server {
        let mut command = self.command(&["serve"], settings);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = said(child.stderr.take().unwrap());
        let mut printed = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let [api, stand_ins] = ["API  ", "Payment gateway  "].map(|label| {
            let mut lines = lines.by_ref().map(|line| {
                let line = line.unwrap();
                printed.extend([line.as_str(), "\n"]);
                line
            });
            let url = lines.find_map(|line| Some(line.strip_prefix(label)?.trim().to_owned()));
            let url = url.unwrap_or_else(|| panic!("it ends before it names its {label}: {}", text(&log)));
            url.trim_end_matches('/').trim_end_matches("/api/v1").to_owned()
        });
        let rest = Arc::new(Mutex::new(printed.into_bytes()));
        let output = rest.clone();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| rest.lock().unwrap().extend(line.into_bytes()));
        });
        Server { child, log, output, api, stand_ins }
    }

    /// Returns the contents of each file in the folder, by its name.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.display().to_string(), std::fs::read(&path).unwrap()));
                }
            }
        }
        files
    }
}

/// A running server; it ends with the value.
pub(crate) struct Server {
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
    output: Arc<Mutex<Vec<u8>>>,
    /// Where it listens: scheme, host and port.
    pub(crate) api: String,
    pub(crate) stand_ins: String,
}

impl Server {
    /// Returns host and port.
    pub(crate) fn addr(&self) -> &str {
        self.api.split("//").nth(1).unwrap()
    }

    /// Returns all that it has logged.
    pub(crate) fn log(&self) -> String {
        text(&self.log)
    }

    /// Returns all that it has printed.
    pub(crate) fn output(&self) -> String {
        text(&self.output)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap()).into_owned()
}

/// Reads what is said as it is said.
fn said(mut from: impl Read + Send + 'static) -> Arc<Mutex<Vec<u8>>> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    std::thread::spawn(move || {
        let mut some = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut some) {
            heard.lock().unwrap().extend_from_slice(&some[..length]);
        }
    });
    said
}
