//! What was hoped for, and whether it was reached: ratios within one run, since machines differ.

use serde::Serialize;

use super::{Outcome, keys};
use crate::load::sample::NO_ANSWER;

/// A target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Target {
    /// What is compared.
    pub(crate) what: &'static str,
    /// What was hoped for.
    pub(crate) hoped: String,
    /// What was measured, with what it was computed from.
    pub(crate) measured: String,
    /// Whether it was reached.
    pub(crate) met: bool,
}

/// Compares what was measured; leaves out what was not.
pub(crate) fn of(outcome: &Outcome) -> Vec<Target> {
    let rate = |key: &str| outcome.get(key).map(|measured| measured.summary.ok_per_second());
    let p99 = |key: &str| outcome.get(key).map(|measured| measured.summary.latency.p99);
    // The limit is the better of two, so that somebody else's work does not lower it.
    let limit = rate(keys::RAW).map(|first| rate(keys::RAW_AGAIN).map_or(first, |second| first.max(second)));
    let losers = outcome.get(keys::CLAIMS).map(|measured| measured.summary.status_per_second(409));
    let refusals = outcome.get(keys::CLAIMS_BARE).map(|measured| measured.summary.status_per_second(409));
    let ratios = [
        ("orders/s over HTTP, 256 connections, of raw statements in sets", rate(keys::ORDERS), limit, 0.5),
        (
            "orders/s over HTTP, of those with a transaction each",
            rate(keys::ORDERS),
            rate(keys::ORDERS_ALONE),
            5.0,
        ),
        ("orders/s of one product, of those of random products", rate(keys::FLASH), rate(keys::ORDERS), 0.9),
        ("orders/s when ten times as many come, of the most", rate(keys::OVERLOAD), rate(keys::ORDERS), 0.8),
        ("coupon claims that lose, of the same answers from memory", losers, refusals, 0.3),
        ("pages of 20 products, of the same bytes from memory", rate(keys::PAGE), rate(keys::PAGE_BARE), 0.4),
    ];
    let mut targets: Vec<Target> = ratios
        .into_iter()
        .filter_map(|(what, part, whole, least)| ratio(what, part?, whole?, least))
        .collect();
    let unanswered =
        outcome.get(keys::OVERLOAD).map(|measured| measured.summary.status_per_second(NO_ANSWER));
    let mean = |key: &str| outcome.get(key).map(|measured| measured.summary.latency.mean);
    let at_most = [
        ("mean of an order, 200 users", mean(keys::PLAN_ORDERS), 500.0, "ms"),
        ("mean of a page of products, 500 users", mean(keys::PLAN_PRODUCTS), 200.0, "ms"),
        ("mean of a claim, 1,000 users", mean(keys::PLAN_CLAIMS), 300.0, "ms"),
        ("p99 of an order at 256 connections", p99(keys::ORDERS), 150.0, "ms"),
        ("p99 of an order at a tenth of that rate", p99(keys::TENTH), 15.0, "ms"),
        ("requests that nobody answered when ten times as many came", unanswered, 0.0, "a second"),
        ("p99 of an order right after ten times as many came", p99(keys::RECOVERED), 1_000.0, "ms"),
        ("memory of the service at its peak", outcome.peak_memory, 150.0, "MiB"),
    ];
    targets.extend(at_most.into_iter().filter_map(|(what, measured, most, unit)| {
        let measured = measured?;
        Some(Target {
            what,
            hoped: format!("≤ {most:.0} {unit}"),
            measured: format!("{measured:.1} {unit}"),
            met: measured <= most,
        })
    }));
    targets.extend(outcome.coupons.map(|(issued, quantity)| Target {
        what: "pieces of a coupon that were issued",
        hoped: quantity.to_string(),
        measured: issued.to_string(),
        met: issued == quantity,
    }));
    let embedded = if outcome.embedded { keys::ORDERS } else { keys::EMBEDDED };
    targets.extend(rate(embedded).map(|rate| Target {
        what: "orders/s embedded, on SQLite",
        hoped: "≥ 2,000".into(),
        measured: thousands(rate),
        met: rate >= 2_000.0,
    }));
    targets
}

fn ratio(what: &'static str, part: f64, whole: f64, least: f64) -> Option<Target> {
    if whole <= 0.0 {
        return None;
    }
    let ratio = part / whole;
    let written =
        |ratio: f64| if least < 2.0 { format!("{:.0} %", ratio * 100.0) } else { format!("{ratio:.1} ×") };
    Some(Target {
        what,
        hoped: format!("≥ {}", written(least)),
        measured: format!("{} ({} of {})", written(ratio), thousands(part), thousands(whole)),
        met: ratio >= least,
    })
}

/// Writes a number without decimals, its thousands apart.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are small and not negative"
)]
pub(crate) fn thousands(number: f64) -> String {
    let digits = (number.max(0.0).round() as u64).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::{Measured, Pace};
    use super::*;
    use crate::load::sample::Summary;

    fn measured(key: &'static str, ok: u64, p99: f64) -> Measured {
        let mut summary = Summary { ok, seconds: 1.0, ..Summary::default() };
        summary.latency.p99 = p99;
        Measured { key, summary, ..Measured::default() }
    }

    #[test]
    fn ratios_are_of_one_run() {
        let mut outcome = Outcome::new(Pace::Quick, false);
        outcome.measured = vec![
            measured(keys::RAW, 10_000, 0.0),
            measured(keys::ORDERS, 4_900, 151.0),
            measured(keys::ORDERS_ALONE, 700, 0.0),
            measured(keys::TENTH, 490, 14.0),
        ];
        outcome.peak_memory = Some(80.0);
        outcome.coupons = Some((99, 100));
        let targets = of(&outcome);
        let met: Vec<_> = targets.iter().map(|target| (target.measured.as_str(), target.met)).collect();
        let expected = [
            ("49 % (4,900 of 10,000)", false),
            ("7.0 × (4,900 of 700)", true),
            ("151.0 ms", false),
            ("14.0 ms", true),
            ("80.0 MiB", true),
            ("99", false),
        ];
        assert_eq!(met, expected);
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        assert_eq!(of(&Outcome::new(Pace::Quick, true)), []);
        assert_eq!(ratio("x", 1.0, 0.0, 0.5), None);
    }

    #[test]
    fn thousands_are_apart() {
        for (number, text) in [(0.0, "0"), (999.6, "1,000"), (12.3, "12"), (1_234_567.0, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
