//! Changing name, price or status of a product.

use async_trait::async_trait;
use kernel::{ProductId, Timestamp};
use product::{Product, ProductChange, ProductError};

use crate::{Checkout, Transaction, TransactionScript, UseCaseError};

/// A change of a product, and which state of it the caller has seen.
pub struct ChangeProduct {
    /// The product.
    pub product_id: ProductId,
    /// What changes.
    pub change: ProductChange,
    /// Whether the product may be changed as it is; the caller's precondition.
    pub precondition: Box<dyn Fn(&Product) -> bool + Send + Sync>,
}

impl Checkout {
    /// Changes a product and returns it as it is then.
    ///
    /// # Errors
    /// The rejection of the product, or why it could not be decided.
    pub async fn change_product(&self, change: ChangeProduct) -> Result<Product, UseCaseError> {
        self.runner.run(Script { change, now: self.clock.now() }).await
    }
}

struct Script {
    change: ChangeProduct,
    now: Timestamp,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Product;

    const NAME: &'static str = "change_product";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Product, UseCaseError> {
        let ChangeProduct { product_id, change, precondition } = &self.change;
        let found = tx.products().lock(&[*product_id].into()).await?.into_iter().next();
        let mut product = found.ok_or_else(|| UseCaseError::rejected(ProductError::NotFound(*product_id)))?;
        if !precondition(&product) {
            return Err(UseCaseError::rejected(ProductError::Changed));
        }
        product.change(change.clone(), self.now).map_err(UseCaseError::rejected)?;
        tx.products().save(std::slice::from_ref(&product)).await?;
        Ok(product)
    }
}
