//! Why a use case says no, and why it could not say anything.

use cart::CartError;
use coupon::CouponError;
use kernel::{Details, DomainError, ErrorKind, StoreError};
use order::OrderError;
use payment::PaymentError;
use point::PointError;
use product::ProductError;
use refund::RefundError;
use thiserror::Error;
use user::UserError;

use crate::{IdempotencyError, QueueFull};

/// The definitive "no" of one domain. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// A product refuses.
    #[error(transparent)]
    Product(#[from] ProductError),
    /// The order cannot be.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The wallet refuses.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The payment cannot be.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The refund cannot be.
    #[error(transparent)]
    Refund(#[from] RefundError),
    /// The user cannot be.
    #[error(transparent)]
    User(#[from] UserError),
    /// The idempotency key forbids it.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The coupon refuses.
    #[error(transparent)]
    Coupon(#[from] CouponError),
    /// The cart refuses.
    #[error(transparent)]
    Cart(#[from] CartError),
    /// There is no place to wait in.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
}

impl Rejection {
    fn inner(&self) -> &dyn DomainError {
        match self {
            Self::Product(error) => error,
            Self::Order(error) => error,
            Self::Point(error) => error,
            Self::Payment(error) => error,
            Self::Refund(error) => error,
            Self::User(error) => error,
            Self::Idempotency(error) => error,
            Self::Coupon(error) => error,
            Self::Cart(error) => error,
            Self::QueueFull(error) => error,
        }
    }
}

impl DomainError for Rejection {
    fn kind(&self) -> ErrorKind {
        self.inner().kind()
    }

    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn details(&self) -> Details {
        self.inner().details()
    }
}

/// What becomes of a use case that did not succeed.
#[derive(Debug, Error)]
pub enum UseCaseError {
    /// It was decided, and the answer is no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It could not be carried out.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl UseCaseError {
    /// Wraps the rejection of a domain.
    pub fn rejected(error: impl Into<Rejection>) -> Self {
        Self::Rejected(error.into())
    }

    /// Wraps a defect.
    pub(crate) fn defect(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Failed(StoreError::Internal(Box::new(error)))
    }
}
