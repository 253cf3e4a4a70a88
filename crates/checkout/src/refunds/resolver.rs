//! Seeing refunds through: the gateway is asked until it has given the money back.

use std::sync::Arc;

use kernel::{StoreError, causes};
use payment::{PaymentGateway, PaymentReader};
use refund::{RefundReader, RefundStatus, UnsettledRefund, UnsettledRefunds};

use super::desk::return_card_money;
use super::settle::News;
use crate::{Checkout, UseCaseError, follow_up};

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
        let due = self.unsettled.take_due(now, follow_up::LEASE, follow_up::BATCH).await?;
        let repeated = follow_up::each(due, |refund| async move {
            if let Err(error) = self.resolve(refund).await {
                tracing::warn!(refund = %refund.id, causes = causes(&error), "a refund cannot be settled yet");
            }
        });
        Ok(repeated.await)
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
        self.unsettled.put_off(due.id, self.checkout.next_turn(due.attempt)).await
    }
}
