//! Creating products, one or many at once.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{IdGenerator, ProductId, Timestamp};
use product::{NewProduct, Product, ProductError};

use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Render, Transaction, TransactionScript, UseCaseError,
};

/// What becomes of a list in which some products are not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// None is created.
    Reject,
    /// The valid ones are created.
    Skip,
}

/// A product to create, or why it cannot be one.
pub type ProductDraft = Result<NewProduct, ProductError>;

/// What became of each draft, in their order.
pub type ProductOutcome = Result<Product, ProductError>;

/// Products to create.
pub struct CreateProducts {
    /// The drafts.
    pub drafts: Vec<ProductDraft>,
    /// What becomes of the list if one is not valid.
    pub on_error: OnError,
}

impl Checkout {
    /// Creates products and answers with what became of each draft. With [`OnError::Reject`] and an
    /// invalid draft nothing is created and each outcome of a valid draft is left out of the catalogue.
    ///
    /// # Errors
    /// Why it could not be carried out.
    pub async fn create_products(
        &self,
        products: CreateProducts,
        request: Option<KeyedRequest>,
        render: Render<Vec<ProductOutcome>>,
    ) -> Result<Answer, UseCaseError> {
        let now = self.clock.now();
        let script = Script { products, now, ids: self.ids.clone() };
        self.runner.run(Idempotent { script, request, render, now }).await
    }
}

struct Script {
    products: CreateProducts,
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Vec<ProductOutcome>;

    const NAME: &'static str = "create_products";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Vec<ProductOutcome>, UseCaseError> {
        let mut outcomes = Vec::new();
        let mut created = Vec::new();
        let mut movements = Vec::new();
        for draft in &self.products.drafts {
            let id = ProductId::from_uuid(self.ids.uuid());
            let made = draft.clone().and_then(|new| Product::create(id, new, self.now));
            outcomes.push(made.map(|(product, movement)| {
                created.push(product.clone());
                movements.push(movement);
                product
            }));
        }
        let refused = outcomes.iter().find_map(|outcome| outcome.as_ref().err());
        if let (OnError::Reject, Some(error)) = (self.products.on_error, refused) {
            return Err(UseCaseError::rejected(error.clone()));
        }
        tx.products().insert(&created).await?;
        tx.products().move_stock(&movements).await?;
        Ok(outcomes)
    }
}
