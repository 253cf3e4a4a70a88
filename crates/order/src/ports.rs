//! What orders need from the outside.

use std::collections::BTreeSet;

use async_trait::async_trait;
use kernel::{CursorPage, OrderId, PageSize, StoreError, Timestamp, UserId};

use crate::{Order, OrderStatus, StatusChange};

/// Orders inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OrderRepository: Send {
    /// Adds new orders with their lines, and the history that led to their present status.
    async fn insert(&mut self, orders: &[Order], history: &[StatusChange]) -> Result<(), StoreError>;

    /// Locks the orders in ascending order of their ids until the transaction ends and returns them in that
    /// order; ids without an order are left out. Whoever holds an order's lock may change its payments and
    /// refunds too (ADR-021).
    async fn lock(&mut self, ids: &BTreeSet<OrderId>) -> Result<Vec<Order>, StoreError>;

    /// Locks up to `limit` orders that should have been paid by `now`, in ascending order of their ids.
    /// Orders that others hold at this moment are left out.
    async fn lock_overdue(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Order>, StoreError>;

    /// Stores the status of orders that changed it once since they were read, and that step of their
    /// history.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, if one was changed by
    /// somebody else in between.
    async fn save(&mut self, orders: &[Order], history: &[StatusChange]) -> Result<(), StoreError>;
}

/// Which of a user's orders a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFilter {
    /// Whose orders.
    pub user_id: UserId,
    /// Only orders in this status.
    pub status: Option<OrderStatus>,
    /// Only orders placed at this time or later.
    pub from: Option<Timestamp>,
    /// Only orders placed before this time.
    pub to: Option<Timestamp>,
}

/// The place in a list after the order it names; lists go from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderCursor {
    /// When that order was placed.
    pub created_at: Timestamp,
    /// Which one it is.
    pub id: OrderId,
}

/// Orders for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OrderReader: Send + Sync {
    /// Returns an order with its lines, whoever placed it.
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError>;

    /// Returns those of the orders that there are, with their lines, whoever placed them.
    async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError>;

    /// Returns a page of a user's orders, the newest first.
    async fn list(
        &self,
        filter: &OrderFilter,
        after: Option<OrderCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Order, OrderCursor>, StoreError>;

    /// Returns an order's history, the first change first; empty if there is no such order.
    async fn history(&self, id: OrderId) -> Result<Vec<StatusChange>, StoreError>;
}
