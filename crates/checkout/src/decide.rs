//! The decision on a set of orders: pure, synchronous, and the same whatever stands behind the ports.
//! See ADR-010.

use std::collections::BTreeMap;
use std::time::Duration;

use cart::{Cart, CartError};
use coupon::{Benefit, CouponCode, CouponError, HeldCoupon, UserCoupon};
use kernel::{
    BusinessZone, DomainEvent, IdGenerator, Money, OrderId, PaymentId, ProductId, Timestamp, TraceContext,
    UserId,
};
use order::{
    Actor, AppliedCoupon, Basket, DiscountPolicy, Order, OrderError, OrderLine, OrderPaid, OrderPlaced,
    Reduction, StatusChange,
};
use payment::Payment;
use point::{PointEntry, Wallet};
use product::{Product, ProductError, StockMovement};

use crate::Rejection;
use crate::order_event::order_event;
use crate::sales::{DailySale, sales_of};

/// When an order is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaymentTerms {
    /// At once, with points.
    #[default]
    Points,
    /// Later: the order holds its stock and coupon until then.
    Later,
}

/// An order that somebody wants to place.
#[derive(Clone, Debug)]
pub struct OrderCommand {
    /// The id that the order will have.
    pub order_id: OrderId,
    /// The id that its payment will have, if it is paid at once.
    pub payment_id: PaymentId,
    /// When it is paid.
    pub terms: PaymentTerms,
    /// Who orders.
    pub user_id: UserId,
    /// What is ordered.
    pub basket: Basket,
    /// The version of the buyer's cart that the basket is; accepting the order empties it.
    pub cart: Option<u32>,
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
    carts: BTreeMap<UserId, Cart>,
    products: BTreeMap<ProductId, Product>,
    coupons: BTreeMap<(UserId, CouponCode), HeldCoupon>,
    wallets: BTreeMap<UserId, Wallet>,
}

impl Snapshot {
    /// Takes what was loaded.
    pub fn new(products: Vec<Product>, coupons: Vec<HeldCoupon>, wallets: Vec<Wallet>) -> Self {
        let by_holder = |held: HeldCoupon| ((held.piece.user_id, held.coupon.terms.code.clone()), held);
        Self {
            carts: BTreeMap::new(),
            products: products.into_iter().map(|product| (product.id, product)).collect(),
            coupons: coupons.into_iter().map(by_holder).collect(),
            wallets: wallets.into_iter().map(|wallet| (wallet.user_id(), wallet)).collect(),
        }
    }

    /// Takes the carts that are ordered from.
    #[must_use]
    pub fn with_carts(self, carts: Vec<Cart>) -> Self {
        Self { carts: carts.into_iter().map(|cart| (cart.user_id, cart)).collect(), ..self }
    }

    /// Returns the carts as they stand now.
    pub fn carts(&self) -> impl Iterator<Item = &Cart> {
        self.carts.values()
    }

    /// Returns the products as they stand now.
    pub fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// Tells whether a product is offered as it was when it was read: under this name, at this price, or not.
    pub(crate) fn offers(&self, product: &Product) -> bool {
        let same = |read: &Product| {
            read.name == product.name && read.price == product.price && read.status == product.status
        };
        self.products.get(&product.id).is_some_and(same)
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
    /// How long an order waits for its payment.
    pub payment_window: Duration,
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
    /// Carts that were emptied.
    pub carts: Vec<Cart>,
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
pub fn decide<'c>(
    snapshot: &mut Snapshot,
    commands: impl IntoIterator<Item = &'c OrderCommand>,
    at: Moment,
    ids: &dyn IdGenerator,
) -> Decision {
    let mut decision = Decision::default();
    for command in commands {
        let outcome = accept(snapshot, command, at, ids).map(|mut accepted| {
            decision.changes.absorb(&mut accepted);
            let balance = accepted.wallet.balance();
            snapshot.carts.extend(accepted.cart.map(|cart| (cart.user_id, cart)));
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
    decision.changes.sales = sales_of(&decision.changes.orders, at.zone);
    decision
}

/// One accepted order with the state it leads to.
struct Accepted {
    cart: Option<Cart>,
    products: BTreeMap<ProductId, Product>,
    coupon: Option<HeldCoupon>,
    wallet: Wallet,
    movements: Vec<StockMovement>,
    order: Order,
    history: Vec<StatusChange>,
    events: Vec<DomainEvent>,
    /// Nothing moves where a coupon has taken everything off, or the payment is still to come.
    entry: Option<PointEntry>,
    payment: Option<Payment>,
}

fn accept(
    snapshot: &Snapshot,
    command: &OrderCommand,
    at: Moment,
    ids: &dyn IdGenerator,
) -> Result<Accepted, Rejection> {
    let cart = command.cart.map(|version| check_out(snapshot, version, command, at.now)).transpose()?;
    let mut products = BTreeMap::new();
    let mut movements = Vec::new();
    let mut lines = Vec::new();
    for (id, quantity) in command.basket.items() {
        let mut product = snapshot.products.get(id).cloned().ok_or(ProductError::NotFound(*id))?;
        movements.push(product.sell(*quantity, command.order_id, at.now)?);
        lines.push(OrderLine::new(*id, product.name.as_str(), product.price, *quantity)?);
        products.insert(*id, product);
    }
    let coupon =
        command.coupon_code.as_ref().map(|code| redeem(snapshot, code, command, at.now)).transpose()?;
    let policy = coupon.as_ref().map(policy_of);
    let applied = coupon.as_ref().map(applied_coupon).zip(policy.as_ref());
    let expires_at = at.now + at.payment_window;
    let (order, placed) =
        Order::place(command.order_id, command.user_id, lines, applied, expires_at, at.now)?;
    let event = order_event(&OrderPlaced::of(&order), &placed, command.trace, ids)?;
    let payable = order.payable();
    if let Some(expected) = command.expected_amount.filter(|expected| *expected != payable) {
        return Err(OrderError::AmountChanged { expected, actual: payable }.into());
    }
    let wallet =
        snapshot.wallets.get(&command.user_id).cloned().unwrap_or_else(|| Wallet::empty(command.user_id));
    let mut accepted = Accepted {
        cart,
        products,
        coupon,
        wallet,
        movements,
        order,
        history: vec![placed],
        events: vec![event],
        entry: None,
        payment: None,
    };
    if command.terms == PaymentTerms::Points {
        accepted.pay(command, at.now, ids)?;
    }
    Ok(accepted)
}

impl Accepted {
    /// Pays the order with points.
    fn pay(
        &mut self,
        command: &OrderCommand,
        now: Timestamp,
        ids: &dyn IdGenerator,
    ) -> Result<(), Rejection> {
        let (payable, order_id, payment_id) = (self.order.payable(), self.order.id, command.payment_id);
        if payable != Money::ZERO {
            self.entry = Some(self.wallet.pay(payable, order_id, payment_id, now)?);
        }
        let paid = self.order.pay(Actor::User(command.user_id), now)?;
        self.events.push(order_event(&OrderPaid::of(&self.order, payment_id), &paid, command.trace, ids)?);
        self.history.push(paid);
        self.payment =
            Some(Payment::settled_with_points(payment_id, order_id, command.user_id, payable, now));
        Ok(())
    }
}

/// Empties the buyer's cart, if it is still the one that is ordered.
fn check_out(
    snapshot: &Snapshot,
    version: u32,
    command: &OrderCommand,
    now: Timestamp,
) -> Result<Cart, CartError> {
    let mut cart = snapshot.carts.get(&command.user_id).cloned().ok_or(CartError::Changed)?;
    cart.check_out(version, now)?;
    Ok(cart)
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

impl ChangeSet {
    /// Takes over what is to be stored; the state that the order leads to stays.
    fn absorb(&mut self, accepted: &mut Accepted) {
        self.carts.extend(accepted.cart.clone());
        self.stock.append(&mut accepted.movements);
        self.coupons.extend(accepted.coupon.as_ref().map(|held| held.piece.clone()));
        self.points.extend(accepted.entry.clone());
        self.orders.push(accepted.order.clone());
        self.history.append(&mut accepted.history);
        self.payments.extend(accepted.payment.take());
        self.events.append(&mut accepted.events);
    }

    /// Tells whether nothing is to be stored.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}
