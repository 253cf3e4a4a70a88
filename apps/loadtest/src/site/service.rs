//! The service as it is built: its processes, and its audit.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

use super::processes::Process;
use super::prometheus::Counters;
use crate::Failure;
use crate::load::client::Connection;
use crate::load::request::Request;

/// What the server is called that answers from memory.
const BARE: &str = "bare";

/// How long a process may take until it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// The binary, and the database that its processes work on.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The program.
    pub(crate) binary: PathBuf,
    /// The folder that it runs in, for its logs and files.
    pub(crate) folder: PathBuf,
    /// The database.
    pub(crate) database_url: String,
    /// Redis, if there is one.
    pub(crate) redis_url: Option<String>,
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Audit {
    /// Everything that was looked at.
    pub(crate) checks: Vec<Check>,
}

/// One check of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Check {
    /// Its name.
    pub(crate) name: String,
    /// How often it is broken.
    pub(crate) violations: u64,
}

impl Audit {
    /// Returns the checks that are broken.
    pub(crate) fn broken(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.violations > 0)
    }

    /// Tells whether it ran and found nothing.
    pub(crate) fn is_clean(&self) -> bool {
        !self.checks.is_empty() && self.broken().next().is_none()
    }
}

impl Site {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(&self.folder).kill_on_drop(true);
        command.env("JUMUN_DATABASE_URL", &self.database_url).env("JUMUN_LOG", "warn");
        command.env("JUMUN_RATE_LIMIT", "off").env("JUMUN_DATABASE_MAX_CONNECTIONS", "32");
        if let Some(url) = &self.redis_url {
            command.env("JUMUN_REDIS_URL", url);
        }
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<(), Failure> {
        let output = self.command(arguments).output().await?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::Command { command: arguments.join(" "), said })
    }

    /// Makes the schema and fills it with users and products.
    pub(crate) async fn fill(&self, scale: &str) -> Result<(), Failure> {
        self.run(&["migrate"]).await?;
        self.run(&["seed"]).await?;
        self.run(&["seed", "--scale", scale]).await
    }

    /// Checks all that always holds.
    pub(crate) async fn audit(&self) -> Result<Audit, Failure> {
        let output = self.command(&["audit", "--json"]).output().await?;
        // It also fails where it finds something; what it found is in its report.
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Failure::Command { command: "audit".into(), said }
        })
    }

    /// Starts the API, with more settings.
    pub(crate) async fn serve(&self, name: &str, settings: &[(&str, &str)]) -> Result<Service, Failure> {
        let addr = free_addr()?;
        let mut command = self.command(&["serve"]);
        command.env("JUMUN_HTTP_ADDR", addr.to_string()).env("JUMUN_WORKER", "false");
        command.env("JUMUN_STAND_INS_ADDR", free_addr()?.to_string()).envs(settings.iter().copied());
        start(command, name, addr, &self.folder).await
    }

    /// Starts the stand-ins for the data platform and the payment gateway.
    pub(crate) async fn stand_ins(&self) -> Result<Service, Failure> {
        let addr = free_addr()?;
        start(self.command(&["stand-ins", "--addr", &addr.to_string()]), "stand-ins", addr, &self.folder)
            .await
    }

    /// Starts a worker that sends the events to the stand-ins.
    pub(crate) async fn work(&self, stand_ins: &Service) -> Result<Service, Failure> {
        let addr = free_addr()?;
        let mut command = self.command(&["worker"]);
        command.env("JUMUN_WORKER_HTTP_ADDR", addr.to_string());
        for setting in ["JUMUN_DATA_PLATFORM_URL", "JUMUN_PAYMENT_GATEWAY_URL"] {
            command.env(setting, format!("http://{}/", stand_ins.addr));
        }
        start(command, "worker", addr, &self.folder).await
    }
}

/// Starts a server and waits until it is ready.
async fn start(
    mut command: Command,
    name: &str,
    addr: SocketAddr,
    folder: &std::path::Path,
) -> Result<Service, Failure> {
    let log = File::create(folder.join(format!("{name}.log")))?;
    let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let mut service = Service { child, addr, name: name.to_owned() };
    service.wait_until_ready().await?;
    Ok(service)
}

/// An address that is free.
fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// A process that serves.
pub(crate) struct Service {
    child: Child,
    name: String,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
}

impl Service {
    /// Starts this program as the server that answers from memory.
    pub(crate) async fn bare(site: &Site, canned: &super::bare::Canned) -> Result<Self, Failure> {
        let file = site.folder.join("canned.json");
        std::fs::write(&file, serde_json::to_vec(canned)?)?;
        let addr = free_addr()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg(addr.to_string()).arg(&file).kill_on_drop(true);
        start(command, BARE, addr, &site.folder).await
    }

    async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            if self.ask(&Request::get("/health/ready")).await.is_ok() {
                return Ok(());
            }
            let ended = self.child.try_wait()?.is_some();
            if ended || begun.elapsed() > PATIENCE {
                return Err(Failure::NotReady(self.name.clone()));
            }
            // There is nothing to wait on but the port.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends one request and returns status, headers and body of its answer.
    pub(crate) async fn ask(&self, request: &Request) -> io::Result<(u16, String, String)> {
        Connection::open(self.addr).await?.answer(request).await
    }

    /// Reads what the service counts.
    pub(crate) async fn counters(&self) -> io::Result<Counters> {
        let (_, _, text) = self.ask(&Request::get("/metrics")).await?;
        Ok(Counters::parse(&text))
    }

    /// Tells whether it is the service and not what it is compared with.
    pub(crate) fn is_jumun(&self) -> bool {
        self.name != BARE
    }

    /// Names the process.
    pub(crate) fn process(&self) -> Process {
        Process::new(&self.name, self.child.id().unwrap_or_default())
    }

    /// Asks the process to end and waits for it.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        if let Some(id) = self.child.id() {
            Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        }
        self.child.wait().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_that_did_not_run_is_not_clean() {
        assert!(!Audit::default().is_clean());
        let check = |violations| Check { name: "stock".into(), violations };
        assert!(Audit { checks: vec![check(0)] }.is_clean());
        assert!(!Audit { checks: vec![check(0), check(2)] }.is_clean());
    }
}
