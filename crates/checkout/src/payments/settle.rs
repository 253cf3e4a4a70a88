//! The last step of a payment: what became of the attempt, whoever brings the news.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{DomainEvent, EventId, IdGenerator, Money, PaymentId, RefundId, Timestamp, TraceContext};
use order::{Actor, Order, OrderError, OrderPaid, OrderStatus};
use payment::{
    FailureReason, GatewayCharge, GatewayNotice, Payment, PaymentError, PaymentFailed, PaymentStatus,
    Settlement,
};
use refund::{NewReversal, Refund, RefundReason};

use super::RenderPayment;
use super::begin::lock_wallet;
use crate::order_event::order_event;
use crate::sales::sales_of;
use crate::{
    BusinessTerms, CompletedRequest, KeyedRequest, Rejection, Transaction, TransactionScript, UseCaseError,
};

/// What is heard of an attempt.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// What the gateway knows of it.
    Charge(GatewayCharge),
    /// The gateway refuses to take the money.
    Refused(String),
    /// The gateway took nothing and was not, or is not, asked to.
    GivenUp(FailureReason),
    /// Nothing is known: others will ask.
    None,
}

/// Takes note of news, in one transaction with all that follows from it.
pub(crate) struct Settle {
    pub(crate) payment_id: PaymentId,
    pub(crate) news: News,
    /// The notice that brings the news; nothing happens if it is known.
    pub(crate) notice: Option<GatewayNotice>,
    /// The request that waits for its answer.
    pub(crate) request: Option<(KeyedRequest, RenderPayment)>,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) now: Timestamp,
    pub(crate) terms: BusinessTerms,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

/// An attempt with what was learned of it.
pub(crate) struct Settled {
    pub(crate) payment: Payment,
    pub(crate) settlement: Settlement,
}

#[async_trait]
impl TransactionScript for Settle {
    type Output = Settled;

    const NAME: &'static str = "settle_payment";

    /// The same news may be heard again.
    fn repeatable(&self) -> bool {
        true
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Settled, UseCaseError> {
        let not_found = || UseCaseError::rejected(PaymentError::NotFound(self.payment_id));
        let seen = tx.payments().find(self.payment_id).await?.ok_or_else(not_found)?;
        let locked = tx.orders().lock(&[seen.order_id].into()).await?.into_iter().next();
        let order = locked.ok_or_else(|| UseCaseError::rejected(OrderError::NotFound(seen.order_id)))?;
        // Under the order's lock nobody else settles its payments.
        let mut payment = tx.payments().find(self.payment_id).await?.ok_or_else(not_found)?;
        let is_new = match &self.notice {
            Some(notice) => tx.payments().note(notice).await?,
            None => true,
        };
        let from = payment.status;
        let settlement = if is_new {
            self.learn(&mut payment, &order).map_err(UseCaseError::rejected)?
        } else {
            Settlement::Unchanged
        };
        match settlement {
            Settlement::Unchanged => {}
            Settlement::Paid => self.pay(tx, order, &payment).await?,
            Settlement::Failed => self.fail(tx, &payment).await?,
            Settlement::Reversed { had_failed } => {
                if !had_failed {
                    self.fail(tx, &payment).await?;
                }
                self.reverse(tx, &payment).await?;
            }
        }
        if settlement != Settlement::Unchanged {
            tx.payments().save(&payment, from).await?;
        }
        self.answer(tx, &payment).await?;
        Ok(Settled { payment, settlement })
    }

    fn committed(&self, settled: &Settled) {
        if settled.settlement != Settlement::Unchanged {
            metrics::counter!("jumun_payments_total", "status" => settled.payment.status.as_str())
                .increment(1);
        }
    }
}

impl Settle {
    fn learn(&self, payment: &mut Payment, order: &Order) -> Result<Settlement, PaymentError> {
        match &self.news {
            News::Charge(charge) => payment.learn(charge, order.status == OrderStatus::Pending, self.now),
            News::Refused(code) => Ok(payment.decline(code, self.now)),
            News::GivenUp(reason) => Ok(payment.give_up(*reason, self.now)),
            News::None => Ok(Settlement::Unchanged),
        }
    }

    async fn pay(
        &self,
        tx: &mut dyn Transaction,
        mut order: Order,
        payment: &Payment,
    ) -> Result<(), UseCaseError> {
        let paid = order.pay(Actor::User(payment.user_id), self.now).map_err(UseCaseError::rejected)?;
        let event = order_event(&OrderPaid::of(&order, payment.id), &paid, self.trace, self.ids.as_ref());
        tx.orders().save(std::slice::from_ref(&order), &[paid]).await?;
        tx.outbox().append(&[event.map_err(UseCaseError::rejected)?]).await?;
        Ok(tx.sales().add(&sales_of(std::slice::from_ref(&order), self.terms.zone)).await?)
    }

    /// Gives held points back and tells that the attempt came to nothing.
    async fn fail(&self, tx: &mut dyn Transaction, payment: &Payment) -> Result<(), UseCaseError> {
        if payment.point_amount > Money::ZERO {
            let mut wallet = lock_wallet(tx, payment.user_id).await?;
            let entry = wallet.release(payment.point_amount, payment.order_id, payment.id, self.now);
            tx.wallets().record(&[entry.map_err(UseCaseError::rejected)?]).await?;
        }
        let id = EventId::from_uuid(self.ids.uuid());
        let told = PaymentFailed::of(payment);
        let event = DomainEvent::new(id, payment.id.as_uuid(), PaymentFailed::SEQUENCE, self.now, &told)
            .map_err(UseCaseError::defect)?;
        Ok(tx.outbox().append(&[DomainEvent { trace: self.trace, ..event }]).await?)
    }

    /// Sends the money back that came too late.
    async fn reverse(&self, tx: &mut dyn Transaction, payment: &Payment) -> Result<(), UseCaseError> {
        let reason = RefundReason::new("the order could not be fulfilled any more when it was paid");
        let reversal = NewReversal {
            id: RefundId::from_uuid(self.ids.uuid()),
            payment_id: payment.id,
            order_id: payment.order_id,
            user_id: payment.user_id,
            reason: reason.map_err(UseCaseError::rejected)?,
            card_amount: payment.card_amount,
        };
        let refund = Refund::reversal(reversal, self.now).map_err(UseCaseError::rejected)?;
        Ok(tx.refunds().insert(&[refund]).await?)
    }

    /// Stores the answer to the request that began the attempt. Whoever could not reach the gateway is told
    /// to try again, and may do so with the same key.
    async fn answer(&self, tx: &mut dyn Transaction, payment: &Payment) -> Result<(), UseCaseError> {
        let Some((request, render)) = &self.request else { return Ok(()) };
        if is_to_be_repeated(payment) {
            return Ok(tx.keys().release(std::slice::from_ref(request)).await?);
        }
        let reply = render(payment).map_err(UseCaseError::defect)?;
        Ok(tx.keys().complete(&[CompletedRequest::new(request.clone(), reply)]).await?)
    }
}

impl Settled {
    /// Returns the attempt, unless its request is to be sent again.
    pub(super) fn answerable(self) -> Result<Payment, Rejection> {
        if is_to_be_repeated(&self.payment) {
            return Err(PaymentError::GatewayUnreachable.into());
        }
        Ok(self.payment)
    }
}

/// Tells whether an attempt came to nothing because the gateway did not get it, as far as is known.
fn is_to_be_repeated(payment: &Payment) -> bool {
    let unanswered = matches!(payment.failure, Some(FailureReason::Unreachable | FailureReason::Unheard));
    unanswered && payment.status == PaymentStatus::Failed
}
