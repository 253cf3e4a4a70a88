//! The connections to Redis.

use std::sync::Arc;
use std::time::Duration;

use coordination::{BreakerSettings, CircuitBreaker};
use deadpool_redis::{Connection, Manager, Pool, Runtime};
use kernel::{IdGenerator, StoreError};
use redis::{AsyncConnectionConfig, FromRedisValue, RedisError, ScriptInvocation};

use crate::error::{Effect, Failure};
use crate::keys::Keys;

/// How many connections there are at most.
const CONNECTIONS: usize = 16;
/// How long a call waits for a connection while all are busy.
const WAIT: Duration = Duration::from_millis(500);
/// How long making a connection may take.
const CREATE: Duration = Duration::from_secs(1);
/// How long a connection may take to show that it is alive.
const RECYCLE: Duration = Duration::from_millis(300);
/// How long an answer may take.
const RESPONSE: Duration = Duration::from_millis(300);
/// How long a call may spend on all the above until it has a connection, dead ones included: with its
/// answer it takes less than a second.
const CONNECTION: Duration = Duration::from_millis(600);

/// A call that found nobody there spares the others its wait.
const BREAKER: BreakerSettings =
    BreakerSettings { failures: 1, pause: Duration::from_millis(500), trial: Duration::from_secs(1) };

/// Redis cannot be used as it is set.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address is not one of Redis.
    #[error("the address cannot be used")]
    Address(#[source] RedisError),
    /// The pool cannot be built.
    #[error("the pool of connections cannot be built")]
    Pool(#[source] deadpool_redis::BuildError),
}

/// The connections to Redis, shared by all adapters of an instance.
///
/// They are made when they are needed: a Redis that is not there, or goes away, fails calls and nothing
/// else. Nobody waits long (ADR-022): every call ends within a second, and after one that found nobody
/// there the others fail at once for half a second.
#[derive(Clone)]
pub struct Redis(Arc<Shared>);

struct Shared {
    pool: Pool,
    breaker: CircuitBreaker,
    keys: Keys,
    ids: Arc<dyn IdGenerator>,
}

impl Redis {
    /// Prepares connections to the Redis at `url`, `redis://…` or `rediss://…`. All names of keys begin
    /// with `jumun:` and then `prefix`, which may be empty.
    ///
    /// # Errors
    /// When the address cannot be used. Whether anybody answers is not asked.
    pub fn new(url: &str, prefix: &str, ids: Arc<dyn IdGenerator>) -> Result<Self, SetupError> {
        if url.starts_with("rediss:") {
            // Several are linked in, and then TLS has to be told; an error says that it was told already.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        }
        let connections = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CREATE))
            .set_response_timeout(Some(RESPONSE));
        let manager = Manager::new_with_config(url, connections).map_err(SetupError::Address)?;
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .recycle_timeout(Some(RECYCLE))
            .build()
            .map_err(SetupError::Pool)?;
        let breaker = CircuitBreaker::new(BREAKER);
        Ok(Self(Arc::new(Shared { pool, breaker, keys: Keys::new(prefix), ids })))
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let ping = async |mut connection: Connection| {
            redis::cmd("PING").query_async::<String>(&mut connection).await.map(drop)
        };
        self.guarded("ping", Effect::Question, ping).await
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// Returns a number that nobody guesses.
    pub(crate) fn random_owner(&self) -> u128 {
        let mut bytes = [0; 16];
        self.0.ids.fill_random(&mut bytes);
        u128::from_le_bytes(bytes)
    }

    pub(crate) fn ids(&self) -> &dyn IdGenerator {
        self.0.ids.as_ref()
    }

    /// Runs a script; Redis is sent its text only if it does not know it yet.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        call: &'static str,
        effect: Effect,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let run = async |mut connection: Connection| script.invoke_async(&mut connection).await;
        self.guarded(call, effect, run).await
    }

    async fn guarded<T>(
        &self,
        call: &'static str,
        effect: Effect,
        work: impl AsyncFnOnce(Connection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let result = self.attempt(work).await;
        let result = result.map_err(|failure| {
            if failure.is_absence() && self.0.breaker.failed() {
                tracing::warn!(call, error = kernel::causes(&failure), "Redis does not answer");
            }
            failure.into_store_error(effect)
        });
        let outcome = match &result {
            Ok(_) => "ok",
            Err(StoreError::Unavailable(_)) => "unavailable",
            Err(StoreError::OutcomeUnknown(_)) => "unknown",
            Err(_) => "failed",
        };
        metrics::counter!("jumun_redis_calls_total", "call" => call, "outcome" => outcome).increment(1);
        result
    }

    async fn attempt<T>(
        &self,
        work: impl AsyncFnOnce(Connection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        if !self.0.breaker.lets_through() {
            return Err(Failure::Broken);
        }
        // Each dead connection takes its own time to be found out, and there may be many.
        let connection = tokio::select! {
            connection = self.0.pool.get() => connection.map_err(Failure::Pool)?,
            () = tokio::time::sleep(CONNECTION) => return Err(Failure::NoConnection),
        };
        let done = work(connection).await.map_err(Failure::Call);
        // Also an error may be an answer.
        if !done.as_ref().is_err_and(Failure::is_absence) && self.0.breaker.answered() {
            tracing::info!("Redis answers again");
        }
        done
    }
}

/// The longest time that is written to Redis: in µs, and added to its time, it is still exact.
const LONGEST: Duration = Duration::from_hours(24 * 3_650);

/// Writes a time as Redis' expiries want it; they are at least 1 ms.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Writes a time as our scripts want it.
pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_micros()).unwrap_or(u64::MAX)
}

/// Writes an owner.
pub(crate) fn hex(owner: u128) -> String {
    format!("{owner:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_something_else_is_refused() {
        for url in ["http://:hush@cache:6379", "", "redis://:hush@cache:port", "redis://:hush@cache:6379/x"] {
            let made = Redis::new(url, "", Arc::new(local::SystemIds));
            let error = made.err().expect("it is refused");
            assert!(matches!(error, SetupError::Address(_)), "{url}: {error:?}");
            assert!(!kernel::causes(&error).contains("hush"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_soon_and_no_panic() {
        // TLS too: which cryptography it uses is found out when a connection is made.
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for url in [format!("redis://{closed}"), format!("rediss://{}", taken.local_addr().unwrap())] {
            let redis = Redis::new(&url, "", Arc::new(local::SystemIds)).unwrap();
            let begun = std::time::Instant::now();
            let answer = redis.ping().await;
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
            let begun = std::time::Instant::now();
            assert!(redis.ping().await.is_err());
            assert!(begun.elapsed() < Duration::from_millis(50), "the breaker fails fast");
        }
    }
}
