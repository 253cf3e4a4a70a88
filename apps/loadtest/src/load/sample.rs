//! What was measured, request by request, and what it comes to.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

/// The status of a request that nobody answered.
pub(crate) const NO_ANSWER: u16 = 0;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// When it was answered, in milliseconds after the start.
    pub(crate) at: u32,
    /// How long that took, in microseconds.
    pub(crate) micros: u32,
    /// The status of the answer, or [`NO_ANSWER`].
    pub(crate) status: u16,
}

/// Returns the milliseconds since the start.
pub(crate) fn since(start: Instant) -> u32 {
    u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX)
}

/// Latencies in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Latency {
    /// The mean.
    pub(crate) mean: f64,
    /// The median.
    pub(crate) p50: f64,
    /// What nine of ten stay below.
    pub(crate) p90: f64,
    /// What 99 of 100 stay below.
    pub(crate) p99: f64,
    /// What 999 of 1,000 stay below.
    pub(crate) p999: f64,
    /// The longest.
    pub(crate) max: f64,
}

/// One second of a load.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Second {
    /// Requests answered with success.
    pub(crate) ok: u64,
    /// Requests answered otherwise, or not at all.
    pub(crate) rejected: u64,
    /// The median in milliseconds.
    pub(crate) p50: f64,
    /// What 99 of 100 stay below, in milliseconds.
    pub(crate) p99: f64,
}

/// What a load came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// From the start to the last answer.
    pub(crate) seconds: f64,
    /// Requests sent.
    pub(crate) requests: u64,
    /// Requests answered with success.
    pub(crate) ok: u64,
    /// Answers by status; 0 are requests that nobody answered.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// How long the answers took, whatever their status.
    pub(crate) latency: Latency,
    /// The same over time.
    pub(crate) timeline: Vec<Second>,
}

impl Summary {
    /// Adds samples up.
    pub(crate) fn of(samples: &[Sample]) -> Self {
        let last = samples.iter().map(|sample| sample.at).max().unwrap_or_default();
        let mut statuses = BTreeMap::new();
        let mut seconds: Vec<Vec<Sample>> = Vec::new();
        for sample in samples {
            *statuses.entry(sample.status).or_insert(0) += 1;
            let second = sample.at as usize / 1_000;
            if seconds.len() <= second {
                seconds.resize(second + 1, Vec::new());
            }
            seconds[second].push(*sample);
        }
        Self {
            seconds: f64::from(last) / 1_000.0,
            requests: samples.len() as u64,
            ok: samples.iter().filter(|sample| is_ok(**sample)).count() as u64,
            statuses,
            latency: latency(samples),
            timeline: seconds.iter().map(|samples| second(samples)).collect(),
        }
    }

    /// Returns how many requests a second had success.
    pub(crate) fn ok_per_second(&self) -> f64 {
        per_second(self.ok, self.seconds)
    }

    /// Returns how many requests a second were answered so.
    pub(crate) fn status_per_second(&self, status: u16) -> f64 {
        per_second(self.statuses.get(&status).copied().unwrap_or_default(), self.seconds)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn is_ok(sample: Sample) -> bool {
    (200..300).contains(&sample.status)
}

fn second(samples: &[Sample]) -> Second {
    let ok = samples.iter().filter(|sample| is_ok(**sample)).count() as u64;
    let latency = latency(samples);
    Second { ok, rejected: samples.len() as u64 - ok, p50: latency.p50, p99: latency.p99 }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn latency(samples: &[Sample]) -> Latency {
    let mut micros: Vec<u32> = samples.iter().map(|sample| sample.micros).collect();
    micros.sort_unstable();
    let sum: u64 = micros.iter().map(|micros| u64::from(*micros)).sum();
    let at = |share| percentile(&micros, share);
    Latency {
        mean: if micros.is_empty() { 0.0 } else { sum as f64 / micros.len() as f64 / 1_000.0 },
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        max: at(1.0),
    }
}

/// Returns what so large a share of the sorted microseconds does not exceed, in milliseconds: the smallest
/// value that has at least that share at or below it, never one in between.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a rank between 0 and the number of samples"
)]
fn percentile(sorted: &[u32], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let micros = sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
    f64::from(micros) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: u32, micros: u32, status: u16) -> Sample {
        Sample { at, micros, status }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<u32> = (1..=200).map(|number| number * 1_000).collect();
        for (share, expected) in [(0.0, 1.0), (0.5, 100.0), (0.99, 198.0), (0.999, 200.0), (1.0, 200.0)] {
            assert!((percentile(&sorted, share) - expected).abs() < 1e-9, "{share}");
        }
        assert!(percentile(&[], 0.5).abs() < 1e-9);
        assert!((percentile(&[7_000], 0.5) - 7.0).abs() < 1e-9);
    }

    #[test]
    fn answers_are_counted_by_status_and_second() {
        let samples = [
            sample(100, 1_000, 201),
            sample(900, 3_000, 409),
            sample(2_500, 5_000, 201),
            sample(2_600, 9, 0),
        ];
        let summary = Summary::of(&samples);
        assert_eq!((summary.requests, summary.ok), (4, 2));
        assert_eq!(summary.statuses, BTreeMap::from([(0, 1), (201, 2), (409, 1)]));
        assert_eq!(
            summary.timeline.iter().map(|s| (s.ok, s.rejected)).collect::<Vec<_>>(),
            [(1, 1), (0, 0), (1, 1)]
        );
        assert!((summary.seconds - 2.6).abs() < 1e-9);
        assert!((summary.ok_per_second() - 2.0 / 2.6).abs() < 1e-9);
        assert!((summary.status_per_second(409) - 1.0 / 2.6).abs() < 1e-9);
    }

    #[test]
    fn no_samples_come_to_nothing() {
        let summary = Summary::of(&[]);
        assert_eq!(summary, Summary::default());
        assert!(summary.ok_per_second().abs() < 1e-9);
    }
}
