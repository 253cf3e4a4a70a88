//! The decision on a set of orders: pure, synchronous, and the same whatever stands behind the ports.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use coupon::{Benefit, CouponCode, CouponError, HeldCoupon, UserCoupon};
use kernel::{
    BusinessZone, DomainEvent, EventId, EventPayload, IdGenerator, Money, OrderId, PaymentId, ProductId,
    Timestamp, TraceContext, UserId,
};
use order::{
    Actor, AppliedCoupon, Basket, DiscountPolicy, Order, OrderError, OrderLine, OrderPaid, OrderPlaced,
    Reduction, StatusChange,
};
use payment::Payment;
use point::{PointEntry, Wallet};
use product::{Product, ProductError, StockMovement};

use crate::{DailySale, Rejection};

/// An order that somebody wants to place and pay with points.
#[derive(Clone, Debug)]
pub struct OrderCommand {
    /// The id that the order will have.
    pub order_id: OrderId,
    /// The id that its payment will have.
    pub payment_id: PaymentId,
    /// Who orders.
    pub user_id: UserId,
    /// What is ordered.
    pub basket: Basket,
    /// What the buyer expects to pay; another sum is refused.
    pub expected_amount: Option<Money>,
    /// The code of a coupon to use.
    pub coupon_code: Option<CouponCode>,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

/// What was loaded under lock. Deciding changes it: a later order of the same set sees what an earlier
/// one has left.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    products: BTreeMap<ProductId, Product>,
    coupons: BTreeMap<(UserId, CouponCode), HeldCoupon>,
    wallets: BTreeMap<UserId, Wallet>,
}

impl Snapshot {
    /// Takes what was loaded.
    pub fn new(products: Vec<Product>, coupons: Vec<HeldCoupon>, wallets: Vec<Wallet>) -> Self {
        let by_holder = |held: HeldCoupon| ((held.piece.user_id, held.coupon.terms.code.clone()), held);
        Self {
            products: products.into_iter().map(|product| (product.id, product)).collect(),
            coupons: coupons.into_iter().map(by_holder).collect(),
            wallets: wallets.into_iter().map(|wallet| (wallet.user_id(), wallet)).collect(),
        }
    }

    /// Returns the products as they stand now.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// Returns the coupons that were asked for and are held, as they stand now.
    pub fn coupons(&self) -> impl Iterator<Item = &HeldCoupon> {
        self.coupons.values()
    }

    /// Returns the wallets as they stand now.
    pub fn wallets(&self) -> impl Iterator<Item = &Wallet> {
        self.wallets.values()
    }
}

/// When it is decided, and where the business counts its days.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The present.
    pub now: Timestamp,
    /// The zone of the business.
    pub zone: BusinessZone,
}

/// An accepted order, as its buyer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The order.
    pub order: Order,
    /// What is left in the buyer's wallet.
    pub balance: Money,
}

/// Everything that the accepted orders of a set change together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Movements of stock.
    pub stock: Vec<StockMovement>,
    /// Coupons that were used.
    pub coupons: Vec<UserCoupon>,
    /// Entries of wallets.
    pub points: Vec<PointEntry>,
    /// New orders.
    pub orders: Vec<Order>,
    /// Their history.
    pub history: Vec<StatusChange>,
    /// Their payments.
    pub payments: Vec<Payment>,
    /// What others are told.
    pub events: Vec<DomainEvent>,
    /// What is added to the daily sales, ascending by product and day.
    pub sales: Vec<DailySale>,
}

/// The answer to each order, and what the accepted ones change.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// One outcome for each command, in their order.
    pub outcomes: Vec<Result<Receipt, Rejection>>,
    /// What is to be stored.
    pub changes: ChangeSet,
}

/// Decides on orders one after the other. A rejected order leaves no trace and never harms its neighbours.
pub fn decide(
    snapshot: &mut Snapshot,
    commands: &[OrderCommand],
    at: Moment,
    ids: &dyn IdGenerator,
) -> Decision {
    let mut decision = Decision::default();
    for command in commands {
        let outcome = accept(snapshot, command, at, ids).map(|accepted| {
            decision.changes.absorb(&accepted);
            let balance = accepted.wallet.balance();
            snapshot.products.extend(accepted.products);
            if accepted.entry.is_some() {
                snapshot.wallets.insert(command.user_id, accepted.wallet);
            }
            if let Some((code, held)) = command.coupon_code.clone().zip(accepted.coupon) {
                snapshot.coupons.insert((command.user_id, code), held);
            }
            Receipt { order: accepted.order, balance }
        });
        decision.outcomes.push(outcome);
    }
    decision.changes.sales = daily_sales(&decision.changes.orders, at.zone);
    decision
}

/// One accepted order with the state it leads to.
struct Accepted {
    products: BTreeMap<ProductId, Product>,
    coupon: Option<HeldCoupon>,
    wallet: Wallet,
    movements: Vec<StockMovement>,
    /// Nothing moves where a coupon has taken everything off.
    entry: Option<PointEntry>,
    order: Order,
    history: [StatusChange; 2],
    payment: Payment,
    events: [DomainEvent; 2],
}

fn accept(
    snapshot: &Snapshot,
    command: &OrderCommand,
    at: Moment,
    ids: &dyn IdGenerator,
) -> Result<Accepted, Rejection> {
    let mut products = BTreeMap::new();
    let mut movements = Vec::new();
    let mut lines = Vec::new();
    for (id, quantity) in command.basket.items() {
        let mut product = snapshot.products.get(id).cloned().ok_or(ProductError::NotFound(*id))?;
        movements.push(product.sell(*quantity, command.order_id, at.now)?);
        lines.push(OrderLine::new(*id, product.name.as_str(), product.price, *quantity)?);
        products.insert(*id, product);
    }
    let buyer = Actor::User(command.user_id);
    let coupon =
        command.coupon_code.as_ref().map(|code| redeem(snapshot, code, command, at.now)).transpose()?;
    let policy = coupon.as_ref().map(policy_of);
    let applied = coupon.as_ref().map(applied_coupon).zip(policy.as_ref());
    let (mut order, placed) = Order::place(command.order_id, command.user_id, lines, applied, at.now)?;
    let placed_event = event(&OrderPlaced::of(&order), &placed, command, ids)?;
    let payable = order.payable();
    if let Some(expected) = command.expected_amount.filter(|expected| *expected != payable) {
        return Err(OrderError::AmountChanged { expected, actual: payable }.into());
    }
    let mut wallet =
        snapshot.wallets.get(&command.user_id).cloned().unwrap_or_else(|| Wallet::empty(command.user_id));
    let entry = if payable == Money::ZERO { None } else { Some(wallet.pay(payable, order.id, at.now)?) };
    let paid = order.pay(buyer, at.now)?;
    let paid_event = event(&OrderPaid::of(&order, command.payment_id), &paid, command, ids)?;
    let payment =
        Payment::settled_with_points(command.payment_id, order.id, command.user_id, order.paid, at.now);
    Ok(Accepted {
        products,
        coupon,
        wallet,
        movements,
        entry,
        order,
        history: [placed, paid],
        payment,
        events: [placed_event, paid_event],
    })
}

/// Uses the buyer's piece of a coupon.
fn redeem(
    snapshot: &Snapshot,
    code: &CouponCode,
    command: &OrderCommand,
    now: Timestamp,
) -> Result<HeldCoupon, CouponError> {
    let held = snapshot.coupons.get(&(command.user_id, code.clone()));
    let mut held = held.cloned().ok_or(CouponError::NotHeld)?;
    held.coupon.ensure_valid_at(now)?;
    held.piece.use_for(command.order_id, now)?;
    Ok(held)
}

/// What a coupon hands over to the order: by which rules it takes something off.
fn policy_of(held: &HeldCoupon) -> DiscountPolicy {
    let terms = &held.coupon.terms;
    DiscountPolicy {
        reduction: match terms.benefit {
            Benefit::Percent(share) => Reduction::Share(share.basis_points()),
            Benefit::Fixed(amount) => Reduction::Amount(amount),
        },
        cap: terms.max_discount,
        minimum: terms.min_order_amount,
        products: terms.products.clone(),
    }
}

fn applied_coupon(held: &HeldCoupon) -> AppliedCoupon {
    AppliedCoupon { user_coupon_id: held.piece.id, code: held.coupon.terms.code.to_string() }
}

/// Tells of a change of status; the event has the sequence number of the change.
fn event<P: EventPayload>(
    payload: &P,
    change: &StatusChange,
    command: &OrderCommand,
    ids: &dyn IdGenerator,
) -> Result<DomainEvent, OrderError> {
    let id = EventId::from_uuid(ids.uuid());
    let event = DomainEvent::new(id, change.order_id.as_uuid(), change.sequence, change.changed_at, payload)
        .map_err(|_| OrderError::Inconsistent)?;
    Ok(DomainEvent { trace: command.trace, ..event })
}

impl ChangeSet {
    fn absorb(&mut self, accepted: &Accepted) {
        self.stock.extend_from_slice(&accepted.movements);
        self.coupons.extend(accepted.coupon.as_ref().map(|held| held.piece.clone()));
        self.points.extend(accepted.entry.clone());
        self.orders.push(accepted.order.clone());
        self.history.extend_from_slice(&accepted.history);
        self.payments.push(accepted.payment.clone());
        self.events.extend_from_slice(&accepted.events);
    }

    /// Tells whether nothing is to be stored.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}

fn daily_sales(orders: &[Order], zone: BusinessZone) -> Vec<DailySale> {
    let mut sums: BTreeMap<(ProductId, NaiveDate), (u32, Money)> = BTreeMap::new();
    for order in orders {
        for line in &order.lines {
            let (quantity, amount) = sums.entry((line.product_id, zone.day(order.created_at))).or_default();
            *quantity = quantity.saturating_add(line.quantity);
            *amount = amount.checked_add(line.subtotal).unwrap_or(Money::MAX);
        }
    }
    sums.into_iter()
        .map(|((product_id, day), (quantity, amount))| DailySale { product_id, day, quantity, amount })
        .collect()
}
