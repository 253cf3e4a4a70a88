//! Where payments are given back: what is committed before and after the gateway is called, and what is not.

use std::sync::Arc;

use kernel::{RefundId, TraceContext, causes};
use payment::{CardRefund, GatewayError, PaymentGateway};
use refund::{Refund, UnsettledRefunds};

use super::begin::{Begin, Begun};
use super::settle::{News, Settle};
use super::{RefundPayment, RenderRefund};
use crate::{Answer, Checkout, KeyedRequest, UseCaseError, fault};

/// Gives payments back.
#[derive(Clone)]
pub struct RefundDesk {
    checkout: Checkout,
    gateway: Arc<dyn PaymentGateway>,
    unsettled: Arc<dyn UnsettledRefunds>,
}

impl RefundDesk {
    /// Puts refunds on top of the use cases and the gateway.
    pub fn new(
        checkout: Checkout,
        gateway: Arc<dyn PaymentGateway>,
        unsettled: Arc<dyn UnsettledRefunds>,
    ) -> Self {
        Self { checkout, gateway, unsettled }
    }

    /// Gives back a payment or a part of it and answers with what has become of the refund: it succeeded,
    /// the gateway refused it, or it is pending and is repeated until the gateway answers.
    ///
    /// A refund that has begun goes on to its end, whether or not its caller is still there.
    ///
    /// # Errors
    /// Why there is no refund.
    pub async fn refund(
        &self,
        wanted: RefundPayment,
        request: Option<KeyedRequest>,
        render: RenderRefund,
    ) -> Result<Answer, UseCaseError> {
        let desk = self.clone();
        let refunded = async move { desk.refund_to_the_end(wanted, request, render).await };
        self.checkout.runner.to_the_end(refunded).await?
    }

    async fn refund_to_the_end(
        &self,
        wanted: RefundPayment,
        request: Option<KeyedRequest>,
        render: RenderRefund,
    ) -> Result<Answer, UseCaseError> {
        let trace = wanted.trace;
        let begin = Begin {
            wanted,
            request: request.clone(),
            render: render.clone(),
            now: self.checkout.clock.now(),
            terms: self.checkout.terms,
            ids: self.checkout.ids.clone(),
        };
        let (refund, charge_id) = match self.checkout.runner.run(begin).await? {
            Begun::Answered(answer) => return Ok(answer),
            Begun::UnderWay(refund, charge_id) => (refund, charge_id),
        };
        fault::point("refund-begun");
        let news = return_card_money(self.gateway.as_ref(), &refund, charge_id, trace).await;
        fault::point("refund-confirmed");
        let open = matches!(news, News::None);
        let request = request.map(|request| (request, render.clone()));
        let settle = Settle { request, trace, ..self.checkout.settle_refund(refund.id, news) };
        let refund = match self.checkout.runner.run(settle).await {
            // The gateway may have given the money back already: the refund stays open until it is settled.
            Err(UseCaseError::Rejected(rejection)) => {
                tracing::error!(refund = %refund.id, reason = rejection.to_string(), "a refund cannot be settled");
                refund
            }
            settled => settled?,
        };
        if open && let Err(error) = self.unsettled.put_off(refund.id, self.checkout.clock.now()).await {
            tracing::warn!(refund = %refund.id, causes = causes(&error), "a refund will be repeated later");
        }
        Ok(Answer::fresh(render(&refund).map_err(UseCaseError::defect)?))
    }
}

/// Asks the gateway to give the card's part back, which it does once however often it is asked. Nothing is
/// open or locked meanwhile.
pub(super) async fn return_card_money(
    gateway: &dyn PaymentGateway,
    refund: &Refund,
    charge_id: String,
    trace: Option<TraceContext>,
) -> News {
    let wanted = CardRefund { key: refund.id, charge_id, amount: refund.card_amount, trace };
    match gateway.refund(&wanted).await {
        Ok(()) => News::Confirmed,
        Err(GatewayError::Refused { code }) => {
            tracing::error!(refund = %refund.id, code, "the gateway refuses a refund");
            News::Refused
        }
        Err(error) => {
            tracing::warn!(refund = %refund.id, causes = causes(&error), "a refund has to be repeated");
            News::None
        }
    }
}

impl Checkout {
    /// Makes the script by which a refund learns what became of it.
    pub(super) fn settle_refund(&self, refund_id: RefundId, news: News) -> Settle {
        Settle {
            refund_id,
            news,
            request: None,
            trace: None,
            now: self.clock.now(),
            terms: self.terms,
            ids: self.ids.clone(),
        }
    }
}
