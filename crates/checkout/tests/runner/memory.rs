//! A database in memory: transactions work on a copy, and fail when and how a test wants it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cart::{Cart, CartRepository};
use checkout::{
    BusinessTerms, Checkout, DailySale, IdempotencyKey, IdempotencyRepository, OutboxRepository, Reply,
    SalesRepository, Transaction, TransactionRunner, UnitOfWork,
};
use coupon::{Coupon, CouponRepository, UserCoupon};
use kernel::{
    BusinessZone, Clock, CouponId, DomainEvent, IdGenerator, Money, OrderId, ProductId, StoreError,
    Timestamp, UserId,
};
use order::{Order, OrderRepository, StatusChange};
use payment::{Payment, PaymentRepository};
use point::{Wallet, WalletRepository};
use product::{NewProduct, Product, ProductName, ProductRepository, ProductState};
use refund::{Refund, RefundRepository};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use user::{LoginAttemptRepository, SessionRepository, UserRepository};
use uuid::Uuid;

use crate::repositories::Rows;

/// What is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) products: BTreeMap<ProductId, Product>,
    pub(crate) carts: BTreeMap<UserId, Cart>,
    pub(crate) coupons: BTreeMap<CouponId, Coupon>,
    pub(crate) pieces: Vec<UserCoupon>,
    pub(crate) wallets: BTreeMap<UserId, Wallet>,
    pub(crate) orders: Vec<Order>,
    pub(crate) history: Vec<StatusChange>,
    pub(crate) payments: Vec<Payment>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) notices: BTreeSet<String>,
    pub(crate) events: Vec<DomainEvent>,
    pub(crate) sales: Vec<DailySale>,
    pub(crate) keys: BTreeMap<(UserId, IdempotencyKey), ([u8; 32], Option<Reply>)>,
}

/// How a commit fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CommitFault {
    /// The server says no.
    Refused,
    /// The connection breaks before the server has read the COMMIT.
    LostBefore,
    /// The connection breaks after the server has done it.
    LostAfter,
}

/// How an order fails when it is inserted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Poison {
    Defect,
    Contention,
}

/// How often transactions ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) begun: u32,
    pub(crate) committed: u32,
    pub(crate) rolled_back: u32,
}

#[derive(Default)]
pub(crate) struct Memory {
    tables: Mutex<Tables>,
    count: Mutex<Count>,
    begin_faults: Mutex<VecDeque<StoreError>>,
    commit_faults: Mutex<VecDeque<CommitFault>>,
    poison: Mutex<BTreeMap<OrderId, Poison>>,
    overtaking_products: Mutex<VecDeque<Product>>,
    overtaking_wallets: Mutex<VecDeque<Wallet>>,
}

impl Memory {
    pub(crate) fn tables(&self) -> Tables {
        self.tables.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> Count {
        *self.count.lock().unwrap()
    }

    /// Lets the next attempts to begin a transaction fail.
    pub(crate) fn fail_to_begin(&self, faults: impl IntoIterator<Item = StoreError>) {
        self.begin_faults.lock().unwrap().extend(faults);
    }

    /// Lets the next commits fail.
    pub(crate) fn fail_to_commit(&self, faults: impl IntoIterator<Item = CommitFault>) {
        self.commit_faults.lock().unwrap().extend(faults);
    }

    /// Lets an order fail whenever it is inserted.
    pub(crate) fn poison(&self, order: OrderId, poison: Poison) {
        self.poison.lock().unwrap().insert(order, poison);
    }

    pub(crate) fn poison_among(&self, orders: &[Order]) -> Option<Poison> {
        let poison = self.poison.lock().unwrap();
        orders.iter().find_map(|order| poison.get(&order.id).copied())
    }

    /// Puts a product on the shelf.
    pub(crate) fn stock(&self, number: u128, price: Money, stock: u32) -> ProductId {
        let id = ProductId::from_uuid(Uuid::from_u128(number));
        let new = NewProduct { name: ProductName::new("a thing").unwrap(), price, stock };
        let (product, _) = Product::create(id, new, FixedClock.now()).unwrap();
        self.tables.lock().unwrap().products.insert(id, product);
        id
    }

    /// Adds a coupon of which some pieces have been issued.
    pub(crate) fn hand_out(&self, coupon: Coupon, pieces: Vec<UserCoupon>) {
        let mut tables = self.tables.lock().unwrap();
        tables.coupons.insert(coupon.id, coupon);
        tables.pieces.extend(pieces);
    }

    /// Puts more pieces of a product on the shelf, as another transaction would.
    pub(crate) fn restock(&self, id: ProductId, stock: u32) {
        let mut tables = self.tables.lock().unwrap();
        let product = tables.products.get_mut(&id).unwrap();
        let state = ProductState { stock, stock_version: product.stock_version + 1, ..(**product).clone() };
        *product = Product::restore(state).unwrap();
    }

    /// Lets another transaction change a product after the next one has read it and before it locks it.
    pub(crate) fn overtake(&self, id: ProductId, change: impl FnOnce(&mut ProductState)) {
        let mut state = (*self.tables().products[&id]).clone();
        change(&mut state);
        self.overtaking_products.lock().unwrap().push_back(Product::restore(state).unwrap());
    }

    pub(crate) fn overtaken_product(&self) -> Option<Product> {
        let product = self.overtaking_products.lock().unwrap().pop_front()?;
        self.tables.lock().unwrap().products.insert(product.id, product.clone());
        Some(product)
    }

    /// Lets another transaction change a balance after the next one has read it and before it locks it.
    pub(crate) fn overtake_wallet(&self, user: UserId, balance: Money) {
        let wallet = Wallet::restore(user, balance, self.tables().wallets[&user].version() + 1).unwrap();
        self.overtaking_wallets.lock().unwrap().push_back(wallet);
    }

    pub(crate) fn overtaken_wallet(&self) -> Option<Wallet> {
        let wallet = self.overtaking_wallets.lock().unwrap().pop_front()?;
        self.tables.lock().unwrap().wallets.insert(wallet.user_id(), wallet.clone());
        Some(wallet)
    }

    /// Fills a wallet.
    pub(crate) fn fill(&self, number: u128, balance: Money) -> UserId {
        let user = UserId::from_uuid(Uuid::from_u128(number));
        let wallet = Wallet::restore(user, balance, 1).unwrap();
        self.tables.lock().unwrap().wallets.insert(user, wallet);
        user
    }

    pub(crate) fn placed(&self) -> BTreeSet<OrderId> {
        self.tables().orders.iter().map(|order| order.id).collect()
    }
}

/// The runner under test, and the tracker by which a shutdown would wait for it.
pub(crate) fn runner(memory: &Arc<Memory>) -> (TransactionRunner, TaskTracker) {
    runner_on(Arc::new(Transactions(memory.clone())))
}

fn runner_on(transactions: Arc<dyn UnitOfWork>) -> (TransactionRunner, TaskTracker) {
    let tasks = TaskTracker::new();
    let ids = Arc::new(CountingIds::default());
    (TransactionRunner::new(transactions, ids, Handle::current(), tasks.clone()), tasks)
}

pub(crate) fn checkout(memory: &Arc<Memory>) -> Checkout {
    checkout_on(Arc::new(Transactions(memory.clone())))
}

/// The use cases on transactions of another kind.
pub(crate) fn checkout_on(transactions: Arc<dyn UnitOfWork>) -> Checkout {
    let (runner, _) = runner_on(transactions);
    let terms =
        BusinessTerms { zone: BusinessZone::default(), payment_window: std::time::Duration::from_mins(30) };
    Checkout::new(runner, Arc::new(FixedClock), Arc::new(CountingIds::default()), terms)
}

struct Transactions(Arc<Memory>);

#[async_trait]
impl UnitOfWork for Transactions {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        self.0.count.lock().unwrap().begun += 1;
        if let Some(fault) = self.0.begin_faults.lock().unwrap().pop_front() {
            return Err(fault);
        }
        let tables = self.0.tables();
        Ok(Box::new(MemoryTransaction {
            memory: self.0.clone(),
            tables,
            locked: Locked::default(),
            ended: false,
        }))
    }
}

/// What a transaction has locked: nobody else changes it any more.
#[derive(Default)]
pub(crate) struct Locked {
    pub(crate) products: bool,
    pub(crate) wallets: bool,
}

pub(crate) struct MemoryTransaction {
    pub(crate) memory: Arc<Memory>,
    pub(crate) tables: Tables,
    pub(crate) locked: Locked,
    ended: bool,
}

impl Drop for MemoryTransaction {
    fn drop(&mut self) {
        if !self.ended {
            self.memory.count.lock().unwrap().rolled_back += 1;
        }
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    fn keys(&mut self) -> Box<dyn IdempotencyRepository + '_> {
        Box::new(Rows(self))
    }

    fn users(&mut self) -> Box<dyn UserRepository + '_> {
        Box::new(Rows(self))
    }

    fn carts(&mut self) -> Box<dyn CartRepository + '_> {
        Box::new(Rows(self))
    }

    fn login_attempts(&mut self) -> Box<dyn LoginAttemptRepository + '_> {
        unreachable!("nobody logs in here")
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        unreachable!("nobody logs in here")
    }

    fn products(&mut self) -> Box<dyn ProductRepository + '_> {
        Box::new(Rows(self))
    }

    fn coupons(&mut self) -> Box<dyn CouponRepository + '_> {
        Box::new(Rows(self))
    }

    fn wallets(&mut self) -> Box<dyn WalletRepository + '_> {
        Box::new(Rows(self))
    }

    fn orders(&mut self) -> Box<dyn OrderRepository + '_> {
        Box::new(Rows(self))
    }

    fn payments(&mut self) -> Box<dyn PaymentRepository + '_> {
        Box::new(Rows(self))
    }

    fn refunds(&mut self) -> Box<dyn RefundRepository + '_> {
        Box::new(Rows(self))
    }

    fn sales(&mut self) -> Box<dyn SalesRepository + '_> {
        Box::new(Rows(self))
    }

    fn outbox(&mut self) -> Box<dyn OutboxRepository + '_> {
        Box::new(Rows(self))
    }

    async fn roll_back(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.ended = true;
        self.memory.count.lock().unwrap().committed += 1;
        let fault = self.memory.commit_faults.lock().unwrap().pop_front();
        if matches!(fault, None | Some(CommitFault::LostAfter)) {
            *self.memory.tables.lock().unwrap() = self.tables.clone();
        }
        match fault {
            None => Ok(()),
            Some(CommitFault::Refused) => Err(contended()),
            Some(CommitFault::LostBefore | CommitFault::LostAfter) => Err(unknown()),
        }
    }
}

pub(crate) fn contended() -> StoreError {
    StoreError::Contended("a deadlock".into())
}

pub(crate) fn unknown() -> StoreError {
    StoreError::OutcomeUnknown("the connection broke".into())
}

/// A clock that stands still.
pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        "2025-11-09T12:34:56Z".parse().unwrap()
    }
}

/// Ids and randomness that count.
#[derive(Default)]
struct CountingIds(AtomicU64);

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
