//! Issuing a piece of a coupon: the database's side of a claim.

use std::sync::Arc;

use async_trait::async_trait;
use coupon::{Coupon, CouponClaimed, CouponError, UserCoupon};
use kernel::{DomainEvent, EventId, IdGenerator, Timestamp, TraceContext, UserCouponId, UserId};

use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Render, Transaction, TransactionScript, UseCaseError,
};

/// A user who wants a piece of a coupon.
#[derive(Clone, Debug)]
pub struct ClaimCoupon {
    /// The coupon; only what never changes of it counts.
    pub coupon: Coupon,
    /// Who wants it.
    pub user_id: UserId,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

/// A piece that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The coupon; its count may be out of date.
    pub coupon: Coupon,
    /// The piece.
    pub piece: UserCoupon,
}

impl Checkout {
    /// Issues a piece of a coupon, if there are any left and the user holds none. The database alone
    /// decides (ADR-019).
    ///
    /// # Errors
    /// The rejection of the coupon, or why it could not be decided.
    pub async fn claim_coupon(
        &self,
        claim: ClaimCoupon,
        request: Option<KeyedRequest>,
        render: Render<Claimed>,
    ) -> Result<Answer, UseCaseError> {
        let now = self.clock.now();
        let script = Script { claim, now, ids: self.ids.clone() };
        self.runner.run(Idempotent { script, request, render, now }).await
    }
}

struct Script {
    claim: ClaimCoupon,
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Claimed;

    const NAME: &'static str = "claim_coupon";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Claimed, UseCaseError> {
        let ClaimCoupon { coupon, user_id, trace } = &self.claim;
        coupon.ensure_valid_at(self.now).map_err(UseCaseError::rejected)?;
        let pair = (coupon.id, *user_id);
        if tx.coupons().holders(&[pair].into()).await?.contains(&pair) {
            return Err(UseCaseError::rejected(CouponError::AlreadyClaimed));
        }
        let id = UserCouponId::from_uuid(self.ids.uuid());
        let piece = coupon.issue(id, *user_id, self.now).map_err(UseCaseError::rejected)?;
        tx.coupons().insert_pieces(std::slice::from_ref(&piece)).await?;
        let payload = CouponClaimed::of(coupon, &piece);
        let event_id = EventId::from_uuid(self.ids.uuid());
        let event = DomainEvent::new(event_id, piece.id.as_uuid(), 1, self.now, &payload)
            .map_err(UseCaseError::defect)?;
        tx.outbox().append(&[DomainEvent { trace: *trace, ..event }]).await?;
        // ADR-019: the row that all claims of a coupon share is locked last, and for this long only.
        if tx.coupons().count(&[(coupon.id, 1)].into()).await?.contains(&coupon.id) {
            return Err(UseCaseError::rejected(CouponError::SoldOut));
        }
        Ok(Claimed { coupon: coupon.clone(), piece })
    }
}
