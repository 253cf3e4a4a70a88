//! The states of an order.

use std::fmt;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Stock is held, payment is awaited.
    Pending,
    /// Paid in full.
    Paid,
    /// Given up before it was paid.
    Cancelled,
    /// Not paid in time.
    Expired,
    /// A part of what was paid has been given back.
    PartiallyRefunded,
    /// All of what was paid has been given back.
    Refunded,
}

impl OrderStatus {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Paid, Self::Cancelled, Self::Expired, Self::PartiallyRefunded, Self::Refunded];

    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Paid => "PAID",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Tells whether it was paid once, whatever has been given back since.
    pub const fn was_paid(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyRefunded | Self::Refunded)
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Tells whether an order may go from this state to `to`. Each further refund of a part is a step of its
    /// own, which leads back to the same state.
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Paid | Self::Cancelled | Self::Expired)
                | (Self::Paid | Self::PartiallyRefunded, Self::PartiallyRefunded | Self::Refunded)
        )
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
