//! The first step of a payment: the attempt is recorded, or with points alone the order is paid.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{IdGenerator, Money, Timestamp, UserId};
use order::{Actor, Order, OrderError, OrderPaid, OrderStatus};
use payment::{Payment, PaymentError, PaymentStatus, Tender};
use point::Wallet;

use super::{PayOrder, RenderPayment};
use crate::order_event::order_event;
use crate::sales::sales_of;
use crate::script::claim_key;
use crate::{
    Answer, BusinessTerms, CompletedRequest, KeyedRequest, Rejection, Transaction, TransactionScript,
    UseCaseError,
};

/// Records an attempt.
pub(super) struct Begin {
    pub(super) pay: PayOrder,
    pub(super) request: Option<KeyedRequest>,
    pub(super) render: RenderPayment,
    pub(super) now: Timestamp,
    pub(super) terms: BusinessTerms,
    pub(super) ids: Arc<dyn IdGenerator>,
}

/// What became of the first step.
pub(super) enum Begun {
    /// There is an answer already.
    Answered(Answer),
    /// The gateway has to be called.
    UnderWay(Payment),
}

#[async_trait]
impl TransactionScript for Begin {
    type Output = Begun;

    const NAME: &'static str = "begin_payment";

    fn repeatable(&self) -> bool {
        self.request.is_some()
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Begun, UseCaseError> {
        if let Some(answer) = claim_key(tx, self.request.as_ref(), self.now).await? {
            return Ok(Begun::Answered(answer));
        }
        let mut order = self.payable_order(tx).await?;
        let (points, card) = self.pay.tender.split(order.payable()).map_err(UseCaseError::rejected)?;
        self.hold(tx, points).await?;
        let PayOrder { payment_id, order_id, user_id, .. } = self.pay;
        let payment = match &self.pay.tender {
            Tender::Points => {
                let paid = order.pay(Actor::User(user_id), self.now).map_err(UseCaseError::rejected)?;
                let event =
                    order_event(&OrderPaid::of(&order, payment_id), &paid, self.pay.trace, self.ids.as_ref());
                tx.orders().save(std::slice::from_ref(&order), &[paid]).await?;
                let payment = Payment::settled_with_points(payment_id, order_id, user_id, points, self.now);
                tx.payments().insert(std::slice::from_ref(&payment)).await?;
                tx.outbox().append(&[event.map_err(UseCaseError::rejected)?]).await?;
                tx.sales().add(&sales_of(std::slice::from_ref(&order), self.terms.zone)).await?;
                payment
            }
            Tender::Card { .. } => {
                let payment = Payment::begun(payment_id, order_id, user_id, (points, card), self.now);
                tx.payments().insert(std::slice::from_ref(&payment)).await?;
                payment
            }
        };
        let reply = (self.render)(&payment).map_err(UseCaseError::defect)?;
        let pending = payment.status == PaymentStatus::Pending;
        if let Some(request) = self.request.clone() {
            let held_until = pending.then(|| self.now + Payment::PATIENCE);
            tx.keys().complete(&[CompletedRequest { request, reply: reply.clone(), held_until }]).await?;
        }
        Ok(if pending { Begun::UnderWay(payment) } else { Begun::Answered(Answer::fresh(reply)) })
    }

    fn committed(&self, begun: &Begun) {
        if let Begun::Answered(Answer { replayed: false, .. }) = begun {
            metrics::counter!("jumun_payments_total", "status" => PaymentStatus::Success.as_str())
                .increment(1);
        }
    }
}

impl Begin {
    /// Locks the order and makes sure that it waits for a payment, and for this one alone.
    async fn payable_order(&self, tx: &mut dyn Transaction) -> Result<Order, UseCaseError> {
        let id = self.pay.order_id;
        let found = tx.orders().lock(&[id].into()).await?.into_iter().next();
        let order = found.filter(|order| order.user_id == self.pay.user_id);
        let order = order.ok_or_else(|| UseCaseError::rejected(OrderError::NotFound(id)))?;
        ensure_payable(&order, self.now).map_err(UseCaseError::Rejected)?;
        let attempts = tx.payments().of_order(id).await?;
        let under_way = attempts.iter().find(|payment| payment.status == PaymentStatus::Pending);
        match under_way {
            Some(payment) => {
                Err(UseCaseError::rejected(PaymentError::UnderWay { order: id, payment: payment.id }))
            }
            None => Ok(order),
        }
    }

    /// Takes points out of the buyer's wallet, where they cannot be spent twice.
    async fn hold(&self, tx: &mut dyn Transaction, points: Money) -> Result<(), UseCaseError> {
        if points == Money::ZERO {
            return Ok(());
        }
        let PayOrder { payment_id, order_id, user_id, .. } = self.pay;
        let mut wallet = lock_wallet(tx, user_id).await?;
        let entry = wallet.pay(points, order_id, payment_id, self.now).map_err(UseCaseError::rejected)?;
        Ok(tx.wallets().record(&[entry]).await?)
    }
}

fn ensure_payable(order: &Order, now: Timestamp) -> Result<(), Rejection> {
    if order.status.was_paid() {
        return Err(PaymentError::AlreadyPaid(order.id).into());
    }
    if order.status != OrderStatus::Pending {
        return Err(OrderError::Transition { from: order.status, to: OrderStatus::Paid }.into());
    }
    // Whoever asks after the last moment must not be quicker than the one who takes note of it.
    if order.is_overdue(now) {
        return Err(PaymentError::WindowClosed(order.id).into());
    }
    Ok(())
}

/// Locks a user's wallet.
pub(crate) async fn lock_wallet(tx: &mut dyn Transaction, user: UserId) -> Result<Wallet, UseCaseError> {
    let found = tx.wallets().lock(&[user].into()).await?.into_iter().next();
    Ok(found.unwrap_or_else(|| Wallet::empty(user)))
}
