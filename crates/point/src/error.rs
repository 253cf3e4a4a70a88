//! Why a wallet refuses what it is asked.

use kernel::{Details, DomainError, ErrorKind, Money};
use thiserror::Error;

use crate::ChargeAmount;

/// Why a wallet refuses what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PointError {
    /// A charge is below 1,000.00 or above 1,000,000.00.
    #[error("a charge must be between {} and {}", ChargeAmount::MIN, ChargeAmount::MAX)]
    ChargeOutOfRange,
    /// The balance does not cover the amount.
    #[error("the balance of {balance} does not cover {required}")]
    InsufficientBalance {
        /// What was to be paid.
        required: Money,
        /// What there is.
        balance: Money,
    },
    /// The balance would exceed what can be represented.
    #[error("the balance would exceed {}", Money::MAX)]
    BalanceTooLarge,
    /// An amount to pay is below zero.
    #[error("an amount to pay must not be negative")]
    NegativePayment,
    /// A stored wallet that could never have come about.
    #[error("a balance must not be negative")]
    NegativeBalance,
}

impl DomainError for PointError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::ChargeOutOfRange => ErrorKind::Invalid,
            Self::InsufficientBalance { .. } | Self::BalanceTooLarge => ErrorKind::Conflict,
            Self::NegativePayment | Self::NegativeBalance => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::ChargeOutOfRange => "VALIDATION_ERROR",
            Self::InsufficientBalance { .. } => "INSUFFICIENT_BALANCE",
            Self::BalanceTooLarge => "CONFLICT",
            Self::NegativePayment | Self::NegativeBalance => "INTERNAL_ERROR",
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::InsufficientBalance { required, balance } => {
                Details::default().with("required", required).with("balance", balance)
            }
            _ => Details::default(),
        }
    }
}
