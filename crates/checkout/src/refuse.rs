//! Refusing a request that may have been answered before.

use std::convert::Infallible;

use async_trait::async_trait;

use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Rejection, Transaction, TransactionScript, UseCaseError,
};

impl Checkout {
    /// Refuses a request, unless its key has an answer: that is given again, however much has changed since.
    /// The order that emptied a cart is the reason why its repetition finds the cart empty.
    ///
    /// # Errors
    /// The rejection, or why the key could not be looked up.
    pub async fn refuse(
        &self,
        rejection: impl Into<Rejection>,
        request: Option<KeyedRequest>,
    ) -> Result<Answer, UseCaseError> {
        let script = Refusal(rejection.into());
        if request.is_none() {
            return Err(script.0.into());
        }
        self.runner
            .run(Idempotent { script, request, render: |never| match *never {}, now: self.clock.now() })
            .await
    }
}

struct Refusal(Rejection);

#[async_trait]
impl TransactionScript for Refusal {
    type Output = Infallible;

    const NAME: &'static str = "refuse";

    async fn execute(&self, _tx: &mut dyn Transaction) -> Result<Infallible, UseCaseError> {
        // The claim of the key is rolled back with the transaction.
        Err(self.0.clone().into())
    }
}
