//! What the use cases need from a database: a unit of work that lends repositories.

use async_trait::async_trait;
use cart::CartRepository;
use coupon::CouponRepository;
use kernel::{DomainEvent, StoreError, Timestamp};
use order::OrderRepository;
use payment::PaymentRepository;
use point::WalletRepository;
use product::ProductRepository;
use refund::RefundRepository;
use user::{LoginAttemptRepository, SessionRepository, UserRepository};

use crate::{Claim, CompletedRequest, KeyedRequest, SalesRepository};

/// Begins transactions.
#[async_trait]
pub trait UnitOfWork: Send + Sync {
    /// Begins a transaction in which committed rows of others are seen and locked rows stay as they are.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;
}

/// A transaction. Whoever drops it without [`Transaction::commit`] rolls it back.
///
/// It lends one repository at a time; after a [`StoreError`] nothing more may be done with it.
#[async_trait]
pub trait Transaction: Send {
    /// Lends the idempotency keys.
    fn keys(&mut self) -> Box<dyn IdempotencyRepository + '_>;
    /// Lends the users.
    fn users(&mut self) -> Box<dyn UserRepository + '_>;
    /// Lends the carts.
    fn carts(&mut self) -> Box<dyn CartRepository + '_>;
    /// Lends the tries at passwords.
    fn login_attempts(&mut self) -> Box<dyn LoginAttemptRepository + '_>;
    /// Lends the sessions.
    fn sessions(&mut self) -> Box<dyn SessionRepository + '_>;
    /// Lends the products.
    fn products(&mut self) -> Box<dyn ProductRepository + '_>;
    /// Lends the coupons and their pieces.
    fn coupons(&mut self) -> Box<dyn CouponRepository + '_>;
    /// Lends the wallets.
    fn wallets(&mut self) -> Box<dyn WalletRepository + '_>;
    /// Lends the orders.
    fn orders(&mut self) -> Box<dyn OrderRepository + '_>;
    /// Lends the payments.
    fn payments(&mut self) -> Box<dyn PaymentRepository + '_>;
    /// Lends the refunds.
    fn refunds(&mut self) -> Box<dyn RefundRepository + '_>;
    /// Lends the daily sales.
    fn sales(&mut self) -> Box<dyn SalesRepository + '_>;
    /// Lends the outbox.
    fn outbox(&mut self) -> Box<dyn OutboxRepository + '_>;

    /// Makes everything durable and visible at once.
    ///
    /// Returns [`StoreError::OutcomeUnknown`] if the connection broke in the middle of it.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// Undoes everything, and returns once the locks are given up: whoever tries again at once must not meet
    /// what it has left.
    async fn roll_back(self: Box<Self>) -> Result<(), StoreError>;
}

/// Idempotency keys inside a transaction.
#[async_trait]
pub trait IdempotencyRepository: Send {
    /// Claims keys in ascending order and returns what was found, in the order of `requests`, which
    /// name each key once. Keys that have expired count as never used.
    ///
    /// Returns [`StoreError::Contended`] if another transaction claimed one in the same moment.
    async fn claim(&mut self, requests: &[KeyedRequest], now: Timestamp) -> Result<Vec<Claim>, StoreError>;

    /// Stores the replies of requests that were claimed in this transaction.
    async fn complete(&mut self, requests: &[CompletedRequest]) -> Result<(), StoreError>;

    /// Gives up claims of this transaction, so that the keys can be used again.
    async fn release(&mut self, requests: &[KeyedRequest]) -> Result<(), StoreError>;
}

/// Removes idempotency keys that have had their time.
#[async_trait]
pub trait KeyJanitor: Send + Sync {
    /// Deletes keys that expired before `now`, a bounded number of them, and returns how many.
    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// The outbox inside a transaction.
#[async_trait]
pub trait OutboxRepository: Send {
    /// Appends events, to be delivered once the transaction has committed.
    async fn append(&mut self, events: &[DomainEvent]) -> Result<(), StoreError>;
}
