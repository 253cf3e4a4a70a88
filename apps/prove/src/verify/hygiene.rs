//! What is left behind: connections, transactions, memory, and what the logs say.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use super::Check;
use crate::Failure;
use crate::client::Request;
use crate::load::Load;
use crate::site::{INSTANCES, POOL, Site, WORKERS};

/// The most memory that a process may ever have had, in MiB.
const MEMORY: u64 = 256;
/// How many statements all processes may keep prepared: 200 a connection (ADR-042).
const STATEMENTS: u64 = (INSTANCES + WORKERS) as u64 * POOL as u64 * 200;
/// How soon all connections of a pool have to be at work.
const BURST: Duration = Duration::from_secs(2);
/// What must not be in a log: of the buyers' data, and of a program that fell over.
const SECRETS: [&str; 4] = ["@drill.example", "a long password", "panicked at", "Buyer 1"];

/// Nothing was answered that must never be.
pub(super) fn answers(load: &Load) -> Check {
    let complaints = load.history.faults();
    let tally = load.history.tally(Duration::ZERO..Duration::MAX);
    let seen = format!("{:?}, the slowest after {:.1?}", tally.statuses, tally.slowest);
    Check::new("no 5xx but 503, and each of those says when to come back", seen, complaints)
}

/// Every pool hands out all its connections: as many charges as there are wait at the same time for wallets that
/// somebody else has locked.
pub(super) async fn pools(site: &Site, load: &Load) -> Result<Check, Failure> {
    const WAITING: &str =
        "SELECT COUNT(DISTINCT requesting_engine_transaction_id) FROM performance_schema.data_lock_waits";
    let mut complaints = Vec::new();
    for instance in &site.instances {
        let mut tx = site.db.begin().await?;
        sqlx::query("SELECT user_id FROM wallets FOR UPDATE").fetch_all(&mut *tx).await?;
        let charges = load.shop.buyers.iter().take(POOL as usize).map(|user| {
            let charge = Request::post("/wallets/charge", *user, &json!({"amount": 1_000}));
            async move { load.client.send_to(instance.process.addr(), &charge).await }
        });
        let unlock = async {
            let begun = Instant::now();
            let mut most = 0;
            while most < i64::from(POOL) && begun.elapsed() < BURST {
                most = most.max(sqlx::query_scalar(WAITING).fetch_one(&site.db).await?);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tx.rollback().await?;
            Ok::<_, Failure>(most)
        };
        let (answers, most) = tokio::join!(join_all(charges), unlock);
        let (most, failed) = (most?, answers.iter().filter(|answer| answer.status() != Some(200)).count());
        if most < i64::from(POOL) || failed > 0 {
            let name = instance.process.name();
            complaints
                .push(format!("{name}: {most} of {POOL} connections were at work, {failed} charges failed"));
        }
    }
    let seen = format!("{POOL} charges that wait at once on each");
    Ok(Check::new("every pool hands out all its connections", seen, complaints))
}

/// The database has no transaction that was forgotten, and not too many statements.
pub(super) async fn database(site: &Site) -> Result<Check, Failure> {
    let open =
        "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_started < NOW() - INTERVAL 5 SECOND";
    let open: i64 = sqlx::query_scalar(open).fetch_one(&site.db).await?;
    let count = "SELECT CAST(VARIABLE_VALUE AS UNSIGNED) FROM performance_schema.global_status \
        WHERE VARIABLE_NAME = 'Prepared_stmt_count'";
    let statements: u64 = sqlx::query_scalar(count).fetch_one(&site.db).await?;
    let mut complaints = Vec::new();
    if open > 0 {
        complaints.push(format!("{open} transactions are open"));
    }
    if statements > STATEMENTS {
        complaints.push(format!("{statements} prepared statements"));
    }
    let seen = format!("{statements} prepared statements");
    Ok(Check::new("no transaction is forgotten, and statements are within their budget", seen, complaints))
}

/// No process took more and more memory.
pub(super) fn memory(site: &Site) -> Check {
    let (mut complaints, mut seen) = (Vec::new(), Vec::new());
    for member in site.members() {
        let Some(peak) = member.process.peak_memory() else {
            complaints.push(format!("{} is gone", member.process.name()));
            continue;
        };
        seen.push(format!("{peak} MiB"));
        if peak > MEMORY {
            complaints.push(format!("{} took {peak} MiB", member.process.name()));
        }
    }
    Check::new("memory stays bounded", seen.join(", "), complaints)
}

/// The logs have nobody's data, and no panic.
pub(super) fn logs(site: &Site) -> Result<Check, Failure> {
    let (mut complaints, mut lines) = (Vec::new(), 0);
    for member in site.members() {
        let log = member.process.log()?;
        lines += log.lines().count();
        for secret in SECRETS {
            let found = log.lines().filter(|line| line.contains(secret)).count();
            if found > 0 {
                complaints.push(format!("{}: {found} lines with {secret:?}", member.process.name()));
            }
        }
    }
    let seen = format!("{lines} lines");
    Ok(Check::new("logs tell of no panic and nothing of the buyers", seen, complaints))
}
