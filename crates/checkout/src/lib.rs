//! Use cases that span domains: load under lock, decide with a pure function, store what changed.
//!
//! - [`decide`] takes what was loaded and a set of orders and answers each of them. It is synchronous
//!   and knows no port (ADR-010); one order is a batch of one.
//! - [`UnitOfWork`] and [`Transaction`] are the ports under it; [`TransactionRunner`] runs a named
//!   [`TransactionScript`] to its end, however the caller fares, and repeats it when others were in
//!   the way (ADR-016).
//! - Locks are taken in one order everywhere (ADR-021): idempotency keys, products by id, pieces of coupons
//!   by coupon and user, wallets by user id; children are inserted last. A claim locks its coupon's row
//!   after everything else.
//! - [`CouponClaims`] leads claims past the gate (ADR-019), which is told after the transaction.
//! - [`outbox`] delivers what was written with the effect it tells of.
//!
//! [`Checkout`] offers it all to the application.

mod adjust_stock;
mod audit;
mod change_product;
mod charge_wallet;
mod claim_coupon;
mod coupon_claims;
mod create_coupon;
mod create_products;
mod decide;
mod fault;
mod idempotency;
pub mod outbox;
mod place_orders;
mod ports;
mod register_user;
mod rejection;
mod runner;
mod script;

use std::sync::Arc;

use kernel::{BusinessZone, Clock, IdGenerator};

pub use adjust_stock::AdjustStock;
pub use audit::{AuditCheck, AuditReport, Auditor};
pub use change_product::ChangeProduct;
pub use charge_wallet::ChargeWallet;
pub use claim_coupon::{ClaimCoupon, Claimed};
pub use coupon_claims::{Claimant, CouponClaims};
pub use create_products::{CreateProducts, OnError, ProductDraft, ProductOutcome};
pub use decide::{ChangeSet, Decision, Moment, OrderCommand, Receipt, Snapshot, decide};
pub use idempotency::{
    Answer, Claim, CompletedRequest, IdempotencyError, IdempotencyKey, KeyedRequest, Render, Reply, Resource,
};
pub use place_orders::PlaceOrder;
pub use ports::{
    DailySale, IdempotencyRepository, KeyJanitor, OutboxRepository, SalesRepository, Transaction, UnitOfWork,
};
pub use register_user::RegisterUser;
pub use rejection::{Rejection, UseCaseError};
pub use runner::TransactionRunner;
pub use script::{Idempotent, TransactionScript};

/// The use cases, with what they share.
#[derive(Clone)]
pub struct Checkout {
    runner: TransactionRunner,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    zone: BusinessZone,
}

impl Checkout {
    /// Puts the use cases on top of a runner.
    pub fn new(
        runner: TransactionRunner,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        zone: BusinessZone,
    ) -> Self {
        Self { runner, clock, ids, zone }
    }
}
