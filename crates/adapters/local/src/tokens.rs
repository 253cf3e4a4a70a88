//! Numbers that only grow, also over a restart.

use std::sync::atomic::{AtomicU64, Ordering};

use kernel::Clock;

use crate::{SystemClock, SystemIds};

/// Hands out numbers, each greater than all before it. They follow the clock in µs, so that a process
/// that starts anew goes on where the last one ended.
#[derive(Default)]
pub(crate) struct Tokens(AtomicU64);

impl Tokens {
    /// Returns the next number.
    pub(crate) fn next(&self) -> u64 {
        let now = u64::try_from(SystemClock.now().timestamp_micros()).unwrap_or(0);
        let next = |last: u64| now.max(last + 1);
        // The closure always returns a number, and so there is always a last one.
        let last = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)));
        next(last.unwrap_or_else(|last| last))
    }
}

/// Returns a number that nobody guesses.
pub(crate) fn random_owner() -> u128 {
    let mut bytes = [0; 16];
    kernel::IdGenerator::fill_random(&SystemIds, &mut bytes);
    u128::from_le_bytes(bytes)
}
