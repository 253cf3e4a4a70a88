//! Placing orders: several that wait at the same moment share one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{Clock, IdGenerator, StoreError, Timestamp};
use order::OrderStatus;

use crate::decide::{ChangeSet, Moment, OrderCommand, Receipt, Snapshot, decide};
use crate::{
    Answer, BusinessTerms, Checkout, CompletedRequest, IdempotencyError, KeyedRequest, Rejection, Render,
    Transaction, TransactionScript, UseCaseError,
};

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
        let size = orders.len();
        match self.runner.run(self.script(orders.clone(), render)).await {
            Ok(placed) => {
                placed.outcomes.into_iter().map(|outcome| outcome.map_err(UseCaseError::Rejected)).collect()
            }
            Err(error) if size == 1 => vec![Err(error)],
            Err(UseCaseError::Failed(StoreError::OutcomeUnknown(error))) => {
                self.place_keyed_again(orders, render, &error.to_string()).await
            }
            // The store is away for each of them alone as well.
            Err(UseCaseError::Failed(StoreError::Unavailable(error))) => {
                let reason = error.to_string();
                (0..size).map(|_| Err(StoreError::Unavailable(reason.clone().into()).into())).collect()
            }
            Err(_) => {
                let mut outcomes = Vec::with_capacity(size);
                for order in orders {
                    let alone = self.runner.run(self.script(vec![order], render)).await;
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
        orders: Vec<PlaceOrder>,
        render: Render<Receipt>,
        reason: &str,
    ) -> Vec<Result<Answer, UseCaseError>> {
        let has_key: Vec<bool> = orders.iter().map(|order| order.request.is_some()).collect();
        let mut again = Vec::new().into_iter();
        if has_key.contains(&false) {
            let keyed: Vec<PlaceOrder> = orders.into_iter().filter(|order| order.request.is_some()).collect();
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

    fn script(&self, orders: Vec<PlaceOrder>, render: Render<Receipt>) -> PlaceOrders {
        PlaceOrders { orders, render, terms: self.terms, clock: self.clock.clone(), ids: self.ids.clone() }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a set of orders had fewer outcomes than orders")]
struct MissingOutcome;

struct PlaceOrders {
    orders: Vec<PlaceOrder>,
    render: Render<Receipt>,
    terms: BusinessTerms,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

type Outcome = Result<Answer, Rejection>;

/// What became of a set of orders.
struct Placed {
    /// One outcome for each order, in their order.
    outcomes: Vec<Outcome>,
    /// The status of each order that is new.
    new: Vec<OrderStatus>,
}

#[async_trait]
impl TransactionScript for PlaceOrders {
    type Output = Placed;

    const NAME: &'static str = "place_orders";

    fn repeatable(&self) -> bool {
        self.orders.iter().all(|order| order.request.is_some())
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Placed, UseCaseError> {
        let now = self.clock.now();
        let mut outcomes = self.claim(tx, now).await?;
        let open: Vec<usize> = (0..self.orders.len()).filter(|index| !outcomes.contains_key(index)).collect();
        let commands: Vec<OrderCommand> =
            open.iter().map(|index| self.orders[*index].command.clone()).collect();
        let mut new = Vec::new();
        if !commands.is_empty() {
            let mut snapshot = load(tx, &commands).await?;
            let BusinessTerms { zone, payment_window } = self.terms;
            let at = Moment { now, zone, payment_window };
            let decision = decide(&mut snapshot, &commands, at, self.ids.as_ref());
            store(tx, &decision.changes).await?;
            let mut completed = Vec::new();
            let mut released = Vec::new();
            for (index, outcome) in open.into_iter().zip(decision.outcomes) {
                let request = self.orders[index].request.clone();
                let answer = match outcome {
                    Ok(receipt) => {
                        new.push(receipt.order.status);
                        let reply = (self.render)(&receipt).map_err(UseCaseError::defect)?;
                        completed
                            .extend(request.map(|request| CompletedRequest::new(request, reply.clone())));
                        Ok(Answer::fresh(reply))
                    }
                    Err(rejection) => {
                        released.extend(request);
                        Err(rejection)
                    }
                };
                outcomes.insert(index, answer);
            }
            tx.keys().complete(&completed).await?;
            tx.keys().release(&released).await?;
        }
        Ok(Placed { outcomes: outcomes.into_values().collect(), new })
    }

    fn committed(&self, placed: &Placed) {
        for status in &placed.new {
            metrics::counter!("jumun_orders_total", "status" => status.as_str()).increment(1);
        }
    }
}

impl PlaceOrders {
    /// Claims the keys and returns the outcomes that are settled by them, by the order's place.
    async fn claim(
        &self,
        tx: &mut dyn Transaction,
        now: Timestamp,
    ) -> Result<BTreeMap<usize, Outcome>, UseCaseError> {
        let mut outcomes = BTreeMap::new();
        let mut places: BTreeMap<&KeyedRequest, usize> = BTreeMap::new();
        let mut names = BTreeSet::new();
        for (index, order) in self.orders.iter().enumerate() {
            let Some(request) = &order.request else { continue };
            // A twin in the same set finds the first one at work.
            if names.insert((request.caller, &request.key)) {
                places.insert(request, index);
            } else {
                outcomes.insert(index, Err(IdempotencyError::InProgress.into()));
            }
        }
        let requests: Vec<KeyedRequest> = places.keys().map(|request| (*request).clone()).collect();
        if requests.is_empty() {
            return Ok(outcomes);
        }
        let claims = tx.keys().claim(&requests, now).await?;
        for (index, claim) in places.into_values().zip(claims) {
            if let Some(settled) = claim.settled() {
                outcomes.insert(index, settled.map_err(Rejection::from));
            }
        }
        Ok(outcomes)
    }
}

async fn load(tx: &mut dyn Transaction, commands: &[OrderCommand]) -> Result<Snapshot, StoreError> {
    let products = commands.iter().flat_map(|command| command.basket.product_ids()).collect();
    let users = commands.iter().map(|command| command.user_id).collect();
    let codes: BTreeSet<_> =
        commands.iter().filter_map(|command| Some((command.user_id, command.coupon_code.clone()?))).collect();
    let from_cart = commands.iter().filter(|command| command.cart.is_some());
    let carts = tx.carts().lock(&from_cart.map(|command| command.user_id).collect()).await?;
    let products = tx.products().lock(&products).await?;
    let coupons = tx.coupons().lock_held(&codes).await?;
    let wallets = tx.wallets().lock(&users).await?;
    Ok(Snapshot::new(products, coupons, wallets).with_carts(carts))
}

async fn store(tx: &mut dyn Transaction, changes: &ChangeSet) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    tx.carts().save(&changes.carts).await?;
    tx.products().move_stock(&changes.stock).await?;
    tx.coupons().save(&changes.coupons).await?;
    tx.wallets().record(&changes.points).await?;
    tx.orders().insert(&changes.orders, &changes.history).await?;
    tx.payments().insert(&changes.payments).await?;
    tx.sales().add(&changes.sales).await?;
    tx.outbox().append(&changes.events).await
}
