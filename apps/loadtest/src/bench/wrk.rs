//! The same load by wrk, where it is installed: how much of the throughput is our own client's doing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::process::Command;

use super::{Bench, Measured, keys, say};
use crate::Failure;
use crate::load::sample::{Latency, Summary};
use crate::site::service::Service;

/// The script with which earlier figures were measured.
const SCRIPT: &str = include_str!("../../../../docs/performance/orders.lua");

/// Runs it; does nothing where there is no wrk.
pub(super) async fn run(
    bench: &mut Bench,
    service: &Service,
    connections: usize,
    time: Duration,
) -> Result<(), Failure> {
    let folder = &bench.site.folder;
    for (name, text) in ["users.txt", "products.txt"].into_iter().zip(bench.shop.lists()) {
        std::fs::write(folder.join(name), text)?;
    }
    std::fs::write(folder.join("orders.lua"), SCRIPT)?;
    let mut command = Command::new("wrk");
    command.args(["-t", "1", "-c", &connections.to_string(), "-d", &format!("{}s", time.as_secs())]);
    command.args(["-s", "orders.lua", &format!("http://{}", service.addr)]).current_dir(folder);
    let Ok(output) = command.output().await else {
        say("no wrk here to compare with");
        return Ok(());
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let load = format!("closed loop, {connections} connections of wrk");
    let measured = Measured::new(
        keys::WRK,
        "orders of 2 products, by wrk",
        load,
        read(&said, time.as_secs_f64()),
        Vec::new(),
    );
    say(&format!("{}: {}", measured.title, measured.load));
    say(&measured.line());
    bench.outcome.measured.push(measured);
    Ok(())
}

/// Reads what the script prints.
fn read(said: &str, seconds: f64) -> Summary {
    let mut statuses = BTreeMap::new();
    let mut latency = Latency::default();
    for line in said.lines() {
        let words: Vec<&str> = line.split([' ', ':', ',']).filter(|word| !word.is_empty()).collect();
        match words[..] {
            ["status", status, count, ..] => {
                statuses.extend(status.parse::<u16>().ok().zip(count.parse::<u64>().ok()));
            }
            ["p50", p50, "ms", "p99", p99, "ms"] => {
                latency.p50 = p50.parse().unwrap_or_default();
                latency.p99 = p99.parse().unwrap_or_default();
            }
            _ => {}
        }
    }
    let ok = statuses.iter().filter(|(status, _)| (200..300).contains(*status)).map(|(_, count)| count).sum();
    Summary { seconds, requests: statuses.values().sum(), ok, statuses, latency, timeline: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_script_prints() {
        let summary = read(
            "Running 3s test\nstatus 201: 900, 300/s\nstatus 503: 100, 33/s\np50 12.5 ms, p99 80.1 ms\n",
            3.0,
        );
        assert_eq!((summary.requests, summary.ok), (1_000, 900));
        assert!((summary.ok_per_second() - 300.0).abs() < 1e-9);
        assert!((summary.latency.p99 - 80.1).abs() < 1e-9);
    }
}
