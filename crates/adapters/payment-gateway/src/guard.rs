//! What stands around each call: the circuit breaker and the measurements.

use std::time::Duration;

use coordination::{BreakerSettings, CircuitBreaker};
use metrics::{counter, gauge, histogram};
use tokio::time::Instant;

use crate::client::TimeLimits;
use crate::failure::Failure;

/// After so many failures in a row the gateway is left alone for a while.
const FAILURES: u32 = 5;
/// How much longer than a call the others wait for the one that tries.
const SPARE: Duration = Duration::from_secs(1);

/// Lets calls through while the gateway answers, and counts them.
pub(crate) struct Guard(CircuitBreaker);

impl Guard {
    /// Makes one that lets calls through.
    pub(crate) const fn new(limits: TimeLimits) -> Self {
        Self(CircuitBreaker::new(BreakerSettings {
            failures: FAILURES,
            pause: limits.pause,
            trial: limits.total.saturating_add(SPARE),
        }))
    }

    /// Makes a call unless the circuit is open. `outcome` is what an answer is counted as.
    pub(crate) async fn around<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, Failure>>,
        outcome: impl FnOnce(&T) -> &'static str,
    ) -> Result<T, Failure> {
        let result = if self.0.lets_through() {
            let begun = Instant::now();
            let result = call.await;
            self.learn_from(operation, result.as_ref().err());
            let seconds = begun.elapsed().as_secs_f64();
            histogram!("jumun_gateway_request_duration_seconds", "operation" => operation).record(seconds);
            result
        } else {
            Err(Failure::CircuitOpen)
        };
        let outcome = result.as_ref().map_or_else(Failure::outcome, outcome);
        counter!("jumun_gateway_requests_total", "operation" => operation, "outcome" => outcome).increment(1);
        result
    }

    fn learn_from(&self, operation: &'static str, failure: Option<&Failure>) {
        match failure {
            Some(failure) if failure.is_trouble() => {
                let error = kernel::causes(failure);
                tracing::debug!(operation, error, "the payment gateway gives no answer that decides");
                if self.0.failed() {
                    tracing::warn!(operation, error, "the payment gateway is left alone for a while");
                    gauge!("jumun_gateway_circuit_open").set(1.0);
                }
            }
            _ => {
                if self.0.answered() {
                    tracing::info!(operation, "the payment gateway answers again");
                }
                gauge!("jumun_gateway_circuit_open").set(0.0);
            }
        }
    }
}
