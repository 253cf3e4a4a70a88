//! Seeing refunds through: the gateway is asked until it has given the money back.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use kernel::{StoreError, causes};
use payment::{PaymentGateway, PaymentReader};
use refund::{RefundReader, RefundStatus, UnsettledRefund, UnsettledRefunds};

use super::desk::return_card_money;
use super::settle::News;
use crate::backoff::pause_after;
use crate::{Checkout, UseCaseError};

/// Repeats refunds whose money is not back. Any number of processes may do so at once.
#[derive(Clone)]
pub struct RefundResolver {
    checkout: Checkout,
    gateway: Arc<dyn PaymentGateway>,
    unsettled: Arc<dyn UnsettledRefunds>,
    refunds: Arc<dyn RefundReader>,
    payments: Arc<dyn PaymentReader>,
}

impl RefundResolver {
    /// How many refunds are taken at a time.
    const BATCH: u32 = 20;
    /// How many of them are repeated at once.
    const AT_ONCE: usize = 4;
    /// How long a refund is left to whoever took it: longer than a batch can take.
    const LEASE: Duration = Duration::from_secs(45);
    /// The first and the longest pause between two attempts.
    const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));

    /// Puts the resolver on top of the use cases and the gateway.
    pub fn new(
        checkout: Checkout,
        gateway: Arc<dyn PaymentGateway>,
        unsettled: Arc<dyn UnsettledRefunds>,
        refunds: Arc<dyn RefundReader>,
        payments: Arc<dyn PaymentReader>,
    ) -> Self {
        Self { checkout, gateway, unsettled, refunds, payments }
    }

    /// Repeats the refunds that are due and returns how many there were.
    ///
    /// # Errors
    /// When the store cannot be asked which are due.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let now = self.checkout.clock.now();
        let due = self.unsettled.take_due(now, Self::LEASE, Self::BATCH).await?;
        let count = due.len();
        let repeated = futures_util::stream::iter(due).for_each_concurrent(Self::AT_ONCE, |refund| async move {
            if let Err(error) = self.resolve(refund).await {
                tracing::warn!(refund = %refund.id, causes = causes(&error), "a refund cannot be settled yet");
            }
        });
        repeated.await;
        Ok(count)
    }

    async fn resolve(&self, due: UnsettledRefund) -> Result<(), UseCaseError> {
        let Some(refund) = self.refunds.find(due.id).await?.filter(|it| it.status == RefundStatus::Pending)
        else {
            return Ok(());
        };
        let payment = self.payments.find(refund.payment_id).await?;
        let news = match payment.and_then(|payment| payment.charge_id.clone()) {
            Some(charge_id) => return_card_money(self.gateway.as_ref(), &refund, charge_id, None).await,
            None => News::None,
        };
        // A refusal now says nothing of an earlier call whose answer was lost: only a confirmation settles.
        if matches!(news, News::Confirmed) {
            let settled = self.checkout.runner.run(self.checkout.settle_refund(refund.id, news)).await;
            if settled.as_ref().is_ok_and(|refund| refund.status != RefundStatus::Pending) {
                return Ok(());
            }
            self.put_off(due).await?;
            return settled.map(|_| ());
        }
        Ok(self.put_off(due).await?)
    }

    async fn put_off(&self, due: UnsettledRefund) -> Result<(), StoreError> {
        let pause = pause_after(due.attempt, Self::PAUSES, self.checkout.ids.random());
        self.unsettled.put_off(due.id, self.checkout.clock.now() + pause).await
    }
}
