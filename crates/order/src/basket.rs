//! What a caller asks for, before anything is known of the products.

use std::collections::BTreeSet;

use kernel::ProductId;

use crate::OrderError;

/// 1 to 100 products with 1 to 1,000 pieces each; a product named twice is added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basket(Vec<(ProductId, u32)>);

impl Basket {
    /// The most items that a basket may list.
    pub const MAX_ITEMS: usize = 100;
    /// The most pieces of one product.
    pub const MAX_QUANTITY: u32 = 1_000;

    /// Takes the items in the order in which they were named.
    pub fn new(items: impl IntoIterator<Item = (ProductId, u32)>) -> Result<Self, OrderError> {
        let mut merged: Vec<(ProductId, u32)> = Vec::new();
        for (count, (product, quantity)) in items.into_iter().enumerate() {
            if count == Self::MAX_ITEMS {
                return Err(OrderError::InvalidItemCount);
            }
            if !(1..=Self::MAX_QUANTITY).contains(&quantity) {
                return Err(OrderError::InvalidQuantity);
            }
            match merged.iter_mut().find(|(seen, _)| *seen == product) {
                Some((_, sum)) if *sum + quantity > Self::MAX_QUANTITY => {
                    return Err(OrderError::InvalidQuantity);
                }
                Some((_, sum)) => *sum += quantity,
                None => merged.push((product, quantity)),
            }
        }
        if merged.is_empty() {
            return Err(OrderError::InvalidItemCount);
        }
        Ok(Self(merged))
    }

    /// Returns each product once, with its number of pieces.
    pub fn items(&self) -> &[(ProductId, u32)] {
        &self.0
    }

    /// Returns the products.
    pub fn product_ids(&self) -> BTreeSet<ProductId> {
        self.0.iter().map(|(product, _)| *product).collect()
    }
}
