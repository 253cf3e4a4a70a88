//! Why a use case says no, and why it could not say anything.

use kernel::{Details, DomainError, ErrorKind, StoreError};
use order::OrderError;
use point::PointError;
use product::ProductError;
use thiserror::Error;
use user::UserError;

use crate::IdempotencyError;

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
    /// The user cannot be.
    #[error(transparent)]
    User(#[from] UserError),
    /// The idempotency key forbids it.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// No coupon has this code.
    #[error("the coupon is not valid")]
    UnknownCoupon,
}

impl Rejection {
    fn inner(&self) -> Option<&dyn DomainError> {
        match self {
            Self::Product(error) => Some(error),
            Self::Order(error) => Some(error),
            Self::Point(error) => Some(error),
            Self::User(error) => Some(error),
            Self::Idempotency(error) => Some(error),
            Self::UnknownCoupon => None,
        }
    }
}

impl DomainError for Rejection {
    fn kind(&self) -> ErrorKind {
        self.inner().map_or(ErrorKind::Invalid, DomainError::kind)
    }

    fn code(&self) -> &'static str {
        self.inner().map_or("COUPON_INVALID", DomainError::code)
    }

    fn details(&self) -> Details {
        self.inner().map_or_else(Details::default, DomainError::details)
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
