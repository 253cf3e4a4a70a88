//! What happens to the database, and on the way there.

use std::time::{Duration, Instant};

use fastrand::Rng;
use sqlx::{AssertSqlSafe, Executor};
use testkit::{Cut, Wire};

use super::{Done, Fault};
use crate::Failure;
use crate::cli::Pace;
use crate::site::{DATABASE, Site};

/// What a backup is restored into.
const RESTORED: &str = "restored";

pub(super) async fn strike(fault: Fault, site: &Site, pace: Pace, rng: &mut Rng) -> Result<Done, Failure> {
    match fault {
        Fault::BackupRestored => back_up(site).await,
        Fault::DatabaseCutAtBegin => cut(site, pace, b"BEGIN", Cut::Before).await,
        Fault::DatabaseCutBeforeCommit => cut(site, pace, b"COMMIT", Cut::Before).await,
        Fault::DatabaseCutAfterCommit => cut(site, pace, b"COMMIT", Cut::After).await,
        Fault::DatabaseConnectionsKilled => kill_connections(site, pace, rng).await,
        Fault::DatabaseDeadlocks => deadlock(site, pace).await,
        Fault::DatabaseRowHeld => hold_row(site, pace.seconds(6, 60)).await,
        Fault::DatabaseStatementsScarce => {
            let limit = "max_prepared_stmt_count";
            set(site, limit, "64", "16382", pace.seconds(4, 10)).await
        }
        Fault::DatabaseReadOnly => set(site, "super_read_only", "ON", "OFF", pace.seconds(4, 10)).await,
        Fault::DatabaseSilent => {
            let time = pace.seconds(6, 30);
            site.set_mysql(Wire::Silent);
            tokio::time::sleep(time).await;
            site.set_mysql(Wire::Whole);
            Ok(format!("nothing passes for {time:?}").into())
        }
        Fault::DatabaseStopped => {
            let time = pace.seconds(5, 10);
            site.mysql.pause().await?;
            tokio::time::sleep(time).await;
            site.mysql.go_on().await?;
            Ok(format!("frozen for {time:?}").into())
        }
        Fault::DatabaseKilled => {
            site.mysql.kill().await?;
            site.mysql.start_again().await?;
            until_mysql_answers(site).await?;
            Ok("killed, and a start from what is on the disk".to_owned().into())
        }
        _ => {
            let time = pace.seconds(4, 15);
            site.instances[1].mysql.set(Wire::Down);
            tokio::time::sleep(time).await;
            site.instances[1].mysql.set(Wire::Whole);
            Ok(format!("refused for {time:?}, the others are well").into())
        }
    }
}

/// Takes a backup while everybody buys, restores it beside, and audits what was restored.
async fn back_up(site: &Site) -> Result<Done, Failure> {
    let complaints = match site.mysql.copy(DATABASE, RESTORED).await? {
        Some(said) => vec![said],
        None => site.audit_of(RESTORED).await?,
    };
    let orders: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM restored.orders").fetch_one(&site.db).await?;
    site.db.execute("DROP DATABASE restored").await?;
    Ok(Done { what: format!("mysqldump, mysql, jumun audit: {orders} orders"), complaints })
}

/// Cuts connections whenever they send certain bytes, some times on each wire.
async fn cut(site: &Site, pace: Pace, bytes: &'static [u8], when: Cut) -> Result<Done, Failure> {
    let times = if pace == Pace::Short { 5 } else { 40 };
    site.members().for_each(|member| member.mysql.cut_at(bytes, when, times));
    let begun = Instant::now();
    let to_come = || site.members().map(|member| member.mysql.cuts_to_come()).sum::<u32>();
    while to_come() > 0 && begun.elapsed() < pace.seconds(5, 30) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = u32::try_from(site.members().count()).unwrap_or_default() * times;
    let cuts = all - to_come();
    // What is left would strike in the middle of the next fault.
    site.members().for_each(|member| member.mysql.forget_cuts());
    Ok(Done::times(cuts as usize, format!("{cuts} times")))
}

/// Kills connections of the service by their numbers, as an operator does.
async fn kill_connections(site: &Site, pace: Pace, rng: &mut Rng) -> Result<Done, Failure> {
    const OTHERS: &str = "SELECT processlist_id FROM performance_schema.threads \
        WHERE processlist_db = 'jumun' AND processlist_id <> CONNECTION_ID()";
    let (begun, mut killed) = (Instant::now(), 0);
    let mut own = site.db.acquire().await?;
    while begun.elapsed() < pace.seconds(4, 15) {
        let ids: Vec<u64> = sqlx::query_scalar(OTHERS).fetch_all(&mut *own).await?;
        if let Some(id) = rng.choice(&ids) {
            // It may have ended by itself.
            let kill = sqlx::raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&mut *own).await;
            killed += usize::from(kill.is_ok());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Done::times(killed, format!("{killed} connections")))
}

/// Locks products in the order opposite to the service's, again and again.
async fn deadlock(site: &Site, pace: Pace) -> Result<Done, Failure> {
    let (begun, mut met) = (Instant::now(), 0);
    while begun.elapsed() < pace.seconds(4, 15) {
        let mut tx = site.db.begin().await?;
        let lock = "SELECT id FROM products ORDER BY id DESC FOR UPDATE";
        let wallets = "SELECT user_id FROM wallets ORDER BY user_id DESC FOR UPDATE";
        for sql in [lock, wallets] {
            if sqlx::query(sql).fetch_all(&mut *tx).await.is_err() {
                met += 1;
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tx.rollback().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let done = format!("products before wallets, backwards; the other client lost {met} times");
    Ok(Done::times(met, done))
}

async fn hold_row(site: &Site, time: Duration) -> Result<Done, Failure> {
    let mut tx = site.db.begin().await?;
    sqlx::query("SELECT id FROM products WHERE stock > 500000 ORDER BY id LIMIT 1 FOR UPDATE")
        .fetch_all(&mut *tx)
        .await?;
    tokio::time::sleep(time).await;
    tx.rollback().await?;
    Ok(format!("FOR UPDATE held for {time:?}").into())
}

/// Sets a variable of the server for a while.
async fn set(site: &Site, name: &str, value: &str, usual: &str, time: Duration) -> Result<Done, Failure> {
    let set = async |value: &str| {
        let sql = AssertSqlSafe(format!("SET GLOBAL {name} = {value}"));
        site.db.execute(sqlx::raw_sql(sql)).await
    };
    set(value).await?;
    // Connections that are there keep what they have prepared.
    site.members().for_each(|member| member.mysql.cut());
    tokio::time::sleep(time).await;
    set(usual).await?;
    Ok(format!("{name} = {value} for {time:?}").into())
}

/// Waits until the server takes connections again.
async fn until_mysql_answers(site: &Site) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        match site.db.execute("SELECT 1").await {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() > Duration::from_mins(1) => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
