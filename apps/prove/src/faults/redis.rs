//! What happens to Redis, which only helps.

use std::time::{Duration, Instant};

use testkit::Wire;

use super::{Done, Fault};
use crate::Failure;
use crate::cli::Pace;
use crate::shop::PIECES;
use crate::site::Site;

pub(super) async fn strike(fault: Fault, site: &Site, pace: Pace) -> Result<Done, Failure> {
    let time = pace.seconds(4, 15);
    match fault {
        Fault::RedisDown => {
            site.set_redis(Wire::Down);
            tokio::time::sleep(time).await;
            site.set_redis(Wire::Whole);
            Ok(format!("refused for {time:?}").into())
        }
        Fault::RedisLate => {
            site.set_redis(Wire::Late(Duration::from_millis(800)));
            tokio::time::sleep(time).await;
            site.set_redis(Wire::Whole);
            Ok(format!("each answer for {time:?}").into())
        }
        Fault::RedisKilled => {
            until_rush(site).await?;
            site.redis.kill().await;
            tokio::time::sleep(pace.seconds(1, 10)).await;
            site.redis.start_again().await;
            tokio::time::sleep(time).await;
            Ok("killed, and a start with nothing".to_owned().into())
        }
        Fault::RedisRolledBack => {
            until_rush(site).await?;
            let forgotten = forget_claims(site).await?;
            tokio::time::sleep(time).await;
            Ok(Done::times(forgotten, format!("{forgotten} gates forget half of their holders")))
        }
        _ => {
            until_rush(site).await?;
            site.redis.command(&["FLUSHALL"]).await;
            tokio::time::sleep(time).await;
            Ok("FLUSHALL, once a quarter of the pieces was issued".to_owned().into())
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

/// Waits until a quarter of the newest coupon's pieces is issued, so that the gate stands and has holders.
async fn until_rush(site: &Site) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let newest = "SELECT issued FROM coupons ORDER BY created_at DESC LIMIT 1";
        let issued: i64 = sqlx::query_scalar(newest).fetch_one(&site.db).await?;
        if usize::try_from(issued).is_ok_and(|issued| issued * 4 >= PIECES) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(20) {
            let said = format!("{issued} pieces after 20 s");
            return Err(Failure::Process { what: "a rush".to_owned(), said });
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
