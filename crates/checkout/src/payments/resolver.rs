//! Finding out what became of attempts: the gateway is asked until it answers.

use std::sync::Arc;
use std::time::Duration;

use kernel::{StoreError, causes};
use payment::{
    ChargeState, FailureReason, GatewayCharge, Payment, PaymentGateway, UnsettledPayment, UnsettledPayments,
};

use super::News;
use crate::{Checkout, UseCaseError, follow_up};

/// Asks the gateway for attempts whose outcome is not known. Any number of processes may do so at once.
#[derive(Clone)]
pub struct PaymentResolver {
    checkout: Checkout,
    gateway: Arc<dyn PaymentGateway>,
    unsettled: Arc<dyn UnsettledPayments>,
}

impl PaymentResolver {
    /// Puts the resolver on top of the use cases and the gateway.
    pub fn new(
        checkout: Checkout,
        gateway: Arc<dyn PaymentGateway>,
        unsettled: Arc<dyn UnsettledPayments>,
    ) -> Self {
        Self { checkout, gateway, unsettled }
    }

    /// Asks for the attempts that are due and returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be asked which are due.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let now = self.checkout.clock.now();
        let due = self.unsettled.take_due(now, follow_up::LEASE, follow_up::BATCH).await?;
        let asked = follow_up::each(due, |attempt| async move {
            if let Err(error) = self.resolve(attempt).await {
                let payment = attempt.id;
                tracing::warn!(%payment, causes = causes(&error), "a payment cannot be settled yet");
            }
        });
        Ok(asked.await)
    }

    async fn resolve(&self, attempt: UnsettledPayment) -> Result<(), UseCaseError> {
        let asked_at = self.checkout.clock.now();
        let news = match self.gateway.find(attempt.id, None).await {
            Ok(Some(GatewayCharge { state: ChargeState::Pending, .. })) => None,
            Ok(Some(charge)) => Some(News::Charge(charge)),
            Ok(None) if asked_at - attempt.created_at >= to_delta(Payment::UNHEARD_AFTER) => {
                Some(News::GivenUp(FailureReason::Unheard))
            }
            Ok(None) => None,
            Err(error) => {
                let (payment, attempt) = (attempt.id, attempt.attempt);
                tracing::warn!(%payment, attempt, causes = causes(&error), "the gateway does not say what became of a charge");
                None
            }
        };
        let Some(news) = news else { return Ok(self.put_off(attempt).await?) };
        let settled = self.checkout.runner.run(self.checkout.settle(attempt.id, news)).await;
        if settled.is_err() {
            self.put_off(attempt).await?;
        }
        settled.map(|_| ())
    }

    async fn put_off(&self, attempt: UnsettledPayment) -> Result<(), StoreError> {
        self.unsettled.put_off(attempt.id, self.checkout.next_turn(attempt.attempt)).await
    }
}

fn to_delta(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
