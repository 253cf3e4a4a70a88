//! The operating system's time and randomness.

use std::cell::RefCell;

use chrono::{DurationRound, TimeDelta, Utc};
use kernel::{Clock, IdGenerator, Timestamp};
use uuid::Uuid;

/// The system's clock, cut to the microsecond, as the databases keep it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        let now = Utc::now();
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }
}

/// `UUIDv7` ids that grow within the process, and the system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    /// Small amounts come from a stock of each thread, which is filled by one call for many of them; what is
    /// taken from it is erased there.
    fn fill_random(&self, bytes: &mut [u8]) {
        RANDOMNESS.with_borrow_mut(|stock| stock.take(bytes));
    }
}

thread_local! {
    static RANDOMNESS: RefCell<Randomness> = const { RefCell::new(Randomness::EMPTY) };
}

/// Bytes of the system's randomness that nobody has seen yet.
struct Randomness {
    bytes: [u8; 512],
    /// How many of them are still to be taken, from the end.
    left: usize,
}

impl Randomness {
    const EMPTY: Self = Self { bytes: [0; 512], left: 0 };

    fn take(&mut self, bytes: &mut [u8]) {
        if bytes.len() > self.bytes.len() {
            return fill(bytes);
        }
        if bytes.len() > self.left {
            fill(&mut self.bytes);
            self.left = self.bytes.len();
        }
        let rest = self.left - bytes.len();
        let taken = &mut self.bytes[rest..self.left];
        bytes.copy_from_slice(taken);
        taken.fill(0);
        self.left = rest;
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's randomness")]
#[expect(clippy::expect_used, reason = "without randomness no id and no secret is safe: stop")]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has no randomness");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_random_is_given_twice() {
        let mut seen = HashSet::new();
        for length in [8, 16, 24, 512, 513, 1_000].into_iter().cycle().take(2_000) {
            let mut bytes = vec![0; length];
            SystemIds.fill_random(&mut bytes);
            for part in bytes.chunks_exact(8) {
                assert!(seen.insert(part.to_vec()));
            }
        }
        RANDOMNESS.with_borrow(|stock| assert!(stock.bytes[stock.left..].iter().all(|byte| *byte == 0)));
    }
}
