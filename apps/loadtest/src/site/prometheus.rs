//! What the service counts itself, from its `/metrics`.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counters by their name and labels, as they stand in the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Counters(BTreeMap<String, f64>);

/// How many orders shared a transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct SetSizes {
    /// Transactions.
    pub(crate) sets: f64,
    /// Orders in them.
    pub(crate) orders: f64,
    /// Upper bounds of sizes, and how many sets had one up to this bound and above the last.
    pub(crate) buckets: Vec<(String, f64)>,
}

impl SetSizes {
    /// Returns the mean size.
    pub(crate) fn mean(&self) -> f64 {
        if self.sets > 0.0 { self.orders / self.sets } else { 0.0 }
    }
}

impl Counters {
    /// Reads the text.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(values.collect())
    }

    /// Returns how much each counter has grown since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let grown = self
            .0
            .iter()
            .map(|(name, value)| (name.clone(), value - earlier.0.get(name).copied().unwrap_or_default()));
        Self(grown.collect())
    }

    /// Returns a metric's values by one of its labels, zeros left out.
    pub(crate) fn by_label(&self, metric: &str, label: &str) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for (name, value) in &self.0 {
            let labels = name.strip_prefix(metric).and_then(|rest| rest.strip_prefix('{'));
            if let Some(word) = labels.and_then(|labels| label_of(labels, label)) {
                *sums.entry(word.to_owned()).or_insert(0.0) += value;
            }
        }
        sums.into_iter().map(|(word, sum)| (word, whole(sum))).filter(|(_, sum)| *sum > 0).collect()
    }

    /// Returns the sizes of the sets of orders.
    pub(crate) fn set_sizes(&self) -> SetSizes {
        let value = |name: &str| self.0.get(name).copied().unwrap_or_default();
        let bucket = "jumun_order_set_size_bucket{";
        let mut cumulative: Vec<(f64, f64)> = (self.0.iter())
            .filter_map(|(name, count)| {
                let bound = label_of(name.strip_prefix(bucket)?, "le")?;
                Some((bound.parse().unwrap_or(f64::INFINITY), *count))
            })
            .collect();
        cumulative.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0.0;
        let mut buckets = Vec::new();
        for (bound, count) in cumulative {
            let name = if bound.is_finite() { format!("{bound}") } else { "more".to_owned() };
            buckets.push((name, count - below));
            below = count;
        }
        SetSizes {
            sets: value("jumun_order_set_size_count"),
            orders: value("jumun_order_set_size_sum"),
            buckets,
        }
    }
}

fn label_of<'t>(labels: &'t str, label: &str) -> Option<&'t str> {
    let quoted = labels.split(&format!("{label}=\"")).nth(1)?;
    quoted.split('"').next()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counters are whole and not negative"
)]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE jumun_order_set_size histogram\n\
        jumun_order_set_size_bucket{le=\"1\"} 4\n\
        jumun_order_set_size_bucket{le=\"16\"} 5\n\
        jumun_order_set_size_bucket{le=\"2\"} 4\n\
        jumun_order_set_size_bucket{le=\"+Inf\"} 6\n\
        jumun_order_set_size_sum 120\n\
        jumun_order_set_size_count 6\n\
        jumun_rejections_total{code=\"OUT_OF_STOCK\"} 7\n";

    #[test]
    fn buckets_are_taken_apart() {
        let sizes = Counters::parse(TEXT).set_sizes();
        let expected = [("1", 4.0), ("2", 0.0), ("16", 1.0), ("more", 1.0)];
        assert_eq!(sizes.buckets, expected.map(|(name, count)| (name.to_owned(), count)));
        assert!((sizes.mean() - 20.0).abs() < 1e-9);
        assert!(SetSizes::default().mean().abs() < 1e-9);
    }

    #[test]
    fn growth_is_what_counts() {
        let earlier = Counters::parse("jumun_rejections_total{code=\"OUT_OF_STOCK\"} 5\n");
        let grown = Counters::parse(TEXT).since(&earlier);
        let codes = grown.by_label("jumun_rejections_total", "code");
        assert_eq!(codes, BTreeMap::from([("OUT_OF_STOCK".to_owned(), 2)]));
    }
}
