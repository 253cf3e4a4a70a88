//! Starts the services that tests need, runs a command with their addresses, and says what was exercised.
//!
//! `with-services cargo test --workspace`: with Docker the command sees `JUMUN_TEST_MYSQL_URL` and
//! `JUMUN_TEST_REDIS_URL`, servers of its own for this run; without Docker it runs all the same and the
//! tests that need them show as ignored. `REQUIRE_SERVICES=1` makes a missing service a failure.
//!
//! `with-services --measured make bench-…`: servers to measure on. They keep their data as production does,
//! and listen on this machine's own loopback, since a port that Docker forwards halves what they can do.

use std::process::ExitCode;

use testcontainers_modules::mysql::Mysql;
use testcontainers_modules::redis::{REDIS_PORT, Redis};
use testcontainers_modules::testcontainers::core::{Mount, error::TestcontainersError};
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use testcontainers_modules::testcontainers::{ContainerAsync, Image, ImageExt};
use testkit::{MYSQL_TAG, MySqlServer, REDIS_TAG, free_port};
use tokio::process::Command;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people and CI logs")]
#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let measured = words.next_if_eq("--measured").is_some();
    let Some(program) = words.next() else {
        eprintln!("usage: with-services [--measured] COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    };
    let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    let (mysql, redis) = if measured {
        tokio::join!(start_measured_mysql(), start_measured_redis())
    } else {
        tokio::join!(start_mysql(), start_redis())
    };
    let (mysql, redis) = (report("MySQL", MYSQL_TAG, mysql), report("Redis", REDIS_TAG, redis));
    let mut failed = required && (mysql.is_none() || redis.is_none());
    if failed {
        eprintln!("REQUIRE_SERVICES=1, and a service cannot be started");
    } else {
        let mut command = Command::new(program);
        command.args(words);
        command.envs(mysql.iter().map(|(_, url)| ("JUMUN_TEST_MYSQL_URL", url)));
        command.envs(redis.iter().map(|(_, url)| ("JUMUN_TEST_REDIS_URL", url)));
        match command.status().await {
            Ok(status) => failed = !status.success(),
            Err(error) => {
                eprintln!("the command could not be run: {error}");
                failed = true;
            }
        }
        if !measured {
            println!("{}", exercised(mysql.is_some(), redis.is_some()));
        }
    }
    remove(mysql).await;
    remove(redis).await;
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Says what the tests could run on.
fn exercised(mysql: bool, redis: bool) -> String {
    let mut ran = vec!["pure", "in-process", "SQLite"];
    let mut missed = Vec::new();
    for (name, is_there) in [("MySQL", mysql), ("Redis", redis)] {
        if is_there { ran.push(name) } else { missed.push(name) }
    }
    let ran = ran.join(", ");
    if missed.is_empty() {
        format!("exercised: {ran}")
    } else {
        format!("exercised: {ran}; NOT exercised: {} (no Docker)", missed.join(", "))
    }
}

/// A service that runs, and its address.
type Started<I> = (ContainerAsync<I>, String);

#[expect(clippy::print_stderr, reason = "a command for people and CI logs")]
fn report<I: Image>(
    name: &str,
    tag: &str,
    started: Result<Started<I>, TestcontainersError>,
) -> Option<Started<I>> {
    started.inspect_err(|error| eprintln!("no {name} {tag}: {error}")).ok()
}

#[expect(clippy::print_stderr, reason = "a command for people and CI logs")]
async fn remove<I: Image>(started: Option<Started<I>>) {
    if let Some((container, _)) = started
        && let Err(error) = container.rm().await
    {
        eprintln!("a container could not be removed: {error}");
    }
}

/// Starts MySQL with its data in memory: what is tested is what it decides, not its disk.
async fn start_mysql() -> Result<Started<Mysql>, TestcontainersError> {
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

/// Starts Redis without a disk.
async fn start_redis() -> Result<Started<Redis>, TestcontainersError> {
    let container = Redis::default()
        .with_tag(REDIS_TAG)
        .with_cmd(["redis-server", "--save", "", "--appendonly", "no"])
        .start()
        .await?;
    let port = container.get_host_port_ipv4(REDIS_PORT).await?;
    let url = format!("redis://{}:{port}", container.get_host().await?);
    Ok((container, url))
}

/// Starts MySQL to measure on: durability at its defaults, a buffer pool that holds the load test's data.
async fn start_measured_mysql() -> Result<Started<Mysql>, TestcontainersError> {
    let server = MySqlServer::start(&["--innodb-buffer-pool-size=2G", "--max-connections=400"]).await?;
    let url = server.url();
    Ok((server.into_container(), url))
}

/// Starts Redis to measure on.
async fn start_measured_redis() -> Result<Started<Redis>, TestcontainersError> {
    let port = free_port()?;
    let container = Redis::default()
        .with_tag(REDIS_TAG)
        .with_network("host")
        .with_cmd(["redis-server".to_owned(), format!("--port {port}"), "--bind 127.0.0.1".to_owned()])
        .start()
        .await?;
    Ok((container, format!("redis://127.0.0.1:{port}")))
}
