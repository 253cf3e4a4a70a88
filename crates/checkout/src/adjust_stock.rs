//! Adding and taking stock in an administrator's name.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{DomainEvent, EventId, IdGenerator, ProductId, Timestamp, TraceContext};
use product::{AdjustmentReason, Product, ProductError, StockAdjusted};

use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Render, Transaction, TransactionScript, UseCaseError,
};

/// A change of a product's stock.
pub struct AdjustStock {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces come (above zero) or go.
    pub delta: i64,
    /// Why.
    pub reason: AdjustmentReason,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

impl Checkout {
    /// Changes a product's stock and answers with the product as it is then.
    ///
    /// # Errors
    /// The rejection of the product, or why it could not be decided.
    pub async fn adjust_stock(
        &self,
        adjustment: AdjustStock,
        request: Option<KeyedRequest>,
        render: Render<Product>,
    ) -> Result<Answer, UseCaseError> {
        let now = self.clock.now();
        let script = Script { adjustment, now, ids: self.ids.clone() };
        self.runner.run(Idempotent { script, request, render, now }).await
    }
}

struct Script {
    adjustment: AdjustStock,
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Product;

    const NAME: &'static str = "adjust_stock";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Product, UseCaseError> {
        let AdjustStock { product_id, delta, reason, trace } = &self.adjustment;
        let found = tx.products().lock(&[*product_id].into()).await?.into_iter().next();
        let mut product = found.ok_or_else(|| UseCaseError::rejected(ProductError::NotFound(*product_id)))?;
        let movement = product.adjust(*delta, reason.clone(), self.now).map_err(UseCaseError::rejected)?;
        tx.products().move_stock(&[movement]).await?;
        tx.products().save(std::slice::from_ref(&product)).await?;
        let payload = StockAdjusted {
            product_id: product.id,
            delta: *delta,
            stock: product.stock,
            reason: reason.as_str().to_owned(),
        };
        let event = DomainEvent::new(
            EventId::from_uuid(self.ids.uuid()),
            product.id.as_uuid(),
            product.event_sequence,
            self.now,
            &payload,
        )
        .map_err(UseCaseError::defect)?;
        tx.outbox().append(&[DomainEvent { trace: *trace, ..event }]).await?;
        Ok(product)
    }
}
