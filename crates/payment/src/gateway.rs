//! The payment gateway: who takes money by card, and gives it back.

use async_trait::async_trait;
use kernel::{BoxError, Money, OrderId, PaymentId, RefundId, TraceContext};
use thiserror::Error;

use crate::CardToken;

/// Money to take by card.
#[derive(Clone, Debug)]
pub struct CardCharge {
    /// The attempt, by which the gateway knows a repetition: the same attempt is never charged twice.
    pub key: PaymentId,
    /// The order, for the buyer's statement.
    pub order_id: OrderId,
    /// How much, above zero.
    pub amount: Money,
    /// What stands for the card.
    pub token: CardToken,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

/// Money to give back to the card that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRefund {
    /// The refund, by which the gateway knows a repetition: the same refund is never paid twice.
    pub key: RefundId,
    /// What the gateway calls the charge.
    pub charge_id: String,
    /// How much, above zero.
    pub amount: Money,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

/// How far the gateway has come with a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeState {
    /// It does not know yet.
    Pending,
    /// The money has been taken.
    Captured,
    /// No money has been taken, and none will be.
    Declined {
        /// Why, in the gateway's words, for example `insufficient_funds`.
        code: String,
    },
}

/// What the gateway knows of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayCharge {
    /// What it calls the charge, 1 to 64 printable ASCII characters.
    pub id: String,
    /// How much it has taken, or would take.
    pub amount: Money,
    /// How far it has come.
    pub state: ChargeState,
}

/// Why the gateway gave no answer that decides anything.
#[derive(Debug, Error)]
pub enum GatewayError {
    /// The request surely had no effect: no connection stood, the circuit is open, or it was not let in.
    #[error("the payment gateway could not be reached")]
    NotSent(#[source] BoxError),
    /// The request may have had its effect: no answer in time, a broken one, or a failure of the gateway.
    #[error("what the payment gateway did is not known")]
    Unknown(#[source] BoxError),
    /// The gateway refuses the request itself, and it has had no effect: repeating it changes nothing.
    #[error("the payment gateway refuses the request: {code}")]
    Refused {
        /// Why, in the gateway's words.
        code: String,
    },
}

/// The payment gateway. Nobody may hold a lock, a transaction or a connection while calling it (ADR-034).
///
/// Every call ends within the adapter's time limits. Charges and refunds carry the key by which the gateway
/// recognises a repetition, so that whoever is unsure may call again.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Takes money by card; a repetition returns what became of the first call.
    async fn charge(&self, charge: &CardCharge) -> Result<GatewayCharge, GatewayError>;

    /// Returns what became of a charge; `None` if the gateway has never heard of it.
    async fn find(
        &self,
        key: PaymentId,
        trace: Option<TraceContext>,
    ) -> Result<Option<GatewayCharge>, GatewayError>;

    /// Gives money back; returns once the gateway has confirmed it.
    async fn refund(&self, refund: &CardRefund) -> Result<(), GatewayError>;
}
