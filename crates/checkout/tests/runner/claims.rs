//! Claims past a gate that says and fails what a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use checkout::{
    Answer, Claimant, Claimed, CouponClaims, IdempotencyKey, KeyedRequest, Render, Reply, Resource,
    UseCaseError,
};
use coordination::{DistributedLock, Grant, LockName};
use coupon::{
    Admission, Benefit, Coupon, CouponCode, CouponCursor, CouponGate, CouponName, CouponReader, CouponState,
    HeldCoupon, NewCoupon, Percentage, Period,
};
use kernel::{
    Clock, CouponId, CursorPage, DomainError, PageSize, StoreError, TraceContext, UserCouponId, UserId,
};
use uuid::Uuid;

use crate::memory::{CommitFault, FixedClock, Memory, checkout};

const RENDER: Render<Claimed> = |claimed| {
    let resource = Some(Resource::UserCoupon(claimed.piece.id.as_uuid()));
    Ok(Reply { status: 200, body: claimed.piece.user_id.to_string(), resource })
};

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// A gate that always says the same, and writes down what it is told.
#[derive(Default)]
struct ScriptedGate {
    says: Option<Admission>,
    told: Mutex<Vec<String>>,
}

impl ScriptedGate {
    fn note(&self, text: String) {
        self.told.lock().unwrap().push(text);
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

#[async_trait]
impl CouponGate for ScriptedGate {
    async fn admit(&self, _: CouponId, _: UserId) -> Result<Admission, StoreError> {
        self.says.ok_or_else(|| StoreError::Unavailable("the gate is gone".into()))
    }

    async fn confirm(&self, _: CouponId, user: UserId) -> Result<(), StoreError> {
        self.note(format!("confirm {}", user.as_uuid().as_u128()));
        Ok(())
    }

    async fn release(&self, _: CouponId, user: UserId) -> Result<(), StoreError> {
        self.note(format!("release {}", user.as_uuid().as_u128()));
        Ok(())
    }

    async fn begin(&self, _: CouponId, fence: u64) -> Result<bool, StoreError> {
        self.note(format!("begin {fence}"));
        Ok(true)
    }

    async fn open(
        &self,
        _: CouponId,
        fence: u64,
        quantity: u32,
        holders: &[UserId],
    ) -> Result<bool, StoreError> {
        self.note(format!("open {fence} {quantity} {}", holders.len()));
        Ok(true)
    }

    async fn forget(&self, _: CouponId) -> Result<(), StoreError> {
        self.note("forget".to_owned());
        Ok(())
    }
}

/// The coupons of the database in memory, as readers see them.
struct Coupons(Arc<Memory>);

#[async_trait]
impl CouponReader for Coupons {
    async fn find(&self, code: &CouponCode) -> Result<Option<Coupon>, StoreError> {
        Ok(self.0.tables().coupons.into_values().find(|coupon| coupon.terms.code == *code))
    }

    async fn list(
        &self,
        _: Option<CouponCursor>,
        _: PageSize,
    ) -> Result<CursorPage<Coupon, CouponCursor>, StoreError> {
        Ok(CursorPage { content: self.0.tables().coupons.into_values().collect(), next: None })
    }

    async fn held_by(&self, _: UserId) -> Result<Vec<HeldCoupon>, StoreError> {
        Ok(Vec::new())
    }

    async fn holders(&self, coupon: CouponId) -> Result<Vec<UserId>, StoreError> {
        let pieces = self.0.tables().pieces.into_iter();
        Ok(pieces.filter(|piece| piece.coupon_id == coupon).map(|piece| piece.user_id).collect())
    }
}

/// A lock that nobody else wants.
struct FreeLock;

#[async_trait]
impl DistributedLock for FreeLock {
    async fn acquire(&self, name: &LockName, _: Duration) -> Result<Option<Grant>, StoreError> {
        Ok(Some(Grant { name: name.clone(), owner: 1, fence: 7 }))
    }

    async fn renew(&self, _: &Grant, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn release(&self, _: &Grant) -> Result<bool, StoreError> {
        Ok(true)
    }
}

/// A coupon with a gate, of which `issued` of `quantity` pieces are gone to users 1, 2, 3, ….
struct Rush {
    memory: Arc<Memory>,
    gate: Arc<ScriptedGate>,
    claims: CouponClaims,
}

fn rush(says: Option<Admission>, quantity: u32, issued: u128) -> Rush {
    let memory = Arc::new(Memory::default());
    let now = FixedClock.now();
    let terms = NewCoupon {
        code: CouponCode::new("RUSH").unwrap(),
        name: CouponName::new("a rush").unwrap(),
        benefit: Benefit::Percent(Percentage::from_basis_points(1).unwrap()),
        quantity,
        period: Period::new(now, now + Duration::from_hours(1)).unwrap(),
        min_order_amount: None,
        max_discount: None,
        products: None,
    };
    let coupon = Coupon::create(CouponId::from_uuid(Uuid::from_u128(99)), terms, now).unwrap();
    let piece = |number| coupon.issue(UserCouponId::from_uuid(Uuid::from_u128(number)), user(number), now);
    let pieces = (1..=issued).map(|number| piece(number).unwrap()).collect();
    let issued = u32::try_from(issued).unwrap();
    let coupon = Coupon::restore(CouponState { issued, ..(*coupon).clone() }).unwrap();
    memory.hand_out(coupon, pieces);
    let gate = Arc::new(ScriptedGate { says, ..ScriptedGate::default() });
    let reader = Arc::new(Coupons(memory.clone()));
    let claims = CouponClaims::new(checkout(&memory), reader, gate.clone(), Arc::new(FreeLock));
    Rush { memory, gate, claims }
}

impl Rush {
    async fn claim(&self, number: u128, key: Option<&str>) -> Result<Answer, UseCaseError> {
        let keyed = |key| {
            let key = IdempotencyKey::new(key).unwrap();
            KeyedRequest::new(user(number), key, "POST", "/claim", "null")
        };
        let claimant =
            Claimant { user_id: user(number), request: key.map(keyed), trace: None::<TraceContext> };
        self.claims.claim(CouponCode::new("RUSH").unwrap(), claimant, RENDER).await
    }
}

fn code(outcome: &Result<Answer, UseCaseError>) -> &'static str {
    match outcome {
        Err(UseCaseError::Rejected(rejection)) => rejection.code(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_is_turned_away_at_the_gate_costs_the_database_nothing() {
    let rush = rush(Some(Admission::SoldOut), 5, 0);
    assert_eq!(code(&rush.claim(1, None).await), "COUPON_SOLD_OUT");
    assert_eq!(rush.memory.count().begun, 0);
    assert!(rush.gate.told().is_empty());
}

#[tokio::test]
async fn a_piece_is_issued_told_of_and_confirmed() {
    let rush = rush(Some(Admission::Admitted), 5, 1);
    let answer = rush.claim(2, None).await.unwrap();
    assert_eq!(answer.reply.body, user(2).to_string());
    assert_eq!(rush.gate.told(), ["confirm 2"]);
    let tables = rush.memory.tables();
    assert_eq!(tables.coupons.values().map(|coupon| coupon.issued).collect::<Vec<_>>(), [2]);
    let events: Vec<_> =
        tables.events.iter().map(|event| (event.event_type.as_str(), event.sequence)).collect();
    assert_eq!(events, [("CouponClaimed", 1)]);
    assert_eq!(tables.events[0].aggregate_id, tables.pieces[1].id.as_uuid());
}

#[tokio::test]
async fn without_a_gate_the_database_decides() {
    let rush = rush(None, 2, 1);
    assert!(rush.claim(2, None).await.is_ok());
    assert_eq!(code(&rush.claim(3, None).await), "COUPON_SOLD_OUT");
    assert!(rush.gate.told().is_empty(), "nobody asks again who did not answer");
}

#[tokio::test]
async fn a_gate_that_lets_too_many_in_is_thrown_away() {
    let rush = rush(Some(Admission::Admitted), 2, 2);
    assert_eq!(code(&rush.claim(3, None).await), "COUPON_SOLD_OUT");
    assert_eq!(rush.gate.told(), ["forget"]);
}

#[tokio::test]
async fn a_gate_that_keeps_people_out_is_found_out_by_a_probe() {
    let wrong = rush(Some(Admission::Ask), 2, 1);
    assert!(wrong.claim(2, None).await.is_ok());
    assert_eq!(wrong.gate.told(), ["forget"]);
    let right = rush(Some(Admission::Ask), 2, 2);
    assert_eq!(code(&right.claim(3, None).await), "COUPON_SOLD_OUT");
    assert_eq!(code(&right.claim(2, None).await), "COUPON_ALREADY_CLAIMED");
    assert_eq!(right.gate.told(), ["confirm 2"]);
}

#[tokio::test]
async fn a_place_is_given_back_only_if_it_is_known_that_nothing_was_issued() {
    let failing = rush(Some(Admission::Admitted), 2, 0);
    failing.memory.fail_to_begin([StoreError::Unavailable("no connection".into())]);
    assert!(failing.claim(1, None).await.is_err());
    assert_eq!(failing.gate.told(), ["release 1"]);
    let unknown = rush(Some(Admission::Admitted), 2, 0);
    unknown.memory.fail_to_commit([CommitFault::LostAfter]);
    assert!(unknown.claim(1, None).await.is_err());
    assert!(unknown.gate.told().is_empty());
}

#[tokio::test]
async fn a_key_is_answered_again_and_a_missing_coupon_is_not_valid() {
    let rush = rush(Some(Admission::Ask), 2, 0);
    let first = rush.claim(1, Some("k")).await.unwrap();
    let again = rush.claim(1, Some("k")).await.unwrap();
    assert_eq!((first.replayed, again.replayed, &again.reply.body), (false, true, &first.reply.body));
    assert_eq!(rush.gate.told(), ["forget", "confirm 1"]);
    let claimant = Claimant { user_id: user(1), request: None, trace: None };
    let missing = rush.claims.claim(CouponCode::new("NONE").unwrap(), claimant, RENDER).await;
    assert_eq!(code(&missing), "COUPON_INVALID");
}

#[tokio::test(start_paused = true)]
async fn a_missing_gate_is_built_from_what_the_database_says() {
    let rush = rush(Some(Admission::NotReady), 5, 3);
    let coupon = rush.memory.tables().coupons.into_values().next().unwrap();
    assert_eq!(rush.claims.build(&coupon).await.unwrap(), Some(true));
    assert_eq!(rush.gate.told(), ["begin 7", "open 7 5 3"]);
    // A claim that finds no gate has it built, and waits for it a moment only.
    assert!(rush.claim(9, None).await.is_ok());
    let built = || rush.gate.told().iter().filter(|told| told.starts_with("open")).count() == 2;
    while !built() {
        tokio::task::yield_now().await;
    }
    assert!(rush.gate.told().contains(&"confirm 9".to_owned()));
}
