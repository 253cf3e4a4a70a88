//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{IdGenerator, PaymentId, TraceContext};
use payment::{CardCharge, CardRefund, ChargeState, GatewayCharge, GatewayError, PaymentGateway};
use reqwest::RequestBuilder;
use url::Url;

use crate::address::Endpoints;
use crate::failure::Failure;
use crate::guard::Guard;
use crate::setup_error::SetupError;
use crate::transport::{Repeat, Transport};
use crate::wire::{self, ChargeBody, RefundBody};

/// How long a call may take, and how long the gateway is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// Until a connection stands, name resolution and TLS included.
    pub connect: Duration,
    /// Until the answer has come, the connection and a repetition included: no call takes longer.
    pub total: Duration,
    /// How long calls fail at once after five in a row have failed; then one tries.
    pub pause: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(1), total: Duration::from_secs(5), pause: Duration::from_secs(5) }
    }
}

/// Calls the payment gateway. It holds a pool of connections and the state of the circuit: make one and
/// share it.
pub struct PaymentGatewayClient {
    endpoints: Endpoints,
    transport: Transport,
    guard: Guard,
    ids: Arc<dyn IdGenerator>,
}

impl PaymentGatewayClient {
    /// Makes a client for the gateway at `base`; `ids` names the spans of its calls.
    ///
    /// # Errors
    /// When the address cannot be used. Whether anybody answers is not asked.
    pub fn new(base: Url, limits: TimeLimits, ids: Arc<dyn IdGenerator>) -> Result<Self, SetupError> {
        let endpoints = Endpoints::below(base)?;
        let transport = Transport::new(endpoints.payments(), limits)?;
        Ok(Self { endpoints, transport, guard: Guard::new(limits), ids })
    }

    /// Puts a call into a span of its own in the trace of the request.
    fn traced(&self, request: RequestBuilder, trace: Option<TraceContext>) -> RequestBuilder {
        match trace {
            Some(trace) => request.header("traceparent", trace.child(&*self.ids).to_string()),
            None => request,
        }
    }

    /// Begins a call that the gateway does once, however often it comes.
    fn once(&self, url: Url, key: &impl ToString, trace: Option<TraceContext>) -> RequestBuilder {
        self.traced(self.transport.post(url).header("Idempotency-Key", key.to_string()), trace)
    }

    async fn try_charge(&self, charge: &CardCharge) -> Result<GatewayCharge, Failure> {
        let request = self.once(self.endpoints.payments().clone(), &charge.key, charge.trace);
        let answer = self.transport.send(request.json(&ChargeBody::from(charge)), Repeat::Unsent).await?;
        wire::charge_of(&answer, charge.key, Some(charge.token.expose()))
    }

    async fn try_find(
        &self,
        key: PaymentId,
        trace: Option<TraceContext>,
    ) -> Result<Option<GatewayCharge>, Failure> {
        let request = self.traced(self.transport.get(self.endpoints.by_key(key)), trace);
        let answer = self.transport.send(request, Repeat::Unanswered).await?;
        wire::found(&answer, key)
    }

    async fn try_refund(&self, refund: &CardRefund) -> Result<(), Failure> {
        let url = self.endpoints.refunds(&refund.charge_id);
        let request = self.once(url, &refund.key, refund.trace).json(&RefundBody { amount: refund.amount });
        let answer = self.transport.send(request, Repeat::Unsent).await?;
        wire::refunded(&answer, refund)
    }
}

#[async_trait]
impl PaymentGateway for PaymentGatewayClient {
    async fn charge(&self, charge: &CardCharge) -> Result<GatewayCharge, GatewayError> {
        let outcome = |charge: &GatewayCharge| outcome(&charge.state);
        Ok(self.guard.around("charge", self.try_charge(charge), outcome).await?)
    }

    async fn find(
        &self,
        key: PaymentId,
        trace: Option<TraceContext>,
    ) -> Result<Option<GatewayCharge>, GatewayError> {
        let outcome =
            |found: &Option<GatewayCharge>| found.as_ref().map_or("missing", |charge| outcome(&charge.state));
        Ok(self.guard.around("find", self.try_find(key, trace), outcome).await?)
    }

    async fn refund(&self, refund: &CardRefund) -> Result<(), GatewayError> {
        if !wire::is_id(&refund.charge_id) {
            // It was never given out by the gateway, and in the path it could mean something else.
            return Err(GatewayError::Refused { code: "invalid_charge_id".to_owned() });
        }
        Ok(self.guard.around("refund", self.try_refund(refund), |()| "refunded").await?)
    }
}

/// Shows where the gateway is.
impl fmt::Debug for PaymentGatewayClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentGatewayClient")
            .field("endpoint", &self.endpoints.payments().as_str())
            .finish_non_exhaustive()
    }
}

/// Returns what the state of a charge is counted as.
const fn outcome(state: &ChargeState) -> &'static str {
    match state {
        ChargeState::Pending => "pending",
        ChargeState::Captured => "captured",
        ChargeState::Declined { .. } => "declined",
    }
}
