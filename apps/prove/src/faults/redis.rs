//! What happens to Redis, which only helps.

use std::time::Duration;

use testkit::Wire;

use super::Fault;
use crate::Failure;
use crate::cli::Pace;
use crate::site::Site;

pub(super) async fn strike(fault: Fault, site: &Site, pace: Pace) -> Result<String, Failure> {
    let time = pace.seconds(4, 15);
    match fault {
        Fault::RedisDown => {
            site.set_redis(Wire::Down);
            tokio::time::sleep(time).await;
            site.set_redis(Wire::Whole);
            Ok(format!("refused for {time:?}"))
        }
        Fault::RedisLate => {
            site.set_redis(Wire::Late(Duration::from_millis(800)));
            tokio::time::sleep(time).await;
            site.set_redis(Wire::Whole);
            Ok(format!("each answer for {time:?}"))
        }
        Fault::RedisKilled => {
            site.redis.kill().await;
            tokio::time::sleep(pace.seconds(1, 10)).await;
            site.redis.start_again().await;
            tokio::time::sleep(time).await;
            Ok("kill -9, and a start with nothing".into())
        }
        Fault::RedisRolledBack => {
            let forgotten = forget_claims(site).await?;
            tokio::time::sleep(time).await;
            Ok(format!("{forgotten} gates forget half of their holders"))
        }
        _ => {
            site.redis.command(&["FLUSHALL"]).await;
            tokio::time::sleep(time).await;
            Ok("FLUSHALL".into())
        }
    }
}

/// Takes half of those who hold a piece out of each gate, as a replica does that was behind when it took
/// over. Returns how many gates there were.
async fn forget_claims(site: &Site) -> Result<usize, Failure> {
    let client = redis::Client::open(site.redis.url())?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    let keys: Vec<String> = redis::cmd("KEYS").arg("jumun:*").query_async(&mut connection).await?;
    let mut gates = 0;
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await?;
        if kind == "set" {
            let holders: usize = redis::cmd("SCARD").arg(&key).query_async(&mut connection).await?;
            let _: Vec<Vec<u8>> =
                redis::cmd("SPOP").arg(&key).arg(holders / 2).query_async(&mut connection).await?;
            gates += 1;
        }
    }
    Ok(gates)
}
