//! Finding out what became of attempts: the gateway is asked until it answers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kernel::{Clock, IdGenerator, StoreError, causes};
use payment::{
    ChargeState, FailureReason, GatewayCharge, Payment, PaymentGateway, UnsettledPayment, UnsettledPayments,
};

use super::News;
use crate::backoff::pause_after;
use crate::{Checkout, UseCaseError};

/// Asks the gateway for attempts whose outcome is not known. Any number of processes may do so at once.
#[derive(Clone)]
pub struct PaymentResolver {
    checkout: Checkout,
    gateway: Arc<dyn PaymentGateway>,
    unsettled: Arc<dyn UnsettledPayments>,
}

impl PaymentResolver {
    /// How many attempts are taken at a time.
    const BATCH: u32 = 20;
    /// How many of them are asked for at once.
    const AT_ONCE: usize = 4;
    /// How long an attempt is left to whoever took it: longer than a batch can take.
    const LEASE: Duration = Duration::from_secs(45);
    /// The first and the longest pause between two questions.
    const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

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
        let now = self.clock().now();
        let due = self.unsettled.take_due(now, Self::LEASE, Self::BATCH).await?;
        let count = due.len();
        let questions =
            futures_util::stream::iter(due).for_each_concurrent(Self::AT_ONCE, |attempt| async move {
                if let Err(error) = self.resolve(attempt).await {
                    let payment = attempt.id;
                    tracing::warn!(%payment, causes = causes(&error), "a payment cannot be settled yet");
                }
            });
        questions.await;
        Ok(count)
    }

    async fn resolve(&self, attempt: UnsettledPayment) -> Result<(), UseCaseError> {
        let asked_at = self.clock().now();
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
        let pause = pause_after(attempt.attempt, Self::PAUSES, self.ids().random());
        self.unsettled.put_off(attempt.id, self.clock().now() + pause).await
    }

    fn clock(&self) -> &dyn Clock {
        self.checkout.clock.as_ref()
    }

    fn ids(&self) -> &dyn IdGenerator {
        self.checkout.ids.as_ref()
    }
}

fn to_delta(duration: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(duration).unwrap_or(chrono::TimeDelta::MAX)
}
