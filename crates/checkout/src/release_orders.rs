//! Orders that are given up or not paid in time: their stock and their coupon go back (ADR-039).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{DomainEvent, IdGenerator, OrderId, ProductId, Timestamp, TraceContext, UserId};
use order::{Actor, Order, OrderCancelled, OrderError, OrderExpired, StatusChange};
use product::{Product, ProductError};

use crate::order_event::order_event;
use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Render, Transaction, TransactionScript, UseCaseError,
};

/// An order to give up before it is paid.
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
    /// Who gives it up.
    pub by: UserId,
    /// Whether the order may be given up as it is; the caller's precondition.
    pub precondition: Box<dyn Fn(&Order) -> bool + Send + Sync>,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

impl Checkout {
    /// How many orders expire in one transaction.
    const EXPIRED_AT_ONCE: u32 = 50;

    /// Gives an order up and answers with what is left of it.
    ///
    /// # Errors
    /// The rejection of the order, or why it could not be decided.
    pub async fn cancel_order(
        &self,
        cancel: CancelOrder,
        request: Option<KeyedRequest>,
        render: Render<Order>,
    ) -> Result<Answer, UseCaseError> {
        let now = self.clock.now();
        let script = Cancel { wanted: cancel, now, ids: self.ids.clone() };
        self.runner.run(Idempotent { script, request, render, now }).await
    }

    /// Lets orders expire that were not paid in time, a bounded number of them, and returns how many. Any
    /// number of processes may do so at once. An order that is being paid at this moment is left alone: it
    /// is paid then, or expires the next time.
    ///
    /// # Errors
    /// Why it could not be carried out.
    pub async fn expire_orders(&self) -> Result<usize, UseCaseError> {
        let now = self.clock.now();
        self.runner.run(Expire { now, limit: Self::EXPIRED_AT_ONCE, ids: self.ids.clone() }).await
    }
}

struct Cancel {
    wanted: CancelOrder,
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for Cancel {
    type Output = Order;

    const NAME: &'static str = "cancel_order";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Order, UseCaseError> {
        let CancelOrder { order_id, by, precondition, trace } = &self.wanted;
        let found = tx.orders().lock(&[*order_id].into()).await?.into_iter().next();
        let mut order = found.ok_or_else(|| UseCaseError::rejected(OrderError::NotFound(*order_id)))?;
        if !precondition(&order) {
            return Err(UseCaseError::rejected(OrderError::Changed));
        }
        let change = order.cancel(Actor::User(*by), self.now).map_err(UseCaseError::rejected)?;
        let event = order_event(&OrderCancelled::of(&order), &change, *trace, self.ids.as_ref());
        let event = event.map_err(UseCaseError::rejected)?;
        release(tx, std::slice::from_ref(&order), &[change], &[event], self.now).await?;
        Ok(order)
    }

    fn committed(&self, order: &Order) {
        metrics::counter!("jumun_orders_total", "status" => order.status.as_str()).increment(1);
    }
}

struct Expire {
    now: Timestamp,
    limit: u32,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for Expire {
    type Output = usize;

    const NAME: &'static str = "expire_orders";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<usize, UseCaseError> {
        let mut orders = tx.orders().lock_overdue(self.now, self.limit).await?;
        let mut changes = Vec::with_capacity(orders.len());
        let mut events = Vec::with_capacity(orders.len());
        for order in &mut orders {
            let change = order.expire(self.now).map_err(UseCaseError::rejected)?;
            let event = order_event(&OrderExpired::of(order), &change, None, self.ids.as_ref());
            events.push(event.map_err(UseCaseError::rejected)?);
            changes.push(change);
        }
        release(tx, &orders, &changes, &events, self.now).await?;
        Ok(orders.len())
    }

    fn committed(&self, expired: &usize) {
        metrics::counter!("jumun_orders_total", "status" => "EXPIRED").increment(*expired as u64);
    }
}

/// Stores orders that will not be paid any more, and gives back what they held.
async fn release(
    tx: &mut dyn Transaction,
    orders: &[Order],
    changes: &[StatusChange],
    events: &[DomainEvent],
    now: Timestamp,
) -> Result<(), UseCaseError> {
    if orders.is_empty() {
        return Ok(());
    }
    let lines = orders.iter().flat_map(|order| order.lines.iter().map(move |line| (order.id, line)));
    let returned: Vec<Returned> = lines
        .map(|(order_id, line)| Returned { order_id, product_id: line.product_id, quantity: line.quantity })
        .collect();
    give_coupons_back(tx, orders, |_| true).await?;
    tx.orders().save(orders, changes).await?;
    tx.outbox().append(events).await?;
    take_stock_back(tx, &returned, now).await
}

/// Pieces that an order gives back.
pub(crate) struct Returned {
    pub(crate) order_id: OrderId,
    pub(crate) product_id: ProductId,
    pub(crate) quantity: u32,
}

/// Locks the products and puts the pieces back on their shelves.
pub(crate) async fn take_stock_back(
    tx: &mut dyn Transaction,
    returned: &[Returned],
    now: Timestamp,
) -> Result<(), UseCaseError> {
    let ids: BTreeSet<ProductId> = returned.iter().map(|pieces| pieces.product_id).collect();
    let locked = tx.products().lock(&ids).await?;
    let mut products: BTreeMap<ProductId, Product> =
        locked.into_iter().map(|product| (product.id, product)).collect();
    let mut movements = Vec::with_capacity(returned.len());
    for Returned { order_id, product_id, quantity } in returned {
        let missing = || UseCaseError::rejected(ProductError::NotFound(*product_id));
        let product = products.get_mut(product_id).ok_or_else(missing)?;
        movements.push(product.take_back(*quantity, *order_id, now).map_err(UseCaseError::rejected)?);
    }
    Ok(tx.products().move_stock(&movements).await?)
}

/// Locks the pieces of coupons that orders used and gives those back for which `may` says so.
pub(crate) async fn give_coupons_back(
    tx: &mut dyn Transaction,
    orders: &[Order],
    may: impl Fn(&coupon::Coupon) -> bool + Send,
) -> Result<(), UseCaseError> {
    let used: BTreeMap<_, OrderId> =
        orders.iter().filter_map(|order| Some((order.coupon.as_ref()?.user_coupon_id, order.id))).collect();
    let mut pieces = Vec::with_capacity(used.len());
    for held in tx.coupons().lock_pieces(&used.keys().copied().collect()).await? {
        if let Some(order) = used.get(&held.piece.id).filter(|_| may(&held.coupon)) {
            let mut piece = held.piece;
            piece.give_back(*order).map_err(UseCaseError::rejected)?;
            pieces.push(piece);
        }
    }
    Ok(tx.coupons().save(&pieces).await?)
}
