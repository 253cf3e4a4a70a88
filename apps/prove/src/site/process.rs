//! One process of the service: started, stopped, killed, and started again.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::Failure;

/// How long a process may take until it is ready, and until it has ended.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program, and the folder that its processes run in.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The binary.
    pub(crate) binary: PathBuf,
    /// The folder, which keeps their logs.
    pub(crate) folder: PathBuf,
}

impl Program {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).env_clear().kill_on_drop(true).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end; returns what it said to both sides.
    pub(crate) async fn say(
        &self,
        words: &[&str],
        settings: &[(&str, &str)],
    ) -> Result<(String, String), Failure> {
        let output = self.command().args(words).envs(settings.iter().copied()).output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((text(output.stdout), text(output.stderr)))
    }

    /// Runs a command that has to succeed.
    pub(crate) async fn run(&self, words: &[&str], settings: &[(&str, &str)]) -> Result<(), Failure> {
        let output = self.command().args(words).envs(settings.iter().copied()).output().await?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::Process { what: format!("jumun {}", words.join(" ")), said })
    }
}

/// What a process can be told by the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// To end in good order.
    Terminate,
    /// To stand still.
    Stop,
    /// To go on.
    Continue,
    /// To be gone.
    Kill,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "-TERM",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
            Self::Kill => "-KILL",
        }
    }
}

/// A process that serves. It can be replaced by another one with the same settings.
pub(crate) struct Process {
    name: String,
    addr: SocketAddr,
    log: PathBuf,
    /// The most memory that any process in this place ever had, in MiB.
    peak: AtomicU64,
    command: Mutex<Command>,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Starts a process, with `arguments` on top of what all have, and waits until it is ready.
    pub(crate) async fn start(
        program: &Program,
        name: &str,
        addr: SocketAddr,
        arguments: impl FnOnce(&mut Command),
    ) -> Result<Self, Failure> {
        let mut command = program.command();
        arguments(&mut command);
        let log = program.folder.join(format!("{name}.log"));
        File::create(&log)?;
        let process = Self {
            name: name.to_owned(),
            addr,
            log,
            peak: AtomicU64::new(0),
            command: Mutex::new(command),
            child: Mutex::default(),
        };
        process.launch()?;
        process.until_ready().await?;
        Ok(process)
    }

    /// Returns what it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns where it listens.
    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns what it wrote.
    pub(crate) fn log(&self) -> Result<String, Failure> {
        Ok(String::from_utf8_lossy(&std::fs::read(&self.log)?).into_owned())
    }

    /// Starts it again once it has ended.
    pub(crate) fn launch(&self) -> Result<(), Failure> {
        self.launch_with(&[])
    }

    /// Starts it again once it has ended, for once with more variables.
    pub(crate) fn launch_with(&self, variables: &[(&str, String)]) -> Result<(), Failure> {
        let log = OpenOptions::new().append(true).open(&self.log)?;
        let mut command = self.command.lock().unwrap_or_else(PoisonError::into_inner);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        for (name, _) in variables {
            command.env_remove(name);
        }
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        Ok(())
    }

    /// Waits until it says that it is ready.
    pub(crate) async fn until_ready(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let health = reqwest::get(format!("http://{}/health/ready", self.addr)).await;
            if health.is_ok_and(|health| health.status().is_success()) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let said = format!("not ready after {PATIENCE:?}; see its log");
                return Err(Failure::Process { what: self.name.clone(), said });
            }
            // There is nothing to wait on but the port.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Returns its number while it lives.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).as_ref()?.id()
    }

    /// Returns the most memory that it, or one in its place before, ever had, in MiB; nothing if it is gone.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let now = peak_memory(self.id()?)?;
        Some(self.peak.fetch_max(now, Ordering::Relaxed).max(now))
    }

    /// Tells it something.
    pub(crate) async fn tell(&self, signal: Signal) -> Result<(), Failure> {
        self.peak_memory();
        if let Some(id) = self.id() {
            Command::new("kill").args([signal.name(), &id.to_string()]).status().await?;
        }
        Ok(())
    }

    /// Waits until it has ended; returns its code, and how long it took. One that does not end is killed.
    pub(crate) async fn ended(&self) -> Result<(Option<i32>, Duration), Failure> {
        let begun = Instant::now();
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut child) = child else { return Ok((None, Duration::ZERO)) };
        tokio::select! {
            status = child.wait() => Ok((status?.code(), begun.elapsed())),
            () = tokio::time::sleep(PATIENCE) => {
                child.kill().await?;
                Ok((None, begun.elapsed()))
            }
        }
    }
}

fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1_024)
}
