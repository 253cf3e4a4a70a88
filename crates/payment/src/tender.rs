//! What an order is paid with.

use kernel::Money;

use crate::{CardToken, PaymentError};

/// What an order is paid with, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tender {
    /// Points alone.
    Points,
    /// A card, and so many points beside it.
    Card {
        /// What stands for the card.
        token: CardToken,
        /// How much is paid with points.
        points: Money,
    },
}

impl Tender {
    /// Splits what is to be paid into points and card.
    ///
    /// # Errors
    /// [`PaymentError::InvalidPoints`] unless something is left for the card.
    pub fn split(&self, payable: Money) -> Result<(Money, Money), PaymentError> {
        match self {
            Self::Points => Ok((payable, Money::ZERO)),
            Self::Card { points, .. } => {
                let card = payable.checked_sub(*points).filter(|card| *card > Money::ZERO);
                let card = card.filter(|_| !points.is_negative()).ok_or(PaymentError::InvalidPoints)?;
                Ok((*points, card))
            }
        }
    }
}
