//! Why a coupon refuses.

use kernel::{DomainError, ErrorKind};
use thiserror::Error;

use crate::CouponCode;

/// Why a coupon refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CouponError {
    /// There is no coupon of this code to look at.
    #[error("coupon {0} does not exist")]
    NotFound(CouponCode),
    /// The code of a new coupon is not 1 to 64 letters, digits, hyphens and underscores.
    #[error("a code has 1 to 64 letters, digits, hyphens and underscores")]
    InvalidCode,
    /// The name is empty, too long or has control characters.
    #[error("a name has 1 to 200 characters and no control characters")]
    InvalidName,
    /// A percentage outside 0.01 to 100.00.
    #[error("a percentage must be between 0.01 and 100.00")]
    InvalidPercentage,
    /// An amount that must be above zero is not.
    #[error("an amount must be above zero")]
    InvalidAmount,
    /// No piece, or more than 10,000,000.
    #[error("a coupon has 1 to 10000000 pieces")]
    InvalidQuantity,
    /// The period ends before it begins.
    #[error("a coupon must end after it starts")]
    InvalidPeriod,
    /// The list of products is empty or too long.
    #[error("a coupon may be limited to 1 to 100 products")]
    InvalidProducts,
    /// Another coupon has this code.
    #[error("another coupon has the code {0}")]
    DuplicateCode(CouponCode),
    /// There is no such code to claim.
    #[error("there is no coupon of this code")]
    Unknown,
    /// The moment is outside the coupon's period.
    #[error("the coupon is not valid at this time")]
    OutsidePeriod,
    /// The buyer holds no such coupon, or there is none of this code.
    #[error("the buyer holds no coupon of this code")]
    NotHeld,
    /// The buyer has used it for another order.
    #[error("the coupon has been used")]
    AlreadyUsed,
    /// All pieces have been issued.
    #[error("all pieces of the coupon are gone")]
    SoldOut,
    /// The user holds a piece already.
    #[error("the coupon has been claimed by this user already")]
    AlreadyClaimed,
    /// A stored coupon that could never have come about.
    #[error("the coupon does not fit together")]
    Inconsistent,
}

impl DomainError for CouponError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::SoldOut | Self::AlreadyClaimed | Self::DuplicateCode(_) => ErrorKind::Conflict,
            Self::Inconsistent => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NOT_FOUND",
            Self::InvalidCode
            | Self::InvalidName
            | Self::InvalidPercentage
            | Self::InvalidAmount
            | Self::InvalidQuantity
            | Self::InvalidPeriod
            | Self::InvalidProducts => "VALIDATION_ERROR",
            Self::Unknown | Self::OutsidePeriod | Self::NotHeld | Self::AlreadyUsed => "COUPON_INVALID",
            Self::DuplicateCode(_) => "CONFLICT",
            Self::SoldOut => "COUPON_SOLD_OUT",
            Self::AlreadyClaimed => "COUPON_ALREADY_CLAIMED",
            Self::Inconsistent => "INTERNAL_ERROR",
        }
    }
}
