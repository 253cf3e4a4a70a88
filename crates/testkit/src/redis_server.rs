//! Redis for one test: a part of a server that all share, or a server of its own.

use std::time::Duration;

use kernel::IdGenerator;
use local::SystemIds;
use testcontainers_modules::redis::{REDIS_PORT, Redis};
use testcontainers_modules::testcontainers::core::IntoContainerPort;
use testcontainers_modules::testcontainers::core::error::TestcontainersError;
use testcontainers_modules::testcontainers::runners::AsyncRunner;
use testcontainers_modules::testcontainers::{ContainerAsync, ImageExt};

use crate::free_port;

/// The variable that names a Redis on which tests may make keys; `with-services` sets it.
const REDIS_URL: &str = "JUMUN_TEST_REDIS_URL";

/// The image of Redis that tests run on.
pub const REDIS_TAG: &str = "8.0";

/// A part of the Redis that `JUMUN_TEST_REDIS_URL` names: the keys with a prefix that no other test has.
pub struct TestRedis {
    /// The address of the server.
    pub url: String,
    /// What the names of this test's keys begin with, after `jumun:`.
    pub prefix: String,
}

impl TestRedis {
    /// Names the service if it cannot be reached here.
    pub fn missing() -> Option<&'static str> {
        std::env::var(REDIS_URL).is_err().then_some("Redis")
    }

    /// Chooses a prefix.
    ///
    /// # Panics
    /// When there is no Redis: ask [`Self::missing`] before.
    pub fn new() -> Self {
        let url = std::env::var(REDIS_URL).expect("JUMUN_TEST_REDIS_URL names a Redis");
        Self { url, prefix: format!("test-{}:", SystemIds.uuid().simple()) }
    }

    /// Deletes all keys of this test.
    ///
    /// # Panics
    /// When Redis does not answer.
    pub async fn wipe(&self) {
        let mut connection = connect(&self.url).await;
        let pattern = format!("jumun:{}*", self.prefix);
        let mut cursor = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1_000);
            let (next, keys): (u64, Vec<String>) =
                scan.query_async(&mut connection).await.expect("Redis lists its keys");
            if !keys.is_empty() {
                let deleted = redis::cmd("DEL").arg(keys).query_async::<u64>(&mut connection).await;
                deleted.expect("Redis deletes keys");
            }
            if next == 0 {
                return;
            }
            cursor = next;
        }
    }
}

impl Default for TestRedis {
    fn default() -> Self {
        Self::new()
    }
}

/// A Redis of its own, which keeps nothing on disk and its address for life. It is removed when it is
/// dropped.
pub struct RedisServer {
    container: ContainerAsync<Redis>,
    url: String,
}

impl RedisServer {
    /// Starts a server.
    ///
    /// # Errors
    /// When Docker cannot, or no port is free.
    pub async fn start() -> Result<Self, TestcontainersError> {
        // A port that Docker chooses would be another one after each start.
        let port = free_port()?;
        let container = Redis::default()
            .with_tag(REDIS_TAG)
            .with_cmd(["redis-server", "--save", "", "--appendonly", "no"])
            .with_mapped_port(port, REDIS_PORT.tcp())
            .start()
            .await?;
        Ok(Self { url: format!("redis://127.0.0.1:{port}"), container })
    }

    /// Returns the address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the server as `kill -9` does.
    ///
    /// # Panics
    /// When Docker cannot.
    pub async fn kill(&self) {
        self.container.stop_with_timeout(Some(0)).await.expect("the container is killed");
    }

    /// Starts the ended server again, empty.
    ///
    /// # Panics
    /// When Docker cannot.
    pub async fn start_again(&self) {
        self.container.start().await.expect("the container starts");
    }

    /// Makes the server silent: connections stay open, and nobody answers.
    ///
    /// # Panics
    /// When Docker cannot.
    pub async fn pause(&self) {
        self.container.pause().await.expect("the container is paused");
    }

    /// Lets a silent server go on.
    ///
    /// # Panics
    /// When Docker cannot.
    pub async fn go_on(&self) {
        self.container.unpause().await.expect("the container goes on");
    }

    /// Sends the server a command, as an administrator with a shell would.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn command(&self, words: &[&str]) {
        let mut connection = connect(&self.url).await;
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query_async::<redis::Value>(&mut connection).await.expect("Redis obeys");
    }
}

/// Connects with more patience than the half second that a client has by default: the machine may be busy.
async fn connect(url: &str) -> redis::aio::MultiplexedConnection {
    const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));
    let client = redis::Client::open(url).expect("an address");
    let config =
        redis::AsyncConnectionConfig::new().set_connection_timeout(PATIENCE).set_response_timeout(PATIENCE);
    client.get_multiplexed_async_connection_with_config(&config).await.expect("Redis answers")
}
