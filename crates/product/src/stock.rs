//! Movements of stock: the ledger that explains every piece.

use kernel::{EventPayload, OrderId, ProductId, Timestamp};
use serde::Serialize;

use crate::ProductError;

/// Why an administrator changes stock, 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentReason(String);

impl AdjustmentReason {
    /// Takes a reason, without the white space around it.
    pub fn new(text: &str) -> Result<Self, ProductError> {
        let text = text.trim();
        if !(1..=200).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(ProductError::InvalidAdjustment);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What made stock move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockCause {
    /// The product was created with this stock.
    Created,
    /// An administrator added or took pieces.
    Adjusted(AdjustmentReason),
    /// An order took pieces.
    Ordered(OrderId),
    /// An order gave pieces back, for it was given up, not paid or refunded.
    Returned(OrderId),
}

/// One change of a product's stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockMovement {
    /// The product.
    pub product_id: ProductId,
    /// Its place in the product's ledger, from 1 and without gaps.
    pub sequence: u32,
    /// How many pieces came (above zero) or went.
    pub delta: i64,
    /// How many there are after it.
    pub balance_after: u32,
    /// What made it move.
    pub cause: StockCause,
    /// When.
    pub created_at: Timestamp,
}

/// An administrator changed a product's stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StockAdjusted {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces came or went.
    pub delta: i64,
    /// How many there are now.
    pub stock: u32,
    /// Why.
    pub reason: String,
}

impl EventPayload for StockAdjusted {
    const AGGREGATE: &'static str = "product";
    const TYPE: &'static str = "StockAdjusted";
}
