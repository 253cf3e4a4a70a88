//! Two instances of the application on one database, and callers that come at the same moment.

use std::future::Future;
use std::sync::Arc;

use checkout::{
    Answer, Checkout, IdempotencyKey, KeyedRequest, PlaceOrder, Receipt, Rejection, Render, Reply, Resource,
    UnitOfWork, UseCaseError,
};
use kernel::{Money, StoreError};
use storage::Database;
use testkit::TestDatabase;
use testkit::fixtures::{Shop, checkout_on};
use tokio::sync::Barrier;

/// Two instances of the application, each with a pool of its own, that share a shop.
pub(crate) struct Instances {
    pub(crate) shop: Shop,
    pub(crate) second: Database,
    second_checkout: Checkout,
}

impl Instances {
    pub(crate) async fn open(database: Arc<TestDatabase>) -> Arc<Self> {
        let second = TestDatabase::open(&database.url, 16).await;
        warm(&database.database).await;
        warm(&second).await;
        let shop = Shop::open(database);
        let second_checkout = checkout_on(Arc::new(second.clone()), shop.clock.clone());
        Arc::new(Self { shop, second, second_checkout })
    }

    /// Returns the use cases of one instance or the other.
    pub(crate) fn checkout(&self, caller: usize) -> &Checkout {
        if caller.is_multiple_of(2) { &self.shop.checkout } else { &self.second_checkout }
    }

    /// Returns the database as one instance or the other sees it.
    pub(crate) fn database(&self, caller: usize) -> &Database {
        if caller.is_multiple_of(2) { &self.shop.database.database } else { &self.second }
    }

    /// Places an order through one instance or the other.
    pub(crate) async fn place(&self, caller: usize, order: &PlaceOrder) -> Result<Answer, Rejection> {
        insist(|| self.checkout(caller).place_order(order.clone(), RENDER)).await
    }

    /// Checks the invariants and closes the second instance.
    pub(crate) async fn close(self: Arc<Self>) {
        self.shop.assert_audit_is_clean().await;
        let instances = Arc::into_inner(self).expect("nobody uses the instances any more");
        instances.second.close().await.expect("the second instance closes");
    }
}

/// Opens every connection of a pool, so that callers who come at the same moment meet in the database and
/// not one after the other at its door.
pub(crate) async fn warm(pool: &Database) {
    let max = pool.pool_state().max as usize;
    let transactions = at_once(max, |_| {
        let pool = pool.clone();
        async move { pool.begin().await.expect("a transaction begins") }
    });
    drop(transactions.await);
}

/// A reply whose body is what was paid.
pub(crate) const RENDER: Render<Receipt> = |receipt| {
    let resource = Some(Resource::Order(receipt.order.id.as_uuid()));
    Ok(Reply { status: 201, body: receipt.order.paid.to_string(), resource })
};

/// Reads what [`RENDER`] wrote.
pub(crate) fn paid(answer: &Answer) -> Money {
    answer.reply.body.parse().expect("an amount")
}

/// Puts an order under its caller's key.
pub(crate) fn keyed(order: PlaceOrder, key: &str) -> PlaceOrder {
    let key = IdempotencyKey::new(key).expect("a key");
    let request = KeyedRequest::new(order.command.user_id, key, "POST", "/orders", "{}");
    PlaceOrder { request: Some(request), ..order }
}

/// Asks again while the pool has no connection to spare, as a caller does who is answered 503: nothing
/// was done then. Every other failure fails the test.
pub(crate) async fn insist<T, F>(ask: impl Fn() -> F) -> Result<T, Rejection>
where
    F: Future<Output = Result<T, UseCaseError>>,
{
    for _ in 0..10 {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(UseCaseError::Rejected(rejection)) => return Err(rejection),
            Err(UseCaseError::Failed(StoreError::Unavailable(_))) => {}
            Err(UseCaseError::Failed(error)) => panic!("a caller was told of {error:?}"),
        }
    }
    panic!("the database had no connection to spare ten times");
}

/// Runs `count` tasks that begin at the same moment, and returns what they return, in their order.
pub(crate) async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let begin = |index| {
        let (barrier, work) = (barrier.clone(), task(index));
        tokio::spawn(async move {
            barrier.wait().await;
            work.await
        })
    };
    let tasks: Vec<_> = (0..count).map(begin).collect();
    let mut results = Vec::with_capacity(count);
    for task in tasks {
        results.push(task.await.expect("no task panics"));
    }
    results
}

/// Numbers that look random and are the same in each run (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// Returns one of several things.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let index = self.roll(of.len() as u64);
        of[usize::try_from(index).expect("an index")]
    }
}
