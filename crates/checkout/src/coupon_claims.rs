//! Claims of first-come coupons: past the gate, to the database, and back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coordination::{DistributedLock, LockName, exclusively};
use coupon::{Admission, Coupon, CouponCode, CouponError, CouponGate, CouponReader};
use kernel::{CouponId, StoreError, TraceContext, UserId, causes};

use crate::{
    Answer, Checkout, ClaimCoupon, Claimed, IdempotencyError, KeyedRequest, Rejection, Render, UseCaseError,
    fault,
};

/// How long one builder of a gate may take before another may begin.
const BUILDING: Duration = Duration::from_secs(10);

/// How long a claim waits for a gate that is being built, a third of a second in all.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
];

/// Claims of coupons. The gate turns away those who come too late; the database decides on all others
/// (ADR-019).
#[derive(Clone)]
pub struct CouponClaims {
    checkout: Checkout,
    coupons: Arc<dyn CouponReader>,
    gate: Arc<dyn CouponGate>,
    locks: Arc<dyn DistributedLock>,
    /// The gates that this process builds, so that a rush on a missing gate asks for one lock.
    building: Arc<Mutex<HashSet<CouponId>>>,
}

/// Who claims, and how the request is repeated.
#[derive(Clone, Debug)]
pub struct Claimant {
    /// Who wants a piece.
    pub user_id: UserId,
    /// The caller's key, if there is one.
    pub request: Option<KeyedRequest>,
    /// The trace of the request.
    pub trace: Option<TraceContext>,
}

impl CouponClaims {
    /// Puts a gate in front of the database's side of claims.
    pub fn new(
        checkout: Checkout,
        coupons: Arc<dyn CouponReader>,
        gate: Arc<dyn CouponGate>,
        locks: Arc<dyn DistributedLock>,
    ) -> Self {
        Self { checkout, coupons, gate, locks, building: Arc::default() }
    }

    /// Claims a piece of the coupon of a code. Whom the gate does not turn away is served to the end, whatever
    /// the caller does; a place that was kept for a caller who went away before that runs out by itself.
    ///
    /// # Errors
    /// The rejection of the coupon, or why it could not be decided.
    pub async fn claim(
        &self,
        code: CouponCode,
        claimant: Claimant,
        render: Render<Claimed>,
    ) -> Result<Answer, UseCaseError> {
        let found = self.coupons.terms(&code).await?;
        let coupon = found.ok_or_else(|| UseCaseError::rejected(CouponError::Unknown))?;
        // With a key the database may have the answer to an earlier request.
        if claimant.request.is_none() {
            coupon.ensure_valid_at(self.checkout.clock.now()).map_err(UseCaseError::rejected)?;
        }
        let admission = self.admit(&coupon, claimant.user_id).await;
        // Of all who come too late none costs a task.
        if admission == Some(Admission::SoldOut) {
            return Err(UseCaseError::rejected(CouponError::SoldOut));
        }
        let claims = self.clone();
        let work = async move { claims.decide(&code, coupon, admission, claimant, render).await };
        self.checkout.runner.to_the_end(work).await?
    }

    /// Lets the database decide, and tells the gate.
    async fn decide(
        &self,
        code: &CouponCode,
        coupon: Coupon,
        admission: Option<Admission>,
        claimant: Claimant,
        render: Render<Claimed>,
    ) -> Result<Answer, UseCaseError> {
        let user_id = claimant.user_id;
        fault::point("coupon-admitted");
        // Without a gate the count is read once more, which is cheaper than a transaction that is undone.
        let coupon = match admission {
            None | Some(Admission::NotReady) => self.coupons.find(code).await?.unwrap_or(coupon),
            Some(_) => coupon,
        };
        let claim = ClaimCoupon { coupon: coupon.clone(), user_id, trace: claimant.trace };
        let outcome = self.checkout.claim_coupon(claim, claimant.request, render).await;
        if let Some(admission) = admission {
            self.tell(&coupon, user_id, admission, &outcome).await;
        }
        outcome
    }

    /// Asks the gate; `None` if it cannot be reached. A missing gate is built, and waited for a moment,
    /// so that a rush does not fall on the database meanwhile.
    async fn admit(&self, coupon: &Coupon, user: UserId) -> Option<Admission> {
        let mut admission = self.ask(coupon, user).await;
        if admission == Some(Admission::NotReady) {
            self.build_in_the_background(coupon);
            for pause in PAUSES {
                tokio::time::sleep(pause).await;
                admission = self.ask(coupon, user).await;
                if admission != Some(Admission::NotReady) {
                    break;
                }
            }
        }
        let outcome = match admission {
            Some(Admission::Admitted) => "admitted",
            Some(Admission::Ask) => "ask",
            Some(Admission::SoldOut) => "sold_out",
            Some(Admission::NotReady) => "not_ready",
            None => "unavailable",
        };
        metrics::counter!("jumun_coupon_gate_total", "outcome" => outcome).increment(1);
        admission
    }

    async fn ask(&self, coupon: &Coupon, user: UserId) -> Option<Admission> {
        match self.gate.admit(coupon.id, user).await {
            Ok(admission) => Some(admission),
            Err(error) => {
                tracing::debug!(causes = causes(&error), "the coupon gate does not answer");
                None
            }
        }
    }

    /// Tells the gate what the database has decided. What is not told, the gate finds out in time.
    async fn tell(
        &self,
        coupon: &Coupon,
        user: UserId,
        admission: Admission,
        outcome: &Result<Answer, UseCaseError>,
    ) {
        let gate = self.gate.as_ref();
        let told = match Notice::of(admission, outcome) {
            Notice::Confirm => gate.confirm(coupon.id, user).await,
            Notice::Release => gate.release(coupon.id, user).await,
            Notice::Forget => gate.forget(coupon.id).await,
            Notice::Nothing => Ok(()),
        };
        if let Err(error) = told {
            tracing::debug!(coupon_id = %coupon.id, causes = causes(&error), "the coupon gate was not told");
        }
    }

    fn build_in_the_background(&self, coupon: &Coupon) {
        let mut building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if !building.insert(coupon.id) {
            return;
        }
        drop(building);
        let (claims, coupon) = (self.clone(), coupon.clone());
        self.checkout.runner.in_the_background(async move {
            let built = claims.build(&coupon).await;
            claims.building.lock().unwrap_or_else(PoisonError::into_inner).remove(&coupon.id);
            match built {
                Ok(Some(true)) => tracing::info!(coupon_id = %coupon.id, "coupon gate opened"),
                Ok(Some(false) | None) => {}
                Err(error) => {
                    tracing::warn!(coupon_id = %coupon.id, causes = causes(&error), "coupon gate cannot be built");
                }
            }
        });
    }

    /// Builds the gate from what the database says, unless somebody else is at it. Returns whether it
    /// was opened.
    ///
    /// # Errors
    /// When the lock, the gate or the database cannot be reached.
    pub async fn build(&self, coupon: &Coupon) -> Result<Option<bool>, StoreError> {
        let name = LockName::of("coupon-gate", coupon.id);
        let built = exclusively(self.locks.as_ref(), &name, BUILDING, |held| async move {
            // Who commits after this is confirmed to the gate, who committed before it is found below.
            if !self.gate.begin(coupon.id, held.fence).await? {
                return Ok(false);
            }
            let holders = self.coupons.holders(coupon.id).await?;
            self.gate.open(coupon.id, held.fence, coupon.terms.quantity, &holders).await
        });
        built.await?.transpose()
    }
}

/// What the gate is told of the database's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    /// The user holds a piece.
    Confirm,
    /// The user's place is free again.
    Release,
    /// The gate is wrong and must be built anew.
    Forget,
    /// Nothing; a place that was kept runs out by itself.
    Nothing,
}

impl Notice {
    fn of(admission: Admission, outcome: &Result<Answer, UseCaseError>) -> Self {
        match outcome {
            // A piece although the gate knew of none, or of this user's.
            Ok(answer) if admission == Admission::Ask && !answer.replayed => Self::Forget,
            Ok(_) | Err(UseCaseError::Rejected(Rejection::Coupon(CouponError::AlreadyClaimed))) => {
                Self::Confirm
            }
            // The twin at work has the same place, and what may have been issued must not be given away.
            Err(
                UseCaseError::Rejected(Rejection::Idempotency(IdempotencyError::InProgress))
                | UseCaseError::Failed(StoreError::OutcomeUnknown(_)),
            ) => Self::Nothing,
            Err(_) if admission != Admission::Admitted => Self::Nothing,
            // A place although none was left.
            Err(UseCaseError::Rejected(Rejection::Coupon(CouponError::SoldOut))) => Self::Forget,
            Err(_) => Self::Release,
        }
    }
}
