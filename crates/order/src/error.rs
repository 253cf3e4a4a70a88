//! Why an order cannot be what the caller wants it to be.

use kernel::{Details, DomainError, ErrorKind, Money, OrderId};
use thiserror::Error;

use crate::{Basket, Order, OrderStatus};

/// Why an order cannot be what the caller wants it to be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OrderError {
    /// There is no such order, or it is not the caller's.
    #[error("order {0} does not exist")]
    NotFound(OrderId),
    /// No item, or more than 100.
    #[error("an order has 1 to {} items", Basket::MAX_ITEMS)]
    InvalidItemCount,
    /// No piece, or more than 1,000 of one product.
    #[error("1 to {} pieces of a product can be ordered", Basket::MAX_QUANTITY)]
    InvalidQuantity,
    /// The sum is below 1,000.00.
    #[error("an order must come to {} at least, this one comes to {amount}", Order::MINIMUM)]
    BelowMinimum {
        /// What it comes to.
        amount: Money,
    },
    /// The sum exceeds what can be represented.
    #[error("an order cannot exceed {}", Money::MAX)]
    TooLarge,
    /// The caller expected another sum, for a price has changed.
    #[error("the order comes to {actual}, not to {expected}")]
    AmountChanged {
        /// What the caller expected.
        expected: Money,
        /// What it comes to now.
        actual: Money,
    },
    /// The order comes to less than the coupon asks for.
    #[error("the coupon asks for an order of {minimum} at least, this one comes to {amount}")]
    DiscountMinimum {
        /// What the coupon asks for.
        minimum: Money,
        /// What the order comes to.
        amount: Money,
    },
    /// The coupon applies to none of the products.
    #[error("the coupon applies to none of the products")]
    DiscountNotApplicable,
    /// The order is in a state from which this step is not possible.
    #[error("an order that is {from} cannot become {to}")]
    Transition {
        /// The state it is in.
        from: OrderStatus,
        /// The state it should take.
        to: OrderStatus,
    },
    /// The order is not as the caller has seen it.
    #[error("the order was changed in between")]
    Changed,
    /// A stored order whose sums do not fit together.
    #[error("the sums of the order do not fit together")]
    Inconsistent,
}

impl DomainError for OrderError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::InvalidItemCount
            | Self::InvalidQuantity
            | Self::BelowMinimum { .. }
            | Self::TooLarge
            | Self::DiscountMinimum { .. }
            | Self::DiscountNotApplicable => ErrorKind::Invalid,
            Self::AmountChanged { .. } | Self::Transition { .. } => ErrorKind::Conflict,
            Self::Changed => ErrorKind::PreconditionFailed,
            Self::Inconsistent => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NOT_FOUND",
            Self::InvalidItemCount | Self::InvalidQuantity | Self::TooLarge => "VALIDATION_ERROR",
            Self::BelowMinimum { .. } => "AMOUNT_BELOW_MINIMUM",
            Self::DiscountMinimum { .. } | Self::DiscountNotApplicable => "COUPON_INVALID",
            Self::AmountChanged { .. } | Self::Transition { .. } => "CONFLICT",
            Self::Changed => "PRECONDITION_FAILED",
            Self::Inconsistent => "INTERNAL_ERROR",
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::BelowMinimum { amount } => {
                Details::default().with("minimum", &Order::MINIMUM).with("amount", amount)
            }
            Self::AmountChanged { expected, actual } => {
                Details::default().with("expectedAmount", expected).with("amount", actual)
            }
            Self::DiscountMinimum { minimum, amount } => {
                Details::default().with("minimum", minimum).with("amount", amount)
            }
            _ => Details::default(),
        }
    }
}
