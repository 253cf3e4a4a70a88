//! The operating system's time and randomness.

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

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's randomness")]
    #[expect(clippy::expect_used, reason = "without randomness no id and no secret is safe: stop")]
    fn fill_random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has no randomness");
    }
}
