//! A shop in memory: what is ordered from, and a store that takes only changes that continue it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use checkout::{ChangeSet, Decision, Moment, OrderCommand, PaymentTerms, Snapshot, decide};
use coupon::{
    Benefit, Coupon, CouponCode, CouponName, HeldCoupon, NewCoupon, Period, UserCoupon, UserCouponState,
    UserCouponStatus,
};
use kernel::{
    BusinessZone, CouponId, IdGenerator, Money, OrderId, PaymentId, ProductId, Timestamp, UserCouponId,
    UserId,
};
use order::Basket;
use point::{ChargeAmount, PointEntry, Wallet};
use product::{Product, ProductName, ProductState, ProductStatus, StockMovement};
use uuid::Uuid;

/// Ids and randomness that count.
#[derive(Default)]
pub(crate) struct CountingIds(AtomicU64);

impl IdGenerator for CountingIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.random().into())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, value) in bytes.iter_mut().zip(next.into_iter().cycle()) {
            *byte = value;
        }
    }
}

const fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128((kind << 96) | number)
}

pub(crate) const fn product_id(number: u8) -> ProductId {
    ProductId::from_uuid(id(1, number as u128))
}

pub(crate) const fn user_id(number: u8) -> UserId {
    UserId::from_uuid(id(2, number as u128))
}

pub(crate) const fn order_id(number: usize) -> OrderId {
    OrderId::from_uuid(id(3, number as u128))
}

pub(crate) const fn payment_id(number: usize) -> PaymentId {
    PaymentId::from_uuid(id(4, number as u128))
}

/// Half past midnight in Seoul, where it is the 10th already.
pub(crate) fn at() -> Moment {
    let now: Timestamp = "2025-11-09T15:30:00Z".parse().unwrap();
    Moment { now, zone: BusinessZone::default(), payment_window: std::time::Duration::from_mins(30) }
}

/// An order by a user for some products, all named by number.
pub(crate) fn command(number: usize, user: u8, items: &[(u8, u32)]) -> OrderCommand {
    OrderCommand {
        order_id: order_id(number),
        payment_id: payment_id(number),
        user_id: user_id(user),
        basket: Basket::new(items.iter().map(|(product, quantity)| (product_id(*product), *quantity)))
            .unwrap(),
        terms: PaymentTerms::Points,
        cart: None,
        expected_amount: None,
        coupon_code: None,
        trace: None,
    }
}

/// The code of a coupon, named by number.
pub(crate) fn code(number: u8) -> CouponCode {
    CouponCode::new(&format!("CODE{number}")).unwrap()
}

/// A coupon that is valid for a day, named by number.
pub(crate) fn terms(number: u8, benefit: Benefit) -> NewCoupon {
    let now = at().now;
    NewCoupon {
        code: code(number),
        name: CouponName::new("a coupon").unwrap(),
        benefit,
        quantity: 100,
        period: Period::new(now, now + chrono::TimeDelta::days(1)).unwrap(),
        min_order_amount: None,
        max_discount: None,
        products: None,
    }
}

/// Products, coupons and wallets as a database would hold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shop {
    pub(crate) products: BTreeMap<ProductId, Product>,
    pub(crate) coupons: BTreeMap<(UserId, CouponCode), HeldCoupon>,
    pub(crate) wallets: BTreeMap<UserId, Wallet>,
}

impl Shop {
    pub(crate) fn with_product(mut self, number: u8, price: Money, stock: u32) -> Self {
        let at = at().now;
        let state = ProductState {
            id: product_id(number),
            name: ProductName::new(&format!("product {number}")).unwrap(),
            price,
            stock,
            status: ProductStatus::Active,
            version: 1,
            stock_version: 1,
            event_sequence: 0,
            created_at: at,
            updated_at: at,
        };
        self.products.insert(state.id, Product::restore(state).unwrap());
        self
    }

    pub(crate) fn without_sale_of(mut self, number: u8) -> Self {
        let state = ProductState { status: ProductStatus::Inactive, ..(**self.product(number)).clone() };
        self.products.insert(state.id, Product::restore(state).unwrap());
        self
    }

    pub(crate) fn with_wallet(mut self, user: u8, balance: Money) -> Self {
        self.wallets.insert(user_id(user), Wallet::restore(user_id(user), balance, 1).unwrap());
        self
    }

    /// Gives a user a piece of a coupon.
    pub(crate) fn with_coupon(mut self, user: u8, number: u8, terms: NewCoupon) -> Self {
        let coupon_id = CouponId::from_uuid(id(5, number.into()));
        let mut coupon = Coupon::create(coupon_id, terms, at().now).unwrap();
        // The piece is older than the coupon may be, so that a test can choose any period.
        let piece = UserCoupon::restore(UserCouponState {
            id: UserCouponId::from_uuid(id(6, u128::from(user) << 8 | u128::from(number))),
            coupon_id,
            user_id: user_id(user),
            status: UserCouponStatus::Claimed,
            version: 1,
            claimed_at: at().now,
        });
        coupon = Coupon::restore(coupon::CouponState { issued: 1, ..(*coupon).clone() }).unwrap();
        self.coupons.insert((user_id(user), code(number)), HeldCoupon { coupon, piece });
        self
    }

    pub(crate) fn product(&self, number: u8) -> &Product {
        &self.products[&product_id(number)]
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::new(
            self.products.values().cloned().collect(),
            self.coupons.values().cloned().collect(),
            self.wallets.values().cloned().collect(),
        )
    }

    /// Decides on orders and stores what they change.
    pub(crate) fn place(&mut self, commands: &[OrderCommand], ids: &CountingIds) -> Decision {
        let mut snapshot = self.snapshot();
        let decision = decide(&mut snapshot, commands, at(), ids);
        self.store(&decision.changes);
        // What the next order would have seen is what was stored.
        assert!(snapshot.products().eq(self.products.values()));
        assert!(snapshot.coupons().eq(self.coupons.values()));
        assert!(snapshot.wallets().eq(self.wallets.values()));
        decision
    }

    pub(crate) fn charge(&mut self, user: u8, amount: Money) {
        let user = user_id(user);
        let mut wallet = self.wallets.get(&user).cloned().unwrap_or_else(|| Wallet::empty(user));
        let entry = wallet.charge(ChargeAmount::new(amount).unwrap(), at().now).unwrap();
        self.record(&entry);
    }

    fn store(&mut self, changes: &ChangeSet) {
        changes.stock.iter().for_each(|movement| self.shift(movement));
        changes.coupons.iter().for_each(|piece| self.redeem(piece));
        changes.points.iter().for_each(|entry| self.record(entry));
    }

    /// Uses a piece of a coupon, if it continues the one before it.
    fn redeem(&mut self, piece: &UserCoupon) {
        let held = self.coupons.values_mut().find(|held| held.piece.id == piece.id).unwrap();
        assert_eq!(held.piece.status, UserCouponStatus::Claimed);
        assert_eq!(piece.version, held.piece.version + 1);
        held.piece = piece.clone();
    }

    /// Moves stock, if the movement continues the one before it.
    fn shift(&mut self, movement: &StockMovement) {
        let before = &self.products[&movement.product_id];
        assert_eq!(movement.sequence, before.stock_version + 1, "{movement:?}");
        assert_eq!(i64::from(movement.balance_after), i64::from(before.stock) + movement.delta);
        let state = ProductState {
            stock: movement.balance_after,
            stock_version: movement.sequence,
            ..(**before).clone()
        };
        self.products.insert(state.id, Product::restore(state).unwrap());
    }

    /// Changes a balance, if the entry continues the one before it.
    fn record(&mut self, entry: &PointEntry) {
        let before = self.wallets.get(&entry.user_id).cloned().unwrap_or(Wallet::empty(entry.user_id));
        assert_eq!(entry.sequence, before.version() + 1, "{entry:?}");
        assert_eq!(entry.balance_before, before.balance());
        assert_eq!(Some(entry.balance_after), before.balance().checked_add(entry.delta));
        // Fails for a balance below zero.
        let after = Wallet::restore(entry.user_id, entry.balance_after, entry.sequence).unwrap();
        self.wallets.insert(entry.user_id, after);
    }

    pub(crate) fn stock(&self) -> BTreeMap<ProductId, i64> {
        self.products.values().map(|product| (product.id, i64::from(product.stock))).collect()
    }

    pub(crate) fn money(&self) -> Money {
        self.wallets.values().map(Wallet::balance).sum::<Option<Money>>().unwrap()
    }
}
