//! Why a cart refuses.

use kernel::{DomainError, ErrorKind};
use thiserror::Error;

use crate::Cart;

/// Why a cart refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CartError {
    /// No piece, or more than 1,000.
    #[error("1 to {} pieces of a product can be in a cart", Cart::MAX_QUANTITY)]
    InvalidQuantity,
    /// It has 100 different products already.
    #[error("a cart holds {} different products at most", Cart::MAX_LINES)]
    Full,
    /// There is nothing in it to order.
    #[error("the cart is empty")]
    Empty,
    /// It has changed while it was being ordered.
    #[error("the cart has changed while it was being ordered")]
    Changed,
    /// It is not the cart that the caller has seen.
    #[error("the cart has changed since it was read")]
    NotAsSeen,
    /// A stored cart that could never have come about.
    #[error("the cart does not fit together")]
    Inconsistent,
}

impl DomainError for CartError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidQuantity | Self::Empty => ErrorKind::Invalid,
            Self::Full | Self::Changed => ErrorKind::Conflict,
            Self::NotAsSeen => ErrorKind::PreconditionFailed,
            Self::Inconsistent => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidQuantity | Self::Empty => "VALIDATION_ERROR",
            Self::Full | Self::Changed => "CONFLICT",
            Self::NotAsSeen => "PRECONDITION_FAILED",
            Self::Inconsistent => "INTERNAL_ERROR",
        }
    }
}
