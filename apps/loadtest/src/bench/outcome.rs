//! What a run found out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Pace, Target};
use crate::load::sample::Summary;
use crate::site::processes::{GENERATOR, Usage};
use crate::site::prometheus::SetSizes;
use crate::site::service::Audit;

/// Measurements that targets are about.
pub(crate) mod keys {
    /// Orders of the 200 users of the plan.
    pub(crate) const PLAN_ORDERS: &str = "plan-orders";
    /// Pages for the 500 users of the plan.
    pub(crate) const PLAN_PRODUCTS: &str = "plan-products";
    /// Claims of the 1,000 users of the plan.
    pub(crate) const PLAN_CLAIMS: &str = "plan-claims";
    /// Orders of two products, from 256 connections.
    pub(crate) const ORDERS: &str = "orders";
    /// The same once more, after other clients: what drifts meanwhile is no client's doing.
    pub(crate) const ORDERS_AGAIN: &str = "orders-again";
    /// The same with a transaction for each order.
    pub(crate) const ORDERS_ALONE: &str = "orders-alone";
    /// Orders of one product, from 256 connections.
    pub(crate) const FLASH: &str = "flash";
    /// Orders at a tenth of the rate.
    pub(crate) const TENTH: &str = "orders-tenth";
    /// Ten times as many orders as there can be.
    pub(crate) const OVERLOAD: &str = "orders-overload";
    /// Orders at a tenth of the rate, right after that.
    pub(crate) const RECOVERED: &str = "orders-recovered";
    /// Claims of a coupon that is gone after 100.
    pub(crate) const CLAIMS: &str = "claims";
    /// The refusal of a claim, from memory.
    pub(crate) const CLAIMS_BARE: &str = "claims-bare";
    /// A page of 20 products.
    pub(crate) const PAGE: &str = "page";
    /// The same bytes, from memory.
    pub(crate) const PAGE_BARE: &str = "page-bare";
    /// Raw statements for orders of two products.
    pub(crate) const RAW: &str = "raw";
    /// The same once more at the end: the machine may have been busy.
    pub(crate) const RAW_AGAIN: &str = "raw-again";
    /// Raw statements for orders of one product.
    pub(crate) const RAW_FLASH: &str = "raw-flash";
    /// Raw statements for one order at a time: what an order waits for that has nobody to share with.
    pub(crate) const RAW_ALONE: &str = "raw-alone";
    /// Orders of two products, on SQLite.
    pub(crate) const EMBEDDED: &str = "embedded";
    /// Raw statements for orders of two products, on SQLite.
    pub(crate) const EMBEDDED_RAW: &str = "embedded-raw";
    /// Orders of two products, from 256 users of goose.
    pub(crate) const GOOSE: &str = "goose";
    /// Orders of two products, from 256 connections of wrk.
    pub(crate) const WRK: &str = "wrk";
}

/// One load and what it came to.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measured {
    /// What it is known by, see [`keys`].
    pub(crate) key: &'static str,
    /// What was done.
    pub(crate) title: String,
    /// How it was loaded.
    pub(crate) load: String,
    /// Answers and latencies.
    pub(crate) summary: Summary,
    /// Rejections by their code, as the service counts them.
    pub(crate) rejections: BTreeMap<String, u64>,
    /// Orders that shared a transaction.
    pub(crate) set_sizes: Option<SetSizes>,
    /// CPU time of each process.
    pub(crate) usage: Vec<Usage>,
    /// What the audit found afterwards.
    pub(crate) audit: Option<Audit>,
}

impl Measured {
    /// Begins with what was measured from outside.
    pub(crate) fn new(
        key: &'static str,
        title: &str,
        load: String,
        summary: Summary,
        usage: Vec<Usage>,
    ) -> Self {
        Self { key, title: title.to_owned(), load, summary, usage, ..Self::default() }
    }

    /// Returns the CPU time of a process for each request, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub(crate) fn micros_a_request(&self, process: &str) -> Option<f64> {
        let usage = self.usage.iter().find(|usage| usage.name == process)?;
        Some(usage.seconds * 1e6 / self.summary.requests.max(1) as f64)
    }

    /// Returns the CPU time of all processes but the generator for each request, in microseconds.
    pub(crate) fn servers_micros_a_request(&self) -> Option<f64> {
        let servers = self.usage.iter().filter(|usage| usage.name != GENERATOR);
        let micros: Vec<f64> = servers.filter_map(|usage| self.micros_a_request(&usage.name)).collect();
        (!micros.is_empty()).then(|| micros.iter().sum())
    }

    /// Says in a line what came of it.
    pub(crate) fn line(&self) -> String {
        let Summary { latency, statuses, .. } = &self.summary;
        let statuses: Vec<String> =
            statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        let sets = self.set_sizes.as_ref().map(|sizes| format!("; {:.1} orders a set", sizes.mean()));
        format!(
            "  {:.0} ok/s; p50 {:.1}, p99 {:.1} ms; {}{}",
            self.summary.ok_per_second(),
            latency.p50,
            latency.p99,
            statuses.join(", "),
            sets.unwrap_or_default()
        )
    }
}

/// Everything that a run found out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outcome {
    /// Whether it ran on SQLite, or on MySQL and Redis.
    pub(crate) embedded: bool,
    /// How long it took on purpose.
    pub(crate) pace: &'static str,
    /// All loads, in their order.
    pub(crate) measured: Vec<Measured>,
    /// The most memory that the service took, in MiB.
    pub(crate) peak_memory: Option<f64>,
    /// Pieces of the coupon that were issued, and how many there were.
    pub(crate) coupons: Option<(u64, u64)>,
    /// What was hoped for.
    pub(crate) targets: Vec<Target>,
}

impl Outcome {
    /// Begins with nothing.
    pub(crate) fn new(pace: Pace, embedded: bool) -> Self {
        Self {
            embedded,
            pace: if pace == Pace::Quick { "quick" } else { "full" },
            measured: Vec::new(),
            peak_memory: None,
            coupons: None,
            targets: Vec::new(),
        }
    }

    /// Returns a measurement.
    pub(crate) fn get(&self, key: &str) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.key == key)
    }

    /// Tells whether every audit was clean, and no coupon issued more often than it is there.
    pub(crate) fn is_sound(&self) -> bool {
        if self.coupons.is_some_and(|(issued, quantity)| issued != quantity) {
            return false;
        }
        let mut audits = self.measured.iter().filter_map(|measured| measured.audit.as_ref()).peekable();
        audits.peek().is_some() && audits.all(Audit::is_clean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::service::Check;

    #[test]
    fn one_broken_audit_spoils_a_run() {
        let audited = |violations| Measured {
            audit: Some(Audit { checks: vec![Check { name: "stock".into(), violations }] }),
            ..Measured::default()
        };
        let mut outcome = Outcome::new(Pace::Quick, true);
        assert!(!outcome.is_sound());
        outcome.measured = vec![audited(0), Measured::default()];
        assert!(outcome.is_sound());
        outcome.coupons = Some((100, 100));
        assert!(outcome.is_sound());
        outcome.coupons = Some((101, 100));
        assert!(!outcome.is_sound());
        outcome.coupons = None;
        outcome.measured.push(audited(1));
        assert!(!outcome.is_sound());
    }
}
