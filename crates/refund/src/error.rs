//! Why a refund cannot be.

use kernel::{Details, DomainError, ErrorKind, PaymentId, ProductId, RefundId, Timestamp, seconds};
use thiserror::Error;

use crate::{RefundReason, RefundRequest};

/// Why a refund cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RefundError {
    /// There is no such refund, or it is not the caller's.
    #[error("refund {0} does not exist")]
    NotFound(RefundId),
    /// The reason is empty, too long or has control characters.
    #[error("a reason has 1 to {} characters and no control characters", RefundReason::MAX_LENGTH)]
    InvalidReason,
    /// No item, or more than 100.
    #[error("a refund names 1 to {} items, or none for all that is left", RefundRequest::MAX_ITEMS)]
    InvalidItemCount,
    /// No piece, or more than 1,000 of an item.
    #[error("1 to {} pieces of an item can be refunded", RefundRequest::MAX_QUANTITY)]
    InvalidQuantity,
    /// The product is not among those that were paid.
    #[error("product {0} is not in the order")]
    NotInOrder(ProductId),
    /// More than seven days have passed since the payment.
    #[error("the time to refund the payment was over after {}", seconds::format(*.last))]
    WindowClosed {
        /// The last instant at which it could have been refunded.
        last: Timestamp,
    },
    /// The payment has not been settled, so there is nothing to give back.
    #[error("payment {0} has not been settled")]
    NotPaid(PaymentId),
    /// Nothing of the payment is left.
    #[error("payment {0} has been refunded")]
    AlreadyRefunded(PaymentId),
    /// More pieces than are left.
    #[error("{requested} pieces of product {product_id} are to be refunded, {refundable} are left")]
    TooMany {
        /// The product.
        product_id: ProductId,
        /// How many were asked for.
        requested: u32,
        /// How many are left.
        refundable: u32,
    },
    /// The gateway refuses to give the money back.
    #[error("the payment gateway refuses refund {0}")]
    RefusedByGateway(RefundId),
    /// The refund has succeeded or failed before.
    #[error("refund {0} has been settled")]
    Settled(RefundId),
    /// A stored refund, or a payment and its refunds, that could never have come about.
    #[error("the refund does not fit together")]
    Inconsistent,
}

impl DomainError for RefundError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::InvalidReason
            | Self::InvalidItemCount
            | Self::InvalidQuantity
            | Self::NotInOrder(_)
            | Self::WindowClosed { .. } => ErrorKind::Invalid,
            Self::NotPaid(_)
            | Self::AlreadyRefunded(_)
            | Self::TooMany { .. }
            | Self::RefusedByGateway(_)
            | Self::Settled(_) => ErrorKind::Conflict,
            Self::Inconsistent => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NOT_FOUND",
            Self::InvalidReason | Self::InvalidItemCount | Self::InvalidQuantity | Self::NotInOrder(_) => {
                "VALIDATION_ERROR"
            }
            Self::WindowClosed { .. } => "REFUND_WINDOW_CLOSED",
            Self::AlreadyRefunded(_) | Self::TooMany { refundable: 0, .. } => "ALREADY_REFUNDED",
            Self::NotPaid(_) | Self::TooMany { .. } | Self::RefusedByGateway(_) | Self::Settled(_) => {
                "CONFLICT"
            }
            Self::Inconsistent => "INTERNAL_ERROR",
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::RefusedByGateway(refund) => Details::default().with("refundId", refund),
            Self::NotInOrder(product_id) => Details::default().with("productId", product_id),
            Self::WindowClosed { last } => {
                Details::default().with("refundableUntil", &seconds::format(*last))
            }
            Self::TooMany { product_id, requested, refundable } => Details::default()
                .with("productId", product_id)
                .with("requested", requested)
                .with("refundable", refundable),
            _ => Details::default(),
        }
    }
}
