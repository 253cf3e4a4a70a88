//! Paying orders that wait for it, with points, by card, or with both (ADR-034).
//!
//! A payment by card is three steps: the attempt is committed as PENDING with its points held; the gateway is
//! called while nothing is open or locked; what it said is committed. Whatever breaks in between leaves an
//! attempt of which the [`PaymentResolver`] asks the gateway until it answers. Everybody who brings news
//! goes through the same [`settle`], in any order and as often as they like.

mod begin;
mod desk;
mod resolver;
mod settle;

use std::sync::Arc;

use kernel::{OrderId, PaymentId, TraceContext, UserId};
use payment::{Payment, Tender};

use crate::Reply;

pub(crate) use begin::lock_wallet;
pub use desk::PaymentDesk;
pub use resolver::PaymentResolver;
pub(crate) use settle::{News, Settle};

/// An order to pay.
#[derive(Clone, Debug)]
pub struct PayOrder {
    /// The id that the attempt will have.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Who pays; only the buyer may.
    pub user_id: UserId,
    /// What with.
    pub tender: Tender,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

/// Turns an attempt into its reply, whatever has become of it.
pub type RenderPayment = Arc<dyn Fn(&Payment) -> Result<Reply, serde_json::Error> + Send + Sync>;
