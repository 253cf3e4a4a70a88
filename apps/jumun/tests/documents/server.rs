//! The server that `make run` starts, on ports that are free.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `jumun serve`. It ends with the value.
pub(crate) struct Server {
    child: Child,
    /// Where it listens, and where its stand-ins do: host and port.
    pub(crate) api: String,
    pub(crate) stand_ins: String,
}

impl Server {
    /// Starts the server in a folder, as `make run` does in its checkout, and waits until it is ready.
    pub(crate) fn start(folder: &Path, settings: &[(String, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumun"));
        command.arg("serve").current_dir(folder).env_clear();
        command.env("JUMUN_HTTP_ADDR", "127.0.0.1:0").env("JUMUN_STAND_INS_ADDR", "127.0.0.1:0");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let log = File::create(folder.join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let [api, stand_ins] = ["API  ", "Payment gateway  "].map(|label| {
            let line = lines.find_map(|line| line.unwrap().strip_prefix(label).map(str::to_owned));
            let url = line.unwrap_or_else(|| panic!("the server ends before it names its {label}"));
            let url = url.trim().strip_prefix("http://").unwrap();
            url.split('/').next().unwrap().to_owned()
        });
        // Whatever else it prints is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, api, stand_ins }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
