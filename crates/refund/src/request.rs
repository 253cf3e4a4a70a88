//! What a caller wants back.

use kernel::ProductId;

use crate::RefundError;

/// What a caller wants back, before anything is known of what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundRequest {
    /// Everything that is left.
    All,
    /// 1 to 100 items of 1 to 1,000 pieces each; a product that is named twice is added up.
    Items(Vec<(ProductId, u32)>),
}

impl RefundRequest {
    /// The most items that may be named.
    pub const MAX_ITEMS: usize = 100;
    /// The most pieces of an item.
    pub const MAX_QUANTITY: u32 = 1_000;

    /// Takes what a caller named; without a list that is everything.
    pub fn new(items: Option<Vec<(ProductId, u32)>>) -> Result<Self, RefundError> {
        let request = items.map_or(Self::All, Self::Items);
        request.check()?;
        Ok(request)
    }

    /// Refuses lists that are too short or too long, and items of too few or too many pieces.
    pub(crate) fn check(&self) -> Result<(), RefundError> {
        let Self::Items(items) = self else { return Ok(()) };
        if !(1..=Self::MAX_ITEMS).contains(&items.len()) {
            return Err(RefundError::InvalidItemCount);
        }
        if items.iter().any(|(_, quantity)| !(1..=Self::MAX_QUANTITY).contains(quantity)) {
            return Err(RefundError::InvalidQuantity);
        }
        Ok(())
    }
}
