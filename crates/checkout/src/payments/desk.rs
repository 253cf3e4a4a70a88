//! Where orders are paid: what is committed before and after the gateway is called, and what is not.

use std::sync::Arc;

use kernel::{PaymentId, StoreError, causes};
use payment::{
    CardCharge, ChargeState, FailureReason, GatewayCharge, GatewayError, GatewayNotice, Payment,
    PaymentGateway, Tender, UnsettledPayments,
};

use super::begin::{Begin, Begun};
use super::settle::Settled;
use super::{News, PayOrder, RenderPayment, Settle};
use crate::{Answer, Checkout, KeyedRequest, UseCaseError, fault};

/// Takes payments.
#[derive(Clone)]
pub struct PaymentDesk {
    checkout: Checkout,
    gateway: Arc<dyn PaymentGateway>,
    unsettled: Arc<dyn UnsettledPayments>,
}

impl PaymentDesk {
    /// Puts payments on top of the use cases and the gateway.
    pub fn new(
        checkout: Checkout,
        gateway: Arc<dyn PaymentGateway>,
        unsettled: Arc<dyn UnsettledPayments>,
    ) -> Self {
        Self { checkout, gateway, unsettled }
    }

    /// Pays an order and answers with what has become of the attempt: it succeeded, was declined, came too
    /// late, or is still pending and will be settled by asking the gateway.
    ///
    /// An attempt that has begun goes on to its end, whether or not its caller is still there.
    ///
    /// # Errors
    /// Why there is no attempt, or that the gateway cannot be reached.
    pub async fn pay(
        &self,
        pay: PayOrder,
        request: Option<KeyedRequest>,
        render: RenderPayment,
    ) -> Result<Answer, UseCaseError> {
        let desk = self.clone();
        let paid = async move { desk.pay_to_the_end(pay, request, render).await };
        self.checkout.runner.to_the_end(paid).await?
    }

    /// Takes note of what the gateway says of an attempt, once for each notice.
    ///
    /// # Errors
    /// [`payment::PaymentError::NotFound`], or that what it says cannot be.
    pub async fn hear(&self, notice: GatewayNotice, charge: GatewayCharge) -> Result<(), UseCaseError> {
        let news = News::Charge(charge);
        let settle = Settle { notice: Some(notice.clone()), ..self.checkout.settle(notice.payment_id, news) };
        self.checkout.runner.run(settle).await.map(|_| ())
    }

    async fn pay_to_the_end(
        &self,
        pay: PayOrder,
        request: Option<KeyedRequest>,
        render: RenderPayment,
    ) -> Result<Answer, UseCaseError> {
        let begin = Begin {
            pay: pay.clone(),
            request: request.clone(),
            render: render.clone(),
            now: self.checkout.clock.now(),
            terms: self.checkout.terms,
            ids: self.checkout.ids.clone(),
        };
        let payment = match self.checkout.runner.run(begin).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::UnderWay(payment) => payment,
        };
        fault::point("payment-begun");
        let news = self.charge(&pay, &payment).await;
        fault::point("payment-charged");
        let open = matches!(news, News::None);
        let request = request.map(|request| (request, render.clone()));
        let settle = Settle { request, trace: pay.trace, ..self.checkout.settle(payment.id, news) };
        let settled = self.settle(settle, payment).await?;
        if open {
            self.ask_soon(settled.payment.id).await;
        }
        let payment = settled.answerable()?;
        Ok(Answer::fresh(render(&payment).map_err(UseCaseError::defect)?))
    }

    /// Calls the gateway. Nothing is open or locked meanwhile.
    async fn charge(&self, pay: &PayOrder, payment: &Payment) -> News {
        let Tender::Card { token, .. } = &pay.tender else { return News::None };
        let charge = CardCharge {
            key: payment.id,
            order_id: payment.order_id,
            amount: payment.card_amount,
            token: token.clone(),
            trace: pay.trace,
        };
        match self.gateway.charge(&charge).await {
            Ok(GatewayCharge { state: ChargeState::Pending, .. }) => News::None,
            Ok(charge) => News::Charge(charge),
            Err(GatewayError::Refused { code }) => News::Refused(code),
            Err(error @ GatewayError::NotSent(_)) => {
                tracing::warn!(payment = %payment.id, causes = causes(&error), "a card is not charged");
                News::GivenUp(FailureReason::Unreachable)
            }
            Err(error @ GatewayError::Unknown(_)) => {
                tracing::warn!(payment = %payment.id, causes = causes(&error), "a charge has to be asked for");
                News::None
            }
        }
    }

    /// Settles an attempt. What the gateway says and cannot be stays open: a person has to look at it.
    async fn settle(&self, settle: Settle, payment: Payment) -> Result<Settled, UseCaseError> {
        match self.checkout.runner.run(settle).await {
            Err(UseCaseError::Rejected(rejection)) => {
                let reason = rejection.to_string();
                tracing::error!(payment = %payment.id, reason, "what the gateway says of a charge cannot be");
                Ok(Settled { payment, settlement: payment::Settlement::Unchanged })
            }
            settled => settled,
        }
    }

    /// Has the gateway asked as soon as a worker is free, rather than when patience is at its end.
    async fn ask_soon(&self, id: PaymentId) {
        let now = self.checkout.clock.now();
        let put_off: Result<(), StoreError> = self.unsettled.put_off(id, now).await;
        if let Err(error) = put_off {
            tracing::warn!(payment = %id, causes = causes(&error), "a charge will be asked for later");
        }
    }
}

impl Checkout {
    /// Makes the script by which an attempt learns what became of it.
    pub(crate) fn settle(&self, payment_id: PaymentId, news: News) -> Settle {
        Settle {
            payment_id,
            news,
            notice: None,
            request: None,
            trace: None,
            now: self.clock.now(),
            terms: self.terms,
            ids: self.ids.clone(),
        }
    }
}
