//! A MySQL of its own for who harms it.

use std::time::Duration;

use testcontainers_modules::mysql::Mysql;
use testcontainers_modules::testcontainers::core::error::TestcontainersError;
use testcontainers_modules::testcontainers::core::{CmdWaitFor, ExecCommand};
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use testcontainers_modules::testcontainers::{ContainerAsync, ImageExt};

use crate::free_port;

/// The image of MySQL that tests run on.
pub const MYSQL_TAG: &str = "9.7";

/// How long MySQL may take to make its files on a disk.
const STARTUP: Duration = Duration::from_mins(3);

/// A MySQL that keeps its data on a disk, with durability at its defaults, on this machine's own loopback:
/// a port that Docker forwards halves what it can do. Its address lasts as long as it does. It is removed
/// when it is dropped.
pub struct MySqlServer {
    container: ContainerAsync<Mysql>,
    port: u16,
}

impl MySqlServer {
    /// Starts a server with more options, such as `--max-connections=400`.
    ///
    /// # Errors
    /// When Docker cannot, or no port is free.
    pub async fn start(options: &[&str]) -> Result<Self, TestcontainersError> {
        let [port, other] = [free_port()?, free_port()?];
        let addresses = [
            format!("--port={port}"),
            format!("--mysqlx-port={other}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--mysqlx-bind-address=127.0.0.1".to_owned(),
        ];
        let container = Mysql::default()
            .with_tag(MYSQL_TAG)
            .with_network("host")
            .with_cmd(addresses.into_iter().chain(options.iter().map(|option| (*option).to_owned())))
            .with_startup_timeout(STARTUP)
            .start()
            .await?;
        Ok(Self { container, port })
    }

    /// Returns the address, without a database.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}", self.port)
    }

    /// Leaves the container to the caller.
    pub fn into_container(self) -> ContainerAsync<Mysql> {
        self.container
    }

    /// Returns host and port.
    pub fn addr(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the server as `kill -9` does. Its files stay.
    ///
    /// # Errors
    /// When Docker cannot.
    pub async fn kill(&self) -> Result<(), TestcontainersError> {
        self.container.stop_with_timeout(Some(0)).await
    }

    /// Starts the ended server again.
    ///
    /// # Errors
    /// When Docker cannot.
    pub async fn start_again(&self) -> Result<(), TestcontainersError> {
        self.container.start().await
    }

    /// Makes the server stand still: connections stay open, and nobody answers.
    ///
    /// # Errors
    /// When Docker cannot.
    pub async fn pause(&self) -> Result<(), TestcontainersError> {
        self.container.pause().await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When Docker cannot.
    pub async fn go_on(&self) -> Result<(), TestcontainersError> {
        self.container.unpause().await
    }

    /// Copies a database into another one, which must not be there yet, as a backup is taken and restored.
    /// Returns what went wrong, if something did.
    ///
    /// # Errors
    /// When Docker cannot.
    pub async fn copy(&self, from: &str, to: &str) -> Result<Option<String>, TestcontainersError> {
        let server = format!("--protocol=tcp --host=127.0.0.1 --port={} --user=root", self.port);
        let script = format!(
            "set -e; \
             mysqldump {server} --single-transaction --hex-blob --no-tablespaces --set-gtid-purged=OFF {from} > /tmp/backup.sql; \
             mysql {server} --execute='CREATE DATABASE {to}'; mysql {server} {to} < /tmp/backup.sql; rm /tmp/backup.sql"
        );
        let command = ExecCommand::new(["sh", "-c", &script]).with_cmd_ready_condition(CmdWaitFor::exit());
        let mut done = self.container.exec(command).await?;
        if done.exit_code().await? == Some(0) {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&done.stderr_to_vec().await?).into_owned()))
    }

    /// Removes it with its data.
    ///
    /// # Errors
    /// When Docker cannot.
    pub async fn remove(self) -> Result<(), TestcontainersError> {
        self.container.rm().await
    }
}
