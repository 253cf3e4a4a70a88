//! The last step of a refund: all that follows once the money is back.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use kernel::{DomainEvent, EventId, IdGenerator, Money, ProductId, RefundId, Timestamp, TraceContext};
use order::{Actor, Order, OrderError};
use refund::{PaymentRefunded, PaymentReversed, Refund, RefundError, RefundItem, RefundStatus};

use super::RenderRefund;
use crate::order_event::order_event;
use crate::payments::lock_wallet;
use crate::release_orders::{Returned, give_coupons_back, take_stock_back};
use crate::sales::daily_sales;
use crate::{BusinessTerms, CompletedRequest, KeyedRequest, Transaction, TransactionScript, UseCaseError};

/// What is heard of a refund.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// The gateway has given the money back.
    Confirmed,
    /// The gateway refuses to.
    Refused,
    /// Nothing is known: it is asked again.
    None,
}

/// Takes note of news, in one transaction with all that follows from it.
pub(super) struct Settle {
    pub(super) refund_id: RefundId,
    pub(super) news: News,
    /// The request that waits for its answer.
    pub(super) request: Option<(KeyedRequest, RenderRefund)>,
    pub(super) trace: Option<TraceContext>,
    pub(super) now: Timestamp,
    pub(super) terms: BusinessTerms,
    pub(super) ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for Settle {
    type Output = Refund;

    const NAME: &'static str = "settle_refund";

    /// The same news may be heard again.
    fn repeatable(&self) -> bool {
        true
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Refund, UseCaseError> {
        let not_found = || UseCaseError::rejected(RefundError::NotFound(self.refund_id));
        let seen = tx.refunds().find(self.refund_id).await?.ok_or_else(not_found)?;
        let locked = tx.orders().lock(&[seen.order_id].into()).await?.into_iter().next();
        let order = locked.ok_or_else(|| UseCaseError::rejected(OrderError::NotFound(seen.order_id)))?;
        let mut refund = tx.refunds().find(self.refund_id).await?.ok_or_else(not_found)?;
        if refund.status == RefundStatus::Pending {
            refund = match self.news {
                News::Confirmed if refund.is_reversal() => self.reversed(tx, refund).await?,
                News::Confirmed => {
                    let earlier = tx.refunds().of_payment(refund.payment_id).await?;
                    let at = (self.now, self.terms);
                    give_back(tx, (order, &earlier), refund, at, self.trace, &self.ids).await?
                }
                // Money that is not ours goes back whatever the gateway says: it is asked again.
                News::Refused if refund.is_reversal() => refund,
                News::Refused => {
                    refund.fail(self.now).map_err(UseCaseError::rejected)?;
                    tx.refunds().save(&refund, RefundStatus::Pending).await?;
                    refund
                }
                News::None => refund,
            };
        }
        if let Some((request, render)) = &self.request {
            let reply = render(&refund).map_err(UseCaseError::defect)?;
            tx.keys().complete(&[CompletedRequest::new(request.clone(), reply)]).await?;
        }
        Ok(refund)
    }

    fn committed(&self, refund: &Refund) {
        if refund.status != RefundStatus::Pending {
            metrics::counter!("jumun_refunds_total", "status" => refund.status.as_str()).increment(1);
        }
    }
}

impl Settle {
    /// Takes note that money that came too late is back where it came from.
    async fn reversed(&self, tx: &mut dyn Transaction, mut refund: Refund) -> Result<Refund, UseCaseError> {
        refund.succeed(self.now).map_err(UseCaseError::rejected)?;
        tx.refunds().save(&refund, RefundStatus::Pending).await?;
        let id = EventId::from_uuid(self.ids.uuid());
        let (payment, told) = (refund.payment_id.as_uuid(), PaymentReversed::of(&refund));
        let event = DomainEvent::new(id, payment, PaymentReversed::SEQUENCE, self.now, &told)
            .map_err(UseCaseError::defect)?;
        tx.outbox().append(&[DomainEvent { trace: self.trace, ..event }]).await?;
        Ok(refund)
    }
}

/// Gives back everything but the card's part, which is back already: pieces to the shelves, points to the
/// wallet, the coupon while it is valid; and tells of it.
pub(super) async fn give_back(
    tx: &mut dyn Transaction,
    (mut order, refunds): (Order, &[Refund]),
    mut refund: Refund,
    (now, terms): (Timestamp, BusinessTerms),
    trace: Option<TraceContext>,
    ids: &Arc<dyn IdGenerator>,
) -> Result<Refund, UseCaseError> {
    refund.succeed(now).map_err(UseCaseError::rejected)?;
    let full = takes_the_last(&order, refunds, &refund);
    let by = refund.requested_by.map_or(Actor::System, Actor::User);
    let change = order.refund(full, by, now).map_err(UseCaseError::rejected)?;
    let event = order_event(&PaymentRefunded::of(&refund, full), &change, trace, ids.as_ref());
    let event = event.map_err(UseCaseError::rejected)?;
    let pieces = |item: &RefundItem| Returned {
        order_id: order.id,
        product_id: item.product_id,
        quantity: item.quantity,
    };
    let returned: Vec<Returned> = refund.items.iter().map(pieces).collect();
    if full {
        let still_valid = |coupon: &coupon::Coupon| now < coupon.terms.period.ends_at();
        give_coupons_back(tx, std::slice::from_ref(&order), still_valid).await?;
    }
    if refund.point_amount > Money::ZERO {
        let mut wallet = lock_wallet(tx, refund.user_id).await?;
        let entry = wallet.refund(refund.point_amount, order.id, refund.id, now);
        tx.wallets().record(&[entry.map_err(UseCaseError::rejected)?]).await?;
    }
    tx.orders().save(std::slice::from_ref(&order), &[change]).await?;
    tx.refunds().save(&refund, RefundStatus::Pending).await?;
    tx.outbox().append(&[event]).await?;
    take_stock_back(tx, &returned, now).await?;
    let pieces = refund.items.iter().filter_map(|item| {
        let line = order.lines.iter().find(|line| line.product_id == item.product_id)?;
        Some((&order, line, item.quantity))
    });
    tx.sales().take_back(&daily_sales(pieces, terms.zone)).await?;
    Ok(refund)
}

/// Tells whether every piece of the order is back with this refund. Those that are still pending are not.
fn takes_the_last(order: &Order, refunds: &[Refund], last: &Refund) -> bool {
    let settled =
        refunds.iter().filter(|refund| refund.status == RefundStatus::Success && refund.id != last.id);
    let mut back: BTreeMap<ProductId, u32> = BTreeMap::new();
    for item in settled.chain([last]).flat_map(|refund| &refund.items) {
        *back.entry(item.product_id).or_default() += item.quantity;
    }
    order.lines.iter().all(|line| back.get(&line.product_id) == Some(&line.quantity))
}
