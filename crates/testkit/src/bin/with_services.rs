//! Starts the services that tests need, runs a command with their addresses, and says what was exercised.
//!
//! `with-services cargo test --workspace`: with Docker the command sees `JUMUN_TEST_MYSQL_URL`, a server
//! of its own for this run; without Docker it runs all the same and the tests that need MySQL show as
//! ignored. `REQUIRE_SERVICES=1` makes a missing service a failure.

use std::process::ExitCode;

use testcontainers_modules::mysql::Mysql;
use testcontainers_modules::testcontainers::core::{Mount, error::TestcontainersError};
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use testcontainers_modules::testcontainers::{ContainerAsync, ImageExt};
use tokio::process::Command;

/// The image of MySQL that tests run on.
const MYSQL_TAG: &str = "9.7";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people and CI logs")]
#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(program) = words.next() else {
        eprintln!("usage: with-services COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    let mut command = Command::new(program);
    command.args(words);
    let mysql = match start_mysql().await {
        Ok((container, url)) => {
            command.env("JUMUN_TEST_MYSQL_URL", &url);
            Some(container)
        }
        Err(error) if required => {
            eprintln!("REQUIRE_SERVICES=1, and mysql:{MYSQL_TAG} cannot be started: {error}");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("no mysql:{MYSQL_TAG}: {error}");
            None
        }
    };
    let status = command.status().await;
    let exercised = if mysql.is_some() {
        "exercised: pure, in-process, SQLite, MySQL"
    } else {
        "exercised: pure, in-process, SQLite; NOT exercised: MySQL (no Docker)"
    };
    if let Some(container) = mysql
        && let Err(error) = container.rm().await
    {
        eprintln!("the MySQL container could not be removed: {error}");
    }
    println!("{exercised}");
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the command could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts MySQL with its data in memory: what is tested is what it decides, not its disk.
async fn start_mysql() -> Result<(ContainerAsync<Mysql>, String), TestcontainersError> {
    let container = Mysql::default()
        .with_tag(MYSQL_TAG)
        .with_mount(Mount::tmpfs_mount("/var/lib/mysql"))
        .with_cmd(["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--max-connections=400"])
        .start()
        .await?;
    let url =
        format!("mysql://root@{}:{}", container.get_host().await?, container.get_host_port_ipv4(3306).await?);
    Ok((container, url))
}
