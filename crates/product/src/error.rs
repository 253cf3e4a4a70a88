//! Why a product refuses what it is asked.

use kernel::{Details, DomainError, ErrorKind, ProductId};
use thiserror::Error;

/// Why a product refuses what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProductError {
    /// There is no such product, or it is not for sale.
    #[error("product {0} does not exist")]
    NotFound(ProductId),
    /// Fewer pieces are left than were asked for.
    #[error("only {available} of product {product_id} left, {requested} requested")]
    OutOfStock {
        /// The product that ran out.
        product_id: ProductId,
        /// How many were asked for.
        requested: u32,
        /// How many are left.
        available: u32,
    },
    /// A name is empty or longer than 200 characters, or has control characters.
    #[error("a product's name has 1 to 200 characters")]
    InvalidName,
    /// A price is below zero.
    #[error("a price must not be negative")]
    InvalidPrice,
    /// Stock would exceed what a product can hold.
    #[error("stock must be between 0 and {max}")]
    InvalidStock {
        /// The most a product can hold.
        max: u32,
    },
    /// A change of stock by nothing, or without a reason.
    #[error("a stock change needs a delta other than 0 and a reason of 1 to 200 characters")]
    InvalidAdjustment,
    /// What should become a product is not one by its form.
    #[error("{0}")]
    Malformed(String),
    /// The product has changed since the caller read it.
    #[error("the product has changed since it was read")]
    Changed,
}

impl DomainError for ProductError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::OutOfStock { .. } => ErrorKind::Conflict,
            Self::Changed => ErrorKind::PreconditionFailed,
            Self::InvalidName
            | Self::InvalidPrice
            | Self::InvalidStock { .. }
            | Self::InvalidAdjustment
            | Self::Malformed(_) => ErrorKind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NOT_FOUND",
            Self::OutOfStock { .. } => "OUT_OF_STOCK",
            Self::Changed => "PRECONDITION_FAILED",
            Self::InvalidName
            | Self::InvalidPrice
            | Self::InvalidStock { .. }
            | Self::InvalidAdjustment
            | Self::Malformed(_) => "VALIDATION_ERROR",
        }
    }

    fn details(&self) -> Details {
        match self {
            Self::NotFound(product_id) => Details::default().with("productId", product_id),
            Self::OutOfStock { product_id, requested, available } => Details::default()
                .with("productId", product_id)
                .with("requested", requested)
                .with("available", available),
            _ => Details::default(),
        }
    }
}
