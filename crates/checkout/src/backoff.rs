//! Pauses between attempts that grow, and differ at random so that many do not come back at once.

use std::time::Duration;

/// Returns the pause after an attempt, counted from 1: `first` doubled with each, up to `longest`, of which
/// a random half to all.
pub(crate) fn pause_after(attempt: u32, (first, longest): (Duration, Duration), random: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    jittered(first.saturating_mul(1 << doublings).min(longest), random)
}

/// Returns a random half to all of a pause.
pub(crate) fn jittered(full: Duration, random: u64) -> Duration {
    let half = full / 2;
    let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).saturating_add(1);
    half + Duration::from_micros(random % spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_are_at_least_half_of_it() {
        let bounds = (Duration::from_secs(1), Duration::from_mins(1));
        for (attempt, full) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (40, 60), (u32::MAX, 60)] {
            let full = Duration::from_secs(full);
            for random in [0, 1, u64::MAX / 3, u64::MAX] {
                let pause = pause_after(attempt, bounds, random);
                assert!(pause >= full / 2 && pause <= full, "{attempt}: {pause:?}");
            }
        }
    }
}
