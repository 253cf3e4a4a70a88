//! A set of orders in one transaction: decided on what was read, and confirmed under lock at the very end.
//! See ADR-043.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use kernel::{StoreError, Timestamp};
use order::OrderStatus;

use crate::confirm::{Overtaken, Told, confirm_points, confirm_stock, tell_balances};
use crate::decide::{ChangeSet, Decision, Moment, OrderCommand, Receipt, Snapshot, decide};
use crate::{
    Answer, BusinessTerms, Checkout, CompletedRequest, IdempotencyError, KeyedRequest, PlaceOrder, Rejection,
    Render, Transaction, TransactionScript, UseCaseError,
};

/// The script that places a set of orders.
pub(crate) struct OrderSet {
    checkout: Checkout,
    orders: Arc<[PlaceOrder]>,
    render: Render<Receipt>,
    /// Whether an attempt has found out too late that others were quicker.
    overtaken: AtomicBool,
}

type Outcome = Result<Answer, Rejection>;

/// What became of a set of orders.
pub(crate) struct Placed {
    /// One outcome for each order, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// The status of each order that is new.
    new: Vec<OrderStatus>,
}

impl OrderSet {
    pub(crate) fn new(checkout: Checkout, orders: Arc<[PlaceOrder]>, render: Render<Receipt>) -> Self {
        Self { checkout, orders, render, overtaken: AtomicBool::new(false) }
    }
}

#[async_trait]
impl TransactionScript for OrderSet {
    type Output = Placed;

    const NAME: &'static str = "place_orders";

    fn repeatable(&self) -> bool {
        self.orders.iter().all(|order| order.request.is_some())
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Placed, UseCaseError> {
        let now = self.checkout.clock.now();
        let mut outcomes = self.claim(tx, now).await?;
        let open: Vec<usize> = (0..self.orders.len()).filter(|index| !outcomes.contains_key(index)).collect();
        if open.is_empty() {
            return Ok(Placed { outcomes: outcomes.into_values().collect(), new: Vec::new() });
        }
        let commands: Vec<&OrderCommand> = open.iter().map(|index| &self.orders[*index].command).collect();
        let mut snapshot = self.load(tx, &commands).await?;
        let BusinessTerms { zone, payment_window } = self.checkout.terms;
        let at = Moment { now, zone, payment_window };
        let mut decision = decide(&mut snapshot, commands.iter().copied(), at, self.checkout.ids.as_ref());
        let told = Told::of(commands, &decision.outcomes);
        store_what_is_their_own(tx, &decision.changes).await?;
        self.move_points(tx, &mut decision, &told).await?;
        let Decision { outcomes: decided, mut changes } = decision;
        let (mut new, mut completed, mut released) = (Vec::new(), Vec::new(), Vec::new());
        for (index, decided) in open.into_iter().zip(decided) {
            let request = self.orders[index].request.clone();
            let outcome = match decided {
                Ok(receipt) => {
                    new.push(receipt.order.status);
                    let reply = (self.render)(&receipt).map_err(UseCaseError::defect)?;
                    completed.extend(request.map(|request| CompletedRequest::new(request, reply.clone())));
                    Ok(Answer::fresh(reply))
                }
                Err(rejection) => {
                    released.extend(request);
                    Err(rejection)
                }
            };
            outcomes.insert(index, outcome);
        }
        tx.keys().complete(&completed).await?;
        tx.keys().release(&released).await?;
        self.move_stock(tx, &snapshot, &mut changes, &told).await?;
        Ok(Placed { outcomes: outcomes.into_values().collect(), new })
    }

    fn committed(&self, placed: &Placed) {
        for status in &placed.new {
            metrics::counter!("jumun_orders_total", "status" => status.as_str()).increment(1);
        }
    }
}

impl OrderSet {
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

    /// Locks what nobody else is likely to want, and reads wallets and products without locking them, unless
    /// others have overtaken this set before.
    async fn load(
        &self,
        tx: &mut dyn Transaction,
        commands: &[&OrderCommand],
    ) -> Result<Snapshot, StoreError> {
        let products = commands.iter().flat_map(|command| command.basket.product_ids()).collect();
        let users = commands.iter().map(|command| command.user_id).collect();
        let coupon = |command: &&OrderCommand| Some((command.user_id, command.coupon_code.clone()?));
        let codes: BTreeSet<_> = commands.iter().filter_map(coupon).collect();
        let from_cart = commands.iter().filter(|command| command.cart.is_some());
        let carts = tx.carts().lock(&from_cart.map(|command| command.user_id).collect()).await?;
        let coupons = tx.coupons().lock_held(&codes).await?;
        let (wallets, products) = if self.overtaken.load(Ordering::Relaxed) {
            let wallets = tx.wallets().lock(&users).await?;
            (wallets, tx.products().lock(&products).await?)
        } else {
            let wallets = tx.wallets().read(&users).await?;
            (wallets, tx.products().read(&products).await?)
        };
        Ok(Snapshot::new(products, coupons, wallets).with_carts(carts))
    }

    /// Locks the wallets, makes sure that they still cover what is paid, and moves the points.
    async fn move_points(
        &self,
        tx: &mut dyn Transaction,
        decision: &mut Decision,
        told: &Told,
    ) -> Result<(), StoreError> {
        let entries = &mut decision.changes.points;
        if entries.is_empty() {
            return Ok(());
        }
        let locked = tx.wallets().lock(&entries.iter().map(|entry| entry.user_id).collect()).await?;
        confirm_points(entries, locked, told).map_err(|overtaken| self.try_again(overtaken))?;
        tx.wallets().record(entries).await?;
        tell_balances(decision.outcomes.iter_mut().flatten(), entries);
        Ok(())
    }

    /// Locks the products, makes sure that the orders can still be met, and moves their stock. It is the last
    /// step before the commit, so that others wait for these rows as short as can be.
    async fn move_stock(
        &self,
        tx: &mut dyn Transaction,
        read: &Snapshot,
        changes: &mut ChangeSet,
        told: &Told,
    ) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let ids = changes.stock.iter().map(|movement| movement.product_id).collect();
        let locked = tx.products().lock(&ids).await?;
        confirm_stock(&mut changes.stock, locked, read, told)
            .map_err(|overtaken| self.try_again(overtaken))?;
        tx.products().move_stock(&changes.stock).await?;
        tx.sales().add(&changes.sales).await
    }

    /// It has to be decided anew, and then with everything under lock, so that it happens once.
    fn try_again(&self, overtaken: Overtaken) -> StoreError {
        self.overtaken.store(true, Ordering::Relaxed);
        metrics::counter!("jumun_lock_conflicts_total", "reason" => "overtaken").increment(1);
        StoreError::Contended(Box::new(overtaken))
    }
}

/// Stores the rows that no other order waits for.
async fn store_what_is_their_own(tx: &mut dyn Transaction, changes: &ChangeSet) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    tx.carts().save(&changes.carts).await?;
    tx.coupons().save(&changes.coupons).await?;
    tx.orders().insert(&changes.orders, &changes.history).await?;
    tx.payments().insert(&changes.payments).await?;
    tx.outbox().append(&changes.events).await
}
