//! How long a buyer may ask for a refund.

use chrono::TimeDelta;
use kernel::Timestamp;

use crate::RefundError;

/// The seven days after a payment was settled in which its buyer may have it back, the last instant included.
///
/// It binds who asks. What Jumun gives back by itself knows no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundWindow {
    paid_at: Timestamp,
}

impl RefundWindow {
    /// How long it is.
    pub const LENGTH: TimeDelta = TimeDelta::days(7);

    /// Opens when a payment is settled.
    pub const fn of(paid_at: Timestamp) -> Self {
        Self { paid_at }
    }

    /// Returns the last instant of it.
    pub fn last(self) -> Timestamp {
        self.paid_at.checked_add_signed(Self::LENGTH).unwrap_or(Timestamp::MAX_UTC)
    }

    /// Refuses after its last instant.
    pub fn ensure_open(self, now: Timestamp) -> Result<(), RefundError> {
        let last = self.last();
        if now <= last { Ok(()) } else { Err(RefundError::WindowClosed { last }) }
    }
}
