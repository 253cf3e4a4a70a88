//! The page of a growth run.

use super::{Growth, ORDERS, Point, READS};
use crate::bench::thousands;
use crate::report::chart::{Line, lines};
use crate::report::html::{Cell, document, table};

/// Writes the page.
#[expect(clippy::cast_precision_loss, reason = "counts and sizes")]
pub(crate) fn of(growth: &Growth) -> String {
    let sizes = growth.bytes.iter().map(|(orders, _)| *orders).collect::<Vec<_>>();
    let of_one = |what: &'static str, orders: u64| {
        growth
            .points
            .iter()
            .filter(move |point| point.what == what && point.orders == orders && point.instances == 1)
    };
    let by_connections = |value: fn(&Point) -> f64| -> Vec<Line> {
        let line = |orders: &u64| Line {
            name: format!("{} orders", thousands(*orders as f64)),
            points: of_one(ORDERS, *orders).map(|point| (point.connections as f64, value(point))).collect(),
        };
        sizes.iter().map(line).collect()
    };
    let by_instances: Vec<Line> = (sizes.iter())
        .map(|orders| {
            let at = growth.points.iter().filter(|point| {
                point.what == ORDERS && point.orders == *orders && point.connections == super::CONNECTIONS
            });
            let points = at.map(|point| (point.instances as f64, point.summary.ok_per_second())).collect();
            Line { name: format!("{} orders", thousands(*orders as f64)), points }
        })
        .collect();
    let reads: Vec<Line> = (READS.into_iter())
        .map(|what| Line {
            name: what.to_owned(),
            points: sizes
                .iter()
                .flat_map(|orders| {
                    of_one(what, *orders).map(|point| (*orders as f64, point.summary.latency.p50))
                })
                .collect(),
        })
        .collect();
    let room = growth.bytes.iter().map(|&(orders, bytes)| (orders as f64, bytes as f64 / 1e6)).collect();
    let charts = [
        lines(
            "orders/s by connections",
            "connections, logarithmic",
            &by_connections(|p| p.summary.ok_per_second()),
            true,
        ),
        lines(
            "p99 ms by connections",
            "connections, logarithmic",
            &by_connections(|p| p.summary.latency.p99),
            true,
        ),
        lines("orders/s by instances, 256 connections", "instances", &by_instances, false),
        lines("p50 ms of reads by orders in the tables", "orders, logarithmic", &reads, true),
        lines(
            "MB of the tables",
            "orders, logarithmic",
            &[Line { name: "tables".into(), points: room }],
            true,
        ),
    ];
    let audits: Vec<String> = (growth.audits.iter())
        .map(|(orders, clean)| {
            format!(
                "{} orders: {}",
                thousands(*orders as f64),
                if *clean { "nothing is broken" } else { "BROKEN" }
            )
        })
        .collect();
    let body = format!(
        "<div class=\"charts\">{}</div>\n<p>Audits: {}.</p>\n<h2>All points</h2>\n{}",
        charts.concat(),
        audits.join("; "),
        points(&growth.points)
    );
    document("Jumun as it grows", &body)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn points(points: &[Point]) -> String {
    let rows: Vec<Vec<Cell>> = (points.iter())
        .map(|point| {
            let (summary, latency) = (&point.summary, &point.summary.latency);
            let cores: Vec<String> = (point.usage.iter())
                .map(|usage| format!("{} {:.2}", usage.name, usage.seconds / summary.seconds.max(0.001)))
                .collect();
            vec![
                Cell::Text(point.what.to_owned()),
                Cell::Number(thousands(point.orders as f64)),
                Cell::Number(point.instances.to_string()),
                Cell::Number(point.connections.to_string()),
                Cell::Number(thousands(summary.ok_per_second())),
                Cell::Number(format!("{:.1}", latency.p50)),
                Cell::Number(format!("{:.1}", latency.p99)),
                Cell::Number((summary.requests - summary.ok).to_string()),
                Cell::Text(cores.join(", ")),
            ]
        })
        .collect();
    let heads = [
        "what",
        "orders there",
        "instances",
        "connections",
        "ok/s",
        "p50 ms",
        "p99 ms",
        "not ok",
        "cores in use",
    ];
    table(&heads, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::sample::Summary;

    #[test]
    fn each_size_has_its_line() {
        let point = |orders, connections| Point {
            what: ORDERS,
            orders,
            instances: 1,
            connections,
            summary: Summary::default(),
            usage: Vec::new(),
        };
        let growth = Growth {
            points: vec![point(1_000, 1), point(1_000, 256), point(100_000, 1)],
            bytes: vec![(1_000, 1_000_000), (100_000, 90_000_000)],
            audits: vec![(1_000, true)],
        };
        let page = of(&growth);
        assert!(
            page.contains(">100,000 orders<") && page.contains("1,000 orders: nothing is broken"),
            "{page}"
        );
    }
}
