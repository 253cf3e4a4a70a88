//! Use cases that span domains: load under lock, decide with a pure function, store what changed.
//!
//! - [`decide`] takes what was loaded and a set of orders and answers each of them. It is synchronous
//!   and knows no port (ADR-010); one order is a batch of one.
//! - [`UnitOfWork`] and [`Transaction`] are the ports under it; [`TransactionRunner`] runs a named
//!   [`TransactionScript`] to its end, however the caller fares, and repeats it when others were in
//!   the way (ADR-016).
//! - Locks are taken in one order everywhere (ADR-021): idempotency keys, carts by user id, orders by id,
//!   pieces of coupons by coupon and user, wallets by user id, and as the last products by id and daily sales.
//!   A claim locks its coupon's row after everything else.
//! - [`OrderLanes`] bring orders that wait at the same moment into one transaction (ADR-040).
//! - [`SignIn`] lets users in (ADR-035). Its transactions lock tries at passwords or a session, and nothing
//!   else.
//! - [`CouponClaims`] leads claims past the gate (ADR-019), which is told after the transaction.
//! - [`outbox`] delivers what was written with the effect it tells of.
//!
//! [`Checkout`] offers it all to the application.

mod adjust_stock;
mod audit;
mod backoff;
mod change_cart;
mod change_product;
mod charge_wallet;
mod claim_coupon;
mod confirm;
mod coupon_claims;
mod create_coupon;
mod create_products;
mod decide;
mod fault;
mod follow_up;
mod idempotency;
mod lanes;
mod order_event;
mod order_set;
pub mod outbox;
mod payments;
mod place_orders;
mod ports;
mod refunds;
mod refuse;
mod register_user;
mod rejection;
mod release_orders;
mod runner;
mod sales;
mod script;
mod sign_in;

use std::sync::Arc;
use std::time::Duration;

use kernel::{BusinessZone, Clock, IdGenerator};

pub use adjust_stock::AdjustStock;
pub use audit::{AuditCheck, AuditReport, Auditor};
pub use change_cart::{CartChange, ChangeCart, offer};
pub use change_product::ChangeProduct;
pub use charge_wallet::ChargeWallet;
pub use claim_coupon::{ClaimCoupon, Claimed};
pub use coupon_claims::{Claimant, CouponClaims};
pub use create_products::{CreateProducts, OnError, ProductDraft, ProductOutcome};
pub use decide::{ChangeSet, Decision, Moment, OrderCommand, PaymentTerms, Receipt, Snapshot, decide};
pub use idempotency::{
    Answer, Claim, CompletedRequest, IdempotencyError, IdempotencyKey, KeyedRequest, Render, Reply, Resource,
};
pub use lanes::{LaneSettings, OrderLanes, QueueFull};
pub use payments::{PayOrder, PaymentDesk, PaymentResolver, RenderPayment};
pub use place_orders::PlaceOrder;
pub use ports::{IdempotencyRepository, KeyJanitor, OutboxRepository, Transaction, UnitOfWork};
pub use refunds::{RefundDesk, RefundPayment, RefundResolver, RenderRefund, plan_refund};
pub use register_user::RegisterUser;
pub use rejection::{Rejection, UseCaseError};
pub use release_orders::CancelOrder;
pub use runner::TransactionRunner;
pub use sales::{DailySale, SalesRepository};
pub use script::{Idempotent, TransactionScript};
pub use sign_in::{SignIn, SignedIn};

/// The use cases, with what they share.
#[derive(Clone)]
pub struct Checkout {
    runner: TransactionRunner,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    terms: BusinessTerms,
}

/// What the business has settled for all orders.
#[derive(Clone, Copy, Debug)]
pub struct BusinessTerms {
    /// The zone in which its days begin.
    pub zone: BusinessZone,
    /// How long an order waits for its payment.
    pub payment_window: Duration,
}

impl Checkout {
    /// Puts the use cases on top of a runner.
    pub fn new(
        runner: TransactionRunner,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        terms: BusinessTerms,
    ) -> Self {
        Self { runner, clock, ids, terms }
    }
}
