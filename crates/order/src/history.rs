//! The history of an order: who changed its status, and when.

use kernel::{OrderId, Timestamp, UserId};

use crate::OrderStatus;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, the buyer or an administrator.
    User(UserId),
    /// Jumun itself, for example when an order expires.
    System,
}

/// One change of an order's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// The order.
    pub order_id: OrderId,
    /// Its place in the order's history, from 1 and without gaps; the event that tells of it has the same.
    pub sequence: u32,
    /// The status before; `None` for the first.
    pub from: Option<OrderStatus>,
    /// The status after.
    pub to: OrderStatus,
    /// Who changed it.
    pub changed_by: Actor,
    /// When.
    pub changed_at: Timestamp,
}
