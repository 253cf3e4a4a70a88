//! What refunds need from the outside.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{PaymentId, RefundId, StoreError, Timestamp};

use crate::{Refund, RefundStatus};

/// Refunds inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait RefundRepository: Send {
    /// Adds refunds with their items, and with each that has not failed reserves what it gives back: the
    /// store itself bounds what is reserved of a payment, of each of its tenders and of each line's pieces.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, if another transaction
    /// has reserved so much in between that this would be more than was paid.
    async fn insert(&mut self, refunds: &[Refund]) -> Result<(), StoreError>;

    /// Returns all refunds of a payment, those that failed included, the oldest first.
    async fn of_payment(&mut self, payment: PaymentId) -> Result<Vec<Refund>, StoreError>;

    /// Returns a refund.
    async fn find(&mut self, id: RefundId) -> Result<Option<Refund>, StoreError>;

    /// Stores a refund that had the status `from` when it was read. One that has failed gives back what it
    /// had reserved.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, if it has another status
    /// by now.
    async fn save(&mut self, refund: &Refund, from: RefundStatus) -> Result<(), StoreError>;
}

/// Refunds for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait RefundReader: Send + Sync {
    /// Returns a refund, whoever gets it.
    async fn find(&self, id: RefundId) -> Result<Option<Refund>, StoreError>;

    /// Returns all refunds of a payment, the newest first.
    async fn of_payment(&self, payment: PaymentId) -> Result<Vec<Refund>, StoreError>;
}

/// A refund that somebody has to see through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsettledRefund {
    /// The refund.
    pub id: RefundId,
    /// How many times it has been taken, this time included.
    pub attempt: u32,
}

/// Refunds whose money is not back yet, shared by all instances.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UnsettledRefunds: Send + Sync {
    /// Takes up to `limit` pending refunds that are due, the longest due first, and counts the attempt.
    /// Nobody else is given them for `lease`; whoever crashes loses them with it.
    async fn take_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<UnsettledRefund>, StoreError>;

    /// Leaves a refund alone until a time; one that has been settled meanwhile stays as it is.
    async fn put_off(&self, id: RefundId, until: Timestamp) -> Result<(), StoreError>;
}
