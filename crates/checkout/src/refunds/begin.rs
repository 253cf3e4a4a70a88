//! The first step of a refund: it is recorded, or where no card was charged it is done.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{IdGenerator, Money, Timestamp};
use order::OrderError;
use payment::{Payment, PaymentError};
use refund::{Refund, RefundStatus};

use super::settle::give_back;
use super::{RefundPayment, RenderRefund, plan_refund};
use crate::script::claim_key;
use crate::{
    Answer, BusinessTerms, CompletedRequest, KeyedRequest, Transaction, TransactionScript, UseCaseError,
};

/// Records a refund.
pub(super) struct Begin {
    pub(super) wanted: RefundPayment,
    pub(super) request: Option<KeyedRequest>,
    pub(super) render: RenderRefund,
    pub(super) now: Timestamp,
    pub(super) terms: BusinessTerms,
    pub(super) ids: Arc<dyn IdGenerator>,
}

/// What became of the first step.
pub(super) enum Begun {
    /// There is an answer already.
    Answered(Answer),
    /// The gateway has to be called, for what it calls a charge.
    UnderWay(Refund, String),
}

#[async_trait]
impl TransactionScript for Begin {
    type Output = Begun;

    const NAME: &'static str = "begin_refund";

    fn repeatable(&self) -> bool {
        self.request.is_some()
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Begun, UseCaseError> {
        if let Some(answer) = claim_key(tx, self.request.as_ref(), self.now).await? {
            return Ok(Begun::Answered(answer));
        }
        let RefundPayment { refund_id, payment_id, wanted, reason, requested_by, trace } = &self.wanted;
        let not_found = || UseCaseError::rejected(PaymentError::NotFound(*payment_id));
        let seen = tx.payments().find(*payment_id).await?.ok_or_else(not_found)?;
        let locked = tx.orders().lock(&[seen.order_id].into()).await?.into_iter().next();
        let order = locked.ok_or_else(|| UseCaseError::rejected(OrderError::NotFound(seen.order_id)))?;
        // Under the order's lock nobody else refunds its payments.
        let payment = tx.payments().find(*payment_id).await?.ok_or_else(not_found)?;
        let earlier = tx.refunds().of_payment(*payment_id).await?;
        let plan = plan_refund(&order, &payment, &earlier, wanted, self.now);
        let plan = plan.map_err(UseCaseError::rejected)?;
        let whose = (order.id, payment.user_id);
        let mut refund =
            Refund::begin(*refund_id, whose, plan, reason.clone(), Some(*requested_by), self.now);
        tx.refunds().insert(std::slice::from_ref(&refund)).await?;
        let charge_id = payment.charge_id.clone().filter(|_| refund.card_amount > Money::ZERO);
        if charge_id.is_none() {
            let returned =
                give_back(tx, (order, &earlier), refund, (self.now, self.terms), *trace, &self.ids);
            refund = returned.await?;
        }
        let reply = (self.render)(&refund).map_err(UseCaseError::defect)?;
        if let Some(request) = self.request.clone() {
            let held_until = charge_id.as_ref().map(|_| self.now + Payment::PATIENCE);
            tx.keys().complete(&[CompletedRequest { request, reply: reply.clone(), held_until }]).await?;
        }
        Ok(charge_id.map_or_else(
            || Begun::Answered(Answer::fresh(reply)),
            |charge_id| Begun::UnderWay(refund, charge_id),
        ))
    }

    fn committed(&self, begun: &Begun) {
        if let Begun::Answered(Answer { replayed: false, .. }) = begun {
            metrics::counter!("jumun_refunds_total", "status" => RefundStatus::Success.as_str()).increment(1);
        }
    }
}
