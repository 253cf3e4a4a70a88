//! Why a payment cannot be.

use kernel::{Details, DomainError, ErrorKind, OrderId, PaymentId};
use thiserror::Error;

/// Why a payment cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PaymentError {
    /// There is no such payment, or it is not the caller's.
    #[error("payment {0} does not exist")]
    NotFound(PaymentId),
    /// The card token is empty, too long or not printable ASCII.
    #[error("a card token has 1 to 255 printable ASCII characters")]
    InvalidCardToken,
    /// More points than there is to pay, or nothing left for the card.
    #[error("usePoint must be at least 0 and leave something for the card")]
    InvalidPoints,
    /// The order is paid.
    #[error("order {0} has been paid")]
    AlreadyPaid(OrderId),
    /// Another attempt is under way.
    #[error("another payment of order {order} is being settled")]
    UnderWay {
        /// The order.
        order: OrderId,
        /// The attempt.
        payment: PaymentId,
    },
    /// The time to pay the order is over.
    #[error("the time to pay order {0} is over")]
    WindowClosed(OrderId),
    /// The gateway declined the card.
    #[error("the card was declined: {code}")]
    Declined {
        /// The attempt.
        payment: PaymentId,
        /// Why, in the gateway's words.
        code: String,
    },
    /// The money came when the order could no longer be paid by it; it goes back.
    #[error("the order could not be paid any more; the money of payment {0} goes back")]
    TooLate(PaymentId),
    /// The gateway cannot be reached; no money has been taken.
    #[error("the payment gateway cannot be reached")]
    GatewayUnreachable,
    /// What the gateway says does not fit what was asked of it.
    #[error("the payment gateway speaks of another amount")]
    AmountMismatch,
    /// A stored payment that could never have come about.
    #[error("the payment does not fit together")]
    Inconsistent,
}

impl DomainError for PaymentError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::InvalidCardToken | Self::InvalidPoints => ErrorKind::Invalid,
            Self::AlreadyPaid(_) | Self::UnderWay { .. } | Self::WindowClosed(_) | Self::TooLate(_) => {
                ErrorKind::Conflict
            }
            Self::Declined { .. } => ErrorKind::PaymentRequired,
            Self::GatewayUnreachable => ErrorKind::Unavailable,
            Self::AmountMismatch | Self::Inconsistent => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NOT_FOUND",
            Self::InvalidCardToken | Self::InvalidPoints => "VALIDATION_ERROR",
            Self::AlreadyPaid(_) => "ALREADY_PAID",
            Self::UnderWay { .. } | Self::WindowClosed(_) | Self::TooLate(_) => "CONFLICT",
            Self::Declined { .. } => "PAYMENT_DECLINED",
            Self::GatewayUnreachable => "SERVICE_UNAVAILABLE",
            Self::AmountMismatch | Self::Inconsistent => "INTERNAL_ERROR",
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::Declined { payment, code } => {
                Details::default().with("declineCode", code).with("paymentId", payment)
            }
            Self::UnderWay { payment, .. } | Self::TooLate(payment) => {
                Details::default().with("paymentId", payment)
            }
            _ => Details::default(),
        }
    }
}
