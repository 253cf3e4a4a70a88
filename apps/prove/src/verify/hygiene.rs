//! What is left behind: connections, transactions, memory, and what the logs say.

use std::time::Duration;

use futures_util::future::join_all;

use super::Check;
use crate::Failure;
use crate::client::Request;
use crate::load::Load;
use crate::site::{POOL, Site};

/// The most memory that a process may ever have had, in MiB.
const MEMORY: u64 = 256;
/// How long a burst of twice as many reads as there are connections may take.
const BURST: Duration = Duration::from_secs(2);
/// What must not be in a log: of the buyers' data, and of a program that fell over.
const SECRETS: [&str; 4] = ["@drill.example", "a long password", "panicked at", "Buyer 1"];

/// Nothing was answered that must never be.
pub(super) fn answers(load: &Load) -> Check {
    let complaints = load.history.faults();
    let tally = load.history.tally(Duration::ZERO, Duration::MAX);
    let seen = format!("{:?}, the slowest after {:.1?}", tally.statuses, tally.slowest);
    Check::new("no 5xx but 503, and each of those says when to come back", seen, complaints)
}

/// Every pool hands out all its connections.
pub(super) async fn pools(site: &Site, load: &Load) -> Result<Check, Failure> {
    let mut complaints = Vec::new();
    for instance in &site.instances {
        let begun = std::time::Instant::now();
        let reads = load.shop.buyers.iter().cycle().take(2 * POOL as usize).enumerate();
        let reads = reads.map(async |(number, user)| {
            let request = Request::get(format!("/orders?size={}", number + 1), *user);
            load.client.send_to(instance.process.addr(), &request).await
        });
        let answers = join_all(reads).await;
        let failed = answers.iter().filter(|answer| answer.status() != Some(200)).count();
        let (name, took) = (instance.process.name(), begun.elapsed());
        if failed > 0 || took > BURST {
            complaints.push(format!("{name}: {failed} of {} failed, after {took:.1?}", answers.len()));
        }
    }
    let seen = format!("{} reads at once on each", 2 * POOL);
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
    if statements > 16_382 {
        complaints.push(format!("{statements} prepared statements"));
    }
    let seen = format!("{statements} prepared statements");
    Ok(Check::new("no transaction is forgotten, and statements are within their budget", seen, complaints))
}

/// No process took more and more memory.
pub(super) fn memory(site: &Site) -> Check {
    let (mut complaints, mut seen) = (Vec::new(), Vec::new());
    for member in site.members() {
        let Some(peak) = member.process.id().and_then(peak_memory) else {
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

fn peak_memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib / 1_024)
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
