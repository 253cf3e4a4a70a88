//! Payments: attempts to settle an order.
//!
//! Invariants
//! - an order has at most one attempt that succeeded; the database itself sees to it;
//! - an attempt is appended and never rewritten once it is settled (ADR-015);
//! - what was paid is the sum of its tenders.
//!
//! Port: [`PaymentRepository`] inside a transaction.

use async_trait::async_trait;
use kernel::{Money, OrderId, PaymentId, StoreError, Timestamp, UserId};

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Asked for, not yet known.
    Pending,
    /// The money has been taken.
    Success,
    /// Refused; no money has been taken.
    Failed,
}

impl PaymentStatus {
    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
        }
    }
}

/// An attempt to settle an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Who pays.
    pub user_id: UserId,
    /// How far it has come.
    pub status: PaymentStatus,
    /// What is paid with points.
    pub point_amount: Money,
    /// What is paid by card.
    pub card_amount: Money,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Payment {
    /// Records that an order was settled with points alone, in the transaction that took them.
    pub const fn settled_with_points(
        id: PaymentId,
        order_id: OrderId,
        user_id: UserId,
        amount: Money,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            order_id,
            user_id,
            status: PaymentStatus::Success,
            point_amount: amount,
            card_amount: Money::ZERO,
            created_at: now,
        }
    }
}

/// Payments inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PaymentRepository: Send {
    /// Appends attempts.
    ///
    /// Returns [`StoreError::Contended`] if an order has been settled by another attempt already.
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError>;
}
