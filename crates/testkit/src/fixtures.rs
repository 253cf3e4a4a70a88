//! A shop to test with.

use std::sync::Arc;
use std::time::Duration;

use cart::Cart;
use checkout::{
    BusinessTerms, CartChange, ChangeCart, ChargeWallet, Checkout, ClaimCoupon, OrderCommand, PaymentTerms,
    PlaceOrder, Transaction, TransactionRunner, UnitOfWork, UseCaseError,
};
use chrono::{TimeDelta, TimeZone};
use coupon::{
    Benefit, Coupon, CouponClaimed, CouponCode, CouponError, CouponName, NewCoupon, Percentage, Period,
    UserCoupon,
};
use kernel::{
    BusinessZone, Clock, CouponId, DomainEvent, EventId, IdGenerator, Money, OrderId, PaymentId, ProductId,
    StoreError, Timestamp, UserCouponId, UserId,
};
use local::SystemIds;
use order::Basket;
use point::ChargeAmount;
use product::{NewProduct, Product, ProductName};
use tokio_util::task::TaskTracker;
use user::{Email, HashCost, Password, Role, User, UserName};

use crate::{ManualClock, TestDatabase};

/// A shop: a database with the use cases on top, and a clock that stands still.
pub struct Shop {
    /// The database.
    pub database: Arc<TestDatabase>,
    /// The use cases.
    pub checkout: Checkout,
    /// The clock.
    pub clock: Arc<ManualClock>,
}

/// The time at which tests begin.
///
/// # Panics
/// Never: the time exists.
pub fn noon() -> Timestamp {
    chrono::Utc.with_ymd_and_hms(2026, 3, 1, 3, 0, 0).single().expect("a time that exists")
}

impl Shop {
    /// Opens a shop without users and products.
    pub fn open(database: Arc<TestDatabase>) -> Self {
        let clock = Arc::new(ManualClock::at(noon()));
        let checkout = checkout_on(Arc::new(database.database.clone()), clock.clone());
        Self { database, checkout, clock }
    }

    /// Registers a user with a full wallet of `won`, charged in pieces of at most a million.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn buyer(&self, won: i64) -> UserId {
        let user = self.user(Role::User).await;
        let mut left = won;
        while left > 0 {
            let piece = if left > 1_000_000 && left < 1_001_000 { 500_000 } else { left.min(1_000_000) };
            let amount = ChargeAmount::new(Money::won(piece)).expect("an amount that can be charged");
            let charge = ChargeWallet { user_id: user, amount };
            self.checkout
                .charge_wallet(charge, None, |_| Ok(no_reply()))
                .await
                .expect("the wallet is charged");
            left -= piece;
        }
        user
    }

    /// Adds a user.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn user(&self, role: Role) -> UserId {
        let user = user(role, self.clock.now());
        let mut tx = self.begin().await;
        tx.users().insert(std::slice::from_ref(&user)).await.expect("the user is added");
        tx.commit().await.expect("the user is stored");
        user.id
    }

    /// Adds a product.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn product(&self, won: i64, stock: u32) -> ProductId {
        self.product_named("a thing", Money::won(won), stock).await
    }

    /// Adds a product with a name.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn product_named(&self, name: &str, price: Money, stock: u32) -> ProductId {
        let new = NewProduct { name: ProductName::new(name).expect("a name"), price, stock };
        let id = ProductId::from_uuid(SystemIds.uuid());
        let (product, movement) = Product::create(id, new, self.clock.now()).expect("a product");
        let mut tx = self.begin().await;
        tx.products().insert(&[product]).await.expect("the product is added");
        tx.products().move_stock(&[movement]).await.expect("its stock is added");
        tx.commit().await.expect("the product is stored");
        id
    }

    /// Puts so many pieces of a product into a user's cart.
    ///
    /// # Errors
    /// The rejection of the cart or the product.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn put(
        &self,
        user_id: UserId,
        product_id: ProductId,
        quantity: u32,
    ) -> Result<Cart, UseCaseError> {
        use product::ProductCatalog;
        let product =
            ProductCatalog::find(&self.database.database, product_id).await.expect("the database answers");
        let change = CartChange::Put { product_id, product, quantity };
        self.checkout.change_cart(ChangeCart { user_id, change, precondition: Box::new(|_| true) }).await
    }

    /// Adds a coupon of 10 % that is valid for a day.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn coupon(&self, code: &str, quantity: u32) -> Coupon {
        let coupon = coupon(code, quantity, self.clock.now());
        let mut tx = self.begin().await;
        tx.coupons().insert(std::slice::from_ref(&coupon)).await.expect("the coupon is added");
        tx.commit().await.expect("the coupon is stored");
        coupon
    }

    /// Claims a piece of a coupon at the database, past the gate.
    ///
    /// # Errors
    /// The rejection of the claim.
    pub async fn claim(&self, coupon: &Coupon, user_id: UserId) -> Result<(), UseCaseError> {
        let claim = ClaimCoupon { coupon: coupon.clone(), user_id, trace: None };
        self.checkout.claim_coupon(claim, None, |_| Ok(no_reply())).await.map(|_| ())
    }

    /// Begins a transaction.
    ///
    /// # Panics
    /// When the database refuses.
    pub async fn begin(&self) -> Box<dyn Transaction> {
        begin(&self.database).await.expect("a transaction begins")
    }

    /// Returns what is left of a product.
    ///
    /// # Panics
    /// When there is no such product.
    pub async fn stock(&self, id: ProductId) -> u32 {
        use product::ProductCatalog;
        ProductCatalog::find(&self.database.database, id)
            .await
            .expect("the database answers")
            .expect("a product")
            .stock
    }

    /// Returns what is in a wallet.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn balance(&self, user: UserId) -> Money {
        use point::WalletReader;
        self.database.database.wallet(user).await.expect("the database answers").balance()
    }

    /// Fails the test unless every invariant holds.
    ///
    /// # Panics
    /// When one is broken.
    pub async fn assert_audit_is_clean(&self) {
        use checkout::Auditor;
        let report = self.database.database.audit().await.expect("the audit runs");
        let broken: Vec<_> = report.checks.iter().filter(|check| check.violations > 0).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}

/// How long an order waits for its payment.
pub const PAYMENT_WINDOW: Duration = Duration::from_mins(30);

/// Puts the use cases on top of a unit of work.
pub fn checkout_on(unit_of_work: Arc<dyn UnitOfWork>, clock: Arc<dyn Clock>) -> Checkout {
    checkout_in(BusinessZone::default(), unit_of_work, clock)
}

/// Puts the use cases of a business in another zone on top of a unit of work.
pub fn checkout_in(zone: BusinessZone, unit_of_work: Arc<dyn UnitOfWork>, clock: Arc<dyn Clock>) -> Checkout {
    let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds);
    let runtime = tokio::runtime::Handle::current();
    let runner = TransactionRunner::new(unit_of_work, ids.clone(), runtime, TaskTracker::new());
    Checkout::new(runner, clock, ids, BusinessTerms { zone, payment_window: PAYMENT_WINDOW })
}

/// Makes a coupon of 10 % that is valid for a day from `now`.
///
/// # Panics
/// When the code or the quantity cannot be.
pub fn coupon(code: &str, quantity: u32, now: Timestamp) -> Coupon {
    let terms = NewCoupon {
        code: CouponCode::new(code).expect("a code"),
        name: CouponName::new("a coupon").expect("a name"),
        benefit: Benefit::Percent(Percentage::from_basis_points(1_000).expect("a share")),
        quantity,
        period: Period::new(now, now + TimeDelta::days(1)).expect("a period"),
        min_order_amount: None,
        max_discount: None,
        products: None,
    };
    Coupon::create(CouponId::from_uuid(SystemIds.uuid()), terms, now).expect("a coupon")
}

/// Issues a piece of a coupon in memory, with the event that tells of it.
///
/// # Errors
/// The rejection of the coupon.
///
/// # Panics
/// Never: the event can be written.
pub fn issue(
    coupon: &Coupon,
    user: UserId,
    now: Timestamp,
) -> Result<(UserCoupon, DomainEvent), CouponError> {
    let piece = coupon.issue(UserCouponId::from_uuid(SystemIds.uuid()), user, now)?;
    let payload = CouponClaimed::of(coupon, &piece);
    let id = EventId::from_uuid(SystemIds.uuid());
    let event = DomainEvent::new(id, piece.id.as_uuid(), 1, now, &payload).expect("an event");
    Ok((piece, event))
}

/// Makes a user whose e-mail address nobody else has.
///
/// # Panics
/// Never: what it makes is valid.
pub fn user(role: Role, now: Timestamp) -> User {
    let id = SystemIds.uuid();
    let password = Password::new("a test password".into()).expect("a password");
    User {
        id: UserId::from_uuid(id),
        email: Email::new(&format!("{}@example.com", id.simple())).expect("an address"),
        name: UserName::new("Test User").expect("a name"),
        role,
        password_hash: password.hash([1; 16], HashCost::Minimal).expect("a hash"),
        created_at: now,
    }
}

/// A reply for use cases whose reply does not matter.
pub fn no_reply() -> checkout::Reply {
    checkout::Reply { status: 200, body: "{}".into(), resource: None }
}

async fn begin(database: &TestDatabase) -> Result<Box<dyn Transaction>, StoreError> {
    database.database.begin().await
}

/// Makes an order to place, without a key.
///
/// # Panics
/// When the items are not a basket.
pub fn order(user_id: UserId, items: &[(ProductId, u32)]) -> PlaceOrder {
    let command = OrderCommand {
        order_id: OrderId::from_uuid(SystemIds.uuid()),
        payment_id: PaymentId::from_uuid(SystemIds.uuid()),
        user_id,
        basket: Basket::new(items.iter().copied()).expect("a basket"),
        terms: PaymentTerms::Points,
        cart: None,
        expected_amount: None,
        coupon_code: None,
        trace: None,
    };
    PlaceOrder { command, request: None }
}
