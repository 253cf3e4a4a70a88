//! What payments need from the outside.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{CursorPage, OrderId, PageSize, PaymentId, StoreError, Timestamp, UserId};

use crate::{Payment, PaymentStatus};

/// A notice of the gateway, known by its id however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayNotice {
    /// Its id, 1 to 255 printable ASCII characters.
    pub id: String,
    /// The attempt that it speaks of.
    pub payment_id: PaymentId,
    /// What it says, for example `payment.succeeded`.
    pub kind: String,
    /// When it came.
    pub received_at: Timestamp,
}

/// Payments inside a transaction. Whoever changes a payment holds the lock of its order (ADR-021).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PaymentRepository: Send {
    /// Appends attempts.
    ///
    /// Returns [`StoreError::Contended`] if an order has an attempt already that is under way or has
    /// succeeded.
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError>;

    /// Returns an attempt. What never changes of it, such as its order, may be read before anything is
    /// locked.
    async fn find(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreError>;

    /// Returns the attempts at an order, the oldest first.
    async fn of_order(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreError>;

    /// Stores what became of an attempt that was in status `from`.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, if it has another status
    /// by now.
    async fn save(&mut self, payment: &Payment, from: PaymentStatus) -> Result<(), StoreError>;

    /// Stores a notice and returns whether it is new.
    ///
    /// Returns [`StoreError::Contended`] if another transaction stored it in the same moment.
    async fn note(&mut self, notice: &GatewayNotice) -> Result<bool, StoreError>;
}

/// Which payments a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Whose payments.
    pub user_id: UserId,
    /// Only payments in this status.
    pub status: Option<PaymentStatus>,
}

/// The place in a list after the payment it names; lists go from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentCursor {
    /// When that payment was begun.
    pub created_at: Timestamp,
    /// Which one it is.
    pub id: PaymentId,
}

/// Payments for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PaymentReader: Send + Sync {
    /// Returns a payment, whoever made it.
    async fn find(&self, id: PaymentId) -> Result<Option<Payment>, StoreError>;

    /// Returns all payments of an order, the oldest first.
    async fn of_order(&self, order: OrderId) -> Result<Vec<Payment>, StoreError>;

    /// Returns a page of a user's payments, the newest first.
    async fn list(
        &self,
        filter: PaymentFilter,
        after: Option<PaymentCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Payment, PaymentCursor>, StoreError>;
}

/// An attempt of which nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsettledPayment {
    /// The attempt.
    pub id: PaymentId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How often the gateway has been asked, this time included.
    pub attempt: u32,
}

/// Attempts whose outcome the gateway has to be asked for.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UnsettledPayments: Send + Sync {
    /// Takes up to `limit` pending attempts that are due, and puts off their next turn by `lease`, so that
    /// no two workers ask for the same at once.
    async fn take_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<UnsettledPayment>, StoreError>;

    /// Sets when an attempt that is still pending has its next turn.
    async fn put_off(&self, id: PaymentId, until: Timestamp) -> Result<(), StoreError>;
}
