//! Giving back what was paid: pieces to the shelves, points to the wallet, money to the card (ADR-009).
//!
//! A refund that needs the gateway is three steps like a payment: it is committed as PENDING, which reserves
//! its pieces and amounts and changes nothing else; the gateway is called while nothing is open or locked;
//! once it has confirmed, all that follows is committed together. The [`RefundResolver`] repeats the call
//! until the gateway answers. All refunds of a payment are decided under the lock of its order.

mod begin;
mod desk;
mod plan;
mod resolver;
mod settle;

use std::sync::Arc;

use kernel::{PaymentId, RefundId, TraceContext, UserId};
use refund::{Refund, RefundReason, RefundRequest};

use crate::Reply;

pub use desk::RefundDesk;
pub use plan::plan_refund;
pub use resolver::RefundResolver;

/// A payment to give back, or a part of it.
#[derive(Clone, Debug)]
pub struct RefundPayment {
    /// The id that the refund will have.
    pub refund_id: RefundId,
    /// The payment.
    pub payment_id: PaymentId,
    /// What is wanted back.
    pub wanted: RefundRequest,
    /// Why.
    pub reason: RefundReason,
    /// Who asks.
    pub requested_by: UserId,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

/// Turns a refund into its reply, whatever has become of it.
pub type RenderRefund = Arc<dyn Fn(&Refund) -> Result<Reply, serde_json::Error> + Send + Sync>;
