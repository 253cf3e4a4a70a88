//! The rhythm in which the payment gateway is asked again, for payments and for refunds alike.

use std::time::Duration;

use futures_util::StreamExt;
use kernel::Timestamp;

use crate::Checkout;
use crate::backoff::pause_after;

/// How many are taken at a time.
pub(crate) const BATCH: u32 = 20;
/// How long they are left to whoever took them: longer than a batch can take.
pub(crate) const LEASE: Duration = Duration::from_secs(45);
/// How many of them are asked for at once.
const AT_ONCE: usize = 4;
/// The first and the longest pause between two questions.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

/// Follows up what is due, a few at a time, and returns how many there were.
pub(crate) async fn each<T, F: Future<Output = ()>>(due: Vec<T>, follow_up: impl Fn(T) -> F) -> usize {
    let count = due.len();
    futures_util::stream::iter(due).for_each_concurrent(AT_ONCE, follow_up).await;
    count
}

impl Checkout {
    /// Returns when something is due again that was asked for so many times.
    pub(crate) fn next_turn(&self, attempt: u32) -> Timestamp {
        self.clock.now() + pause_after(attempt, PAUSES, self.ids.random())
    }
}
