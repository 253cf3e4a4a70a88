//! When to try again, and when to give up.

use std::time::Duration;

use kernel::Timestamp;

use super::{DeliveryError, Settlement};
use crate::backoff::jittered;

/// After this many attempts an event is given up.
pub const MAX_ATTEMPTS: u32 = 10;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
const LONGEST_REQUEST: Duration = Duration::from_hours(1);

/// Decides what becomes of an event after its `attempts`-th attempt (from 1) has failed.
///
/// The pause triples from one second to a quarter of an hour, so that the attempts outlast an outage of
/// half an hour; `random` chooses a point between its half and its whole, so that many events that
/// failed together do not come back together. A receiver's
/// `Retry-After` is honoured where it is longer, up to an hour.
pub fn after_failure(attempts: u32, error: &DeliveryError, now: Timestamp, random: u64) -> Settlement {
    let text = error.to_string();
    if attempts >= MAX_ATTEMPTS {
        return Settlement::Dead { error: text };
    }
    let pause = jittered(whole_pause(attempts), random);
    let asked = error.retry_after().unwrap_or_default().min(LONGEST_REQUEST);
    Settlement::Retry { at: now + pause.max(asked), error: text }
}

/// The pause after the `attempts`-th attempt, without jitter.
fn whole_pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(3_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(retry_after: Option<u64>) -> DeliveryError {
        DeliveryError::Refused { status: 503, retry_after: retry_after.map(Duration::from_secs) }
    }

    proptest! {
        #[test]
        fn pauses_grow_within_their_bounds(attempts in 1_u32..MAX_ATTEMPTS, random: u64) {
            let now = Timestamp::UNIX_EPOCH;
            let Settlement::Retry { at, .. } = after_failure(attempts, &refused(None), now, random) else {
                panic!("gave up too early");
            };
            let pause = (at - now).to_std().unwrap();
            let full = whole_pause(attempts);
            prop_assert!(pause >= full / 2 && pause <= full, "{pause:?} of {full:?}");
        }

        #[test]
        fn a_receiver_is_left_alone_as_long_as_it_asks(attempts in 1_u32..MAX_ATTEMPTS, seconds in 0_u64..10_000, random: u64) {
            let now = Timestamp::UNIX_EPOCH;
            let Settlement::Retry { at, .. } = after_failure(attempts, &refused(Some(seconds)), now, random) else {
                panic!("gave up too early");
            };
            prop_assert!(at >= now + Duration::from_secs(seconds.min(3600)));
        }
    }

    #[test]
    fn attempts_outlast_an_outage_of_half_an_hour() {
        let seconds: Vec<u64> = (1..MAX_ATTEMPTS).map(|attempts| whole_pause(attempts).as_secs()).collect();
        assert_eq!(seconds, [1, 3, 9, 27, 81, 243, 729, 900, 900]);
    }

    #[test]
    fn gives_up_after_the_tenth_attempt() {
        let settled = |attempts| after_failure(attempts, &refused(None), Timestamp::UNIX_EPOCH, 0);
        assert!(matches!(settled(9), Settlement::Retry { .. }));
        assert_eq!(settled(10), Settlement::Dead { error: "the receiver answered 503".into() });
    }
}
