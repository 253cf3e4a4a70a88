//! Payments: attempts to settle an order, with points, by card, or with both (ADR-031).
//!
//! Invariants
//! - an order has at most one attempt that is under way or has succeeded; the database itself sees to it;
//! - an attempt is appended and never rewritten once it is settled (ADR-015); only the exception that the
//!   gateway took the money after all moves a failed attempt on, to [`PaymentStatus::Reversed`];
//! - what was paid is the sum of its tenders;
//! - the gateway knows an attempt by its id, so that asking again never takes money twice (ADR-034).
//!
//! Ports: [`PaymentRepository`] inside a transaction, [`PaymentReader`] for reads, [`UnsettledPayments`] for
//! those who find out what became of an attempt, [`PaymentGateway`] for the money itself.

mod card_token;
mod error;
mod events;
mod gateway;
mod payment;
mod ports;
mod status;
mod tender;

pub use card_token::CardToken;
pub use error::PaymentError;
pub use events::PaymentFailed;
#[cfg(feature = "mocks")]
pub use gateway::MockPaymentGateway;
pub use gateway::{CardCharge, CardRefund, ChargeState, GatewayCharge, GatewayError, PaymentGateway};
pub use payment::{Payment, PaymentState, Settlement};
pub use ports::{
    GatewayNotice, PaymentCursor, PaymentFilter, PaymentReader, PaymentRepository, UnsettledPayment,
    UnsettledPayments,
};
#[cfg(feature = "mocks")]
pub use ports::{MockPaymentReader, MockPaymentRepository, MockUnsettledPayments};
pub use status::{FailureReason, PaymentStatus};
pub use tender::Tender;
