//! The page of a run.

use std::fmt::Write;

use super::chart::{Line, bars, lines};
use super::html::{Cell, document, escape, table};
use crate::bench::{Measured, Outcome, keys, thousands};
use crate::load::sample::Second;
use crate::site::processes::GENERATOR;

/// Writes the page.
pub(crate) fn of(outcome: &Outcome) -> String {
    let database = if outcome.embedded { "SQLite" } else { "MySQL and Redis" };
    let mut body = format!("<p>Run on {database}, {}.</p>\n", escape(outcome.pace));
    body += "<p>Everything shares one machine: service, databases and the generator of the load. Trust the ratios.</p>\n";
    body += "<h2>Targets</h2>\n";
    body += &targets(outcome);
    body += "<h2>All loads</h2>\n";
    body += &overview(outcome);
    body += "<h2>What the generator takes</h2>\n";
    body += &generators(outcome);
    body += "<h2>Each load</h2>\n";
    for measured in &outcome.measured {
        body += &details(measured);
    }
    document("Jumun under load", &body)
}

fn targets(outcome: &Outcome) -> String {
    let rows: Vec<Vec<Cell>> = (outcome.targets.iter())
        .map(|target| {
            vec![
                Cell::Text(target.what.to_owned()),
                Cell::Number(target.hoped.clone()),
                Cell::Number(target.measured.clone()),
                Cell::Verdict(target.met, if target.met { "met" } else { "missed" }.to_owned()),
            ]
        })
        .collect();
    table(&["what", "target", "measured", ""], &rows)
}

fn overview(outcome: &Outcome) -> String {
    let heads = [
        "load",
        "how",
        "ok/s",
        "other/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "orders a set",
        "CPU µs, servers",
        "CPU µs, generator",
        "audit",
    ];
    let rows: Vec<Vec<Cell>> = (outcome.measured.iter())
        .map(|measured| {
            let summary = &measured.summary;
            let latency = &summary.latency;
            let others = summary.statuses.keys().filter(|status| !(200..300).contains(*status));
            let others: f64 = others.map(|status| summary.status_per_second(*status)).sum();
            let sets = measured.set_sizes.as_ref().map(|sizes| format!("{:.1}", sizes.mean()));
            vec![
                Cell::Text(measured.title.clone()),
                Cell::Text(measured.load.clone()),
                Cell::Number(thousands(summary.ok_per_second())),
                Cell::Number(thousands(others)),
                Cell::Number(format!("{:.1}", latency.p50)),
                Cell::Number(format!("{:.1}", latency.p99)),
                Cell::Number(format!("{:.1}", latency.p999)),
                Cell::Number(sets.unwrap_or_default()),
                Cell::Number(micros(measured.servers_micros_a_request())),
                Cell::Number(micros(measured.micros_a_request(GENERATOR))),
                audit(measured),
            ]
        })
        .collect();
    table(&heads, &rows)
}

/// Writes microseconds; a dash where nobody was watched.
fn micros(micros: Option<f64>) -> String {
    micros.map_or_else(|| "–".to_owned(), thousands)
}

fn audit(measured: &Measured) -> Cell {
    match &measured.audit {
        None => Cell::Text("–".into()),
        Some(audit) if audit.is_clean() => Cell::Verdict(true, format!("{} hold", audit.checks.len())),
        Some(audit) => {
            let broken: Vec<String> =
                audit.broken().map(|check| format!("{} ({})", check.name, check.violations)).collect();
            Cell::Verdict(false, broken.join(", "))
        }
    }
}

/// Compares what the same load costs to make.
fn generators(outcome: &Outcome) -> String {
    let clients = [
        (keys::ORDERS, "the lean client"),
        (keys::GOOSE, "goose"),
        (keys::WRK, "wrk"),
        (keys::ORDERS_AGAIN, "the lean client, once more"),
    ];
    let rows: Vec<Vec<Cell>> = (clients.into_iter())
        .filter_map(|(key, name)| {
            let measured = outcome.get(key)?;
            Some(vec![
                Cell::Text(name.to_owned()),
                Cell::Number(format!("{:.0}", measured.summary.ok_per_second())),
                Cell::Number(format!("{:.1}", measured.summary.latency.p50)),
                Cell::Number(format!("{:.1}", measured.summary.latency.p99)),
                Cell::Number(micros(measured.micros_a_request(GENERATOR))),
            ])
        })
        .collect();
    let note = "<p>Orders of 2 products from 256 connections. The targets are about the lean client. Where its two figures differ, that much of the other differences is drift of the machine.</p>\n";
    note.to_owned() + &table(&["client", "orders/s", "p50 ms", "p99 ms", "own CPU µs a request"], &rows)
}

fn details(measured: &Measured) -> String {
    let summary = &measured.summary;
    let mut text = format!("<h3>{}</h3>\n<p>{}</p>\n", escape(&measured.title), escape(&measured.load));
    let statuses: Vec<String> = (summary.statuses.iter())
        .map(
            |(status, count)| {
                if *status == 0 { format!("no answer: {count}") } else { format!("{status}: {count}") }
            },
        )
        .collect();
    let _ = writeln!(
        text,
        "<p>{} requests in {:.1} s; {}.</p>",
        summary.requests,
        summary.seconds,
        statuses.join(", ")
    );
    if !measured.rejections.is_empty() {
        let codes: Vec<String> =
            measured.rejections.iter().map(|(code, count)| format!("{code}: {count}")).collect();
        let _ = writeln!(text, "<p>Rejections: {}.</p>", escape(&codes.join(", ")));
    }
    let costs: Vec<String> = (measured.usage.iter())
        .filter_map(|usage| Some(format!("{} {:.0}", usage.name, measured.micros_a_request(&usage.name)?)))
        .collect();
    if !costs.is_empty() {
        let _ = writeln!(text, "<p>CPU µs a request: {}.</p>", escape(&costs.join(", ")));
    }
    text + &charts(measured)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a second")]
fn charts(measured: &Measured) -> String {
    // The last second is not a whole one.
    let timeline = &measured.summary.timeline;
    let whole = &timeline[..timeline.len().saturating_sub(1)];
    let over_time = |name: &str, value: fn(&Second) -> f64| Line::even(name, whole.iter().map(value));
    let mut charts = String::new();
    if whole.len() > 1 {
        let latency = [over_time("p50", |second| second.p50), over_time("p99", |second| second.p99)];
        charts += &lines("latency, ms", "s", &latency, false);
        let rates = [
            over_time("ok", |second| second.ok as f64),
            over_time("rejected", |second| second.rejected as f64),
        ];
        charts += &lines("answers a second", "s", &rates, false);
    }
    let latency = &measured.summary.latency;
    let percentiles = [
        ("p50", latency.p50),
        ("p90", latency.p90),
        ("p99", latency.p99),
        ("p99.9", latency.p999),
        ("max", latency.max),
    ];
    charts += &bars("percentiles, ms", &percentiles.map(|(name, value)| (name.to_owned(), value)));
    if let Some(sizes) = &measured.set_sizes {
        charts += &bars("sets by their number of orders, up to", &sizes.buckets);
    }
    let usage: Vec<Line> =
        measured.usage.iter().map(|usage| Line::even(&usage.name, usage.timeline.iter().copied())).collect();
    if usage.iter().any(|line| line.points.len() > 1) {
        charts += &lines("cores in use", "s", &usage, false);
    }
    format!("<div class=\"charts\">{charts}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Pace;
    use crate::load::sample::{Sample, Summary};

    #[test]
    fn the_page_has_everything_and_needs_nothing_else() {
        let samples: Vec<Sample> =
            (0..40).map(|n| Sample { at: n * 100, micros: 900, status: 201 }).collect();
        let mut outcome = Outcome::new(Pace::Quick, false);
        outcome.measured = vec![Measured::new(
            keys::ORDERS,
            "orders",
            "closed loop".into(),
            Summary::of(&samples),
            Vec::new(),
        )];
        let page = of(&outcome);
        for part in ["<h3>orders</h3>", "latency, ms", "answers a second", "percentiles, ms", "201: 40"] {
            assert!(page.contains(part), "{part}");
        }
        for outside in ["http://", "https://", "<script", "<link", "src="] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
