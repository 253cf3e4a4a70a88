//! Placing orders: several that wait at the same moment share one transaction.

use std::sync::Arc;

use kernel::StoreError;

use crate::decide::{OrderCommand, Receipt};
use crate::order_set::OrderSet;
use crate::{Answer, Checkout, KeyedRequest, Render, UseCaseError};

/// An order to place, with its caller's idempotency key.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    /// The order.
    pub command: OrderCommand,
    /// The caller's key, if there is one.
    pub request: Option<KeyedRequest>,
}

impl Checkout {
    /// Places an order.
    ///
    /// # Errors
    /// The rejection of the order, or why it could not be decided.
    pub async fn place_order(
        &self,
        order: PlaceOrder,
        render: Render<Receipt>,
    ) -> Result<Answer, UseCaseError> {
        let outcomes = self.place_orders(vec![order], render).await;
        outcomes.into_iter().next().unwrap_or_else(|| Err(UseCaseError::defect(MissingOutcome)))
    }

    /// Places orders in one transaction and answers each of them, in their order. If the transaction fails
    /// while the store is there, each order gets one of its own, so that one of them cannot fail the rest.
    pub async fn place_orders(
        &self,
        orders: Vec<PlaceOrder>,
        render: Render<Receipt>,
    ) -> Vec<Result<Answer, UseCaseError>> {
        let orders: Arc<[PlaceOrder]> = orders.into();
        let size = orders.len();
        match self.runner.run(self.script(orders.clone(), render)).await {
            Ok(placed) => {
                placed.outcomes.into_iter().map(|outcome| outcome.map_err(UseCaseError::Rejected)).collect()
            }
            Err(error) if size == 1 => vec![Err(error)],
            Err(UseCaseError::Failed(StoreError::OutcomeUnknown(error))) => {
                self.place_keyed_again(&orders, render, &error.to_string()).await
            }
            // The store is away for each of them alone as well.
            Err(UseCaseError::Failed(StoreError::Unavailable(error))) => {
                let reason = error.to_string();
                (0..size).map(|_| Err(StoreError::Unavailable(reason.clone().into()).into())).collect()
            }
            Err(_) => {
                let mut outcomes = Vec::with_capacity(size);
                for order in orders.iter().cloned() {
                    let alone = self.runner.run(self.script([order].into(), render)).await;
                    outcomes.push(match alone.map(|placed| placed.outcomes.into_iter().next()) {
                        Ok(Some(outcome)) => outcome.map_err(UseCaseError::Rejected),
                        Ok(None) => Err(UseCaseError::defect(MissingOutcome)),
                        Err(error) => Err(error),
                    });
                }
                outcomes
            }
        }
    }

    /// After a commit that may have happened: an order whose key tells runs again and is placed or replayed,
    /// the others must not, and the runner has tried already if all of them have keys.
    async fn place_keyed_again(
        &self,
        orders: &[PlaceOrder],
        render: Render<Receipt>,
        reason: &str,
    ) -> Vec<Result<Answer, UseCaseError>> {
        let has_key: Vec<bool> = orders.iter().map(|order| order.request.is_some()).collect();
        let mut again = Vec::new().into_iter();
        if has_key.contains(&false) {
            let keyed: Vec<PlaceOrder> =
                orders.iter().filter(|order| order.request.is_some()).cloned().collect();
            if !keyed.is_empty() {
                again = Box::pin(self.place_orders(keyed, render)).await.into_iter();
            }
        }
        let unknown = || Err(StoreError::OutcomeUnknown(reason.into()).into());
        has_key
            .into_iter()
            .map(|keyed| if keyed { again.next() } else { None }.unwrap_or_else(unknown))
            .collect()
    }

    fn script(&self, orders: Arc<[PlaceOrder]>, render: Render<Receipt>) -> OrderSet {
        OrderSet::new(self.clone(), orders, render)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a set of orders had fewer outcomes than orders")]
struct MissingOutcome;
