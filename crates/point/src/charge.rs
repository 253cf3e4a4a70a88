//! How much can be charged at once.

use kernel::Money;

use crate::PointError;

/// An amount to charge: 1,000.00 to 1,000,000.00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargeAmount(Money);

impl ChargeAmount {
    /// The least that can be charged.
    pub const MIN: Money = Money::won(1_000);
    /// The most that can be charged at once.
    pub const MAX: Money = Money::won(1_000_000);

    /// Takes an amount within the limits.
    pub fn new(amount: Money) -> Result<Self, PointError> {
        if amount < Self::MIN || amount > Self::MAX {
            return Err(PointError::ChargeOutOfRange);
        }
        Ok(Self(amount))
    }

    /// Returns the amount.
    pub const fn get(self) -> Money {
        self.0
    }
}
