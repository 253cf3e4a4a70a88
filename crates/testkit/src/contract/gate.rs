//! The gate in front of coupons.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coupon::{Admission, CouponGate, GateTiming};
use kernel::{CouponId, IdGenerator, UserId};
use local::SystemIds;
use tokio::task::JoinSet;

use crate::{Scenario, SharedAdapters, eventually, scenarios};

pub(crate) fn suite() -> Vec<Scenario<dyn SharedAdapters>> {
    scenarios![
        a_missing_gate_is_not_ready,
        a_gate_that_is_being_built_is_not_ready,
        of_many_users_at_once_as_many_are_admitted_as_there_are_pieces,
        a_user_is_admitted_again_to_the_same_place,
        a_place_that_is_given_up_goes_to_another,
        a_place_whose_time_is_up_goes_to_another,
        a_confirmed_place_is_kept,
        a_holder_is_told_to_ask,
        holders_take_up_places,
        who_is_confirmed_while_the_gate_is_built_is_a_holder,
        a_confirmation_does_not_make_a_gate,
        a_gate_for_no_pieces_is_full,
        an_older_builder_is_refused,
        a_gate_is_opened_by_its_last_builder_alone,
        a_builder_may_repeat_itself,
        a_gate_is_built_anew_from_nothing,
        a_forgotten_gate_is_not_ready_and_cannot_be_opened,
        a_full_gate_lets_one_claim_through_in_a_while,
        coupons_have_gates_of_their_own,
        many_holders_are_all_known,
        a_lost_gate_is_not_ready,
    ]
}

/// Nothing runs out while a scenario runs.
const PATIENT: GateTiming = GateTiming { hold: Duration::from_mins(10), probe: Duration::from_mins(10) };

fn coupon() -> CouponId {
    CouponId::from_uuid(SystemIds.uuid())
}

fn user() -> UserId {
    UserId::from_uuid(SystemIds.uuid())
}

fn users(count: usize) -> Vec<UserId> {
    std::iter::repeat_with(user).take(count).collect()
}

async fn build(gate: &Arc<dyn CouponGate>, fence: u64, quantity: u32, holders: &[UserId]) -> CouponId {
    let coupon = coupon();
    assert!(gate.begin(coupon, fence).await.unwrap());
    assert!(gate.open(coupon, fence, quantity, holders).await.unwrap());
    coupon
}

async fn admit(gate: &Arc<dyn CouponGate>, coupon: CouponId, user: UserId) -> Admission {
    gate.admit(coupon, user).await.unwrap()
}

async fn a_missing_gate_is_not_ready(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (coupon, user) = (coupon(), user());
    assert_eq!(admit(&gate, coupon, user).await, Admission::NotReady);
    gate.release(coupon, user).await.unwrap();
    gate.forget(coupon).await.unwrap();
    assert_eq!(admit(&gate, coupon, user).await, Admission::NotReady);
}

async fn a_gate_that_is_being_built_is_not_ready(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (coupon, user) = (coupon(), user());
    assert!(gate.begin(coupon, 1).await.unwrap());
    assert_eq!(admit(&gate, coupon, user).await, Admission::NotReady);
    assert!(gate.open(coupon, 1, 1, &[]).await.unwrap());
    assert_eq!(admit(&gate, coupon, user).await, Admission::Admitted);
}

async fn of_many_users_at_once_as_many_are_admitted_as_there_are_pieces(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let coupon = build(&gate, 1, 20, &[]).await;
    let mut callers = JoinSet::new();
    for user in users(100) {
        let gate = adapters.gate(PATIENT);
        // Each asks twice: it takes no second place.
        callers.spawn(async move { [gate.admit(coupon, user).await, gate.admit(coupon, user).await] });
    }
    let answers: Vec<_> = callers.join_all().await.into_iter().flatten().map(Result::unwrap).collect();
    let count = |wanted| answers.iter().filter(|answer| **answer == wanted).count();
    assert_eq!(count(Admission::Admitted), 40, "20 users, twice");
    assert!(count(Admission::Ask) <= 1, "one probe in ten minutes");
    assert_eq!(count(Admission::NotReady), 0);
}

async fn a_user_is_admitted_again_to_the_same_place(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let coupon = build(&gate, 1, 2, &[]).await;
    let (first, second) = (user(), user());
    for _ in 0..3 {
        assert_eq!(admit(&gate, coupon, first).await, Admission::Admitted);
    }
    assert_eq!(admit(&gate, coupon, second).await, Admission::Admitted);
    assert_eq!(admit(&gate, coupon, first).await, Admission::Admitted, "also when the gate is full");
}

async fn a_place_that_is_given_up_goes_to_another(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let coupon = build(&gate, 1, 1, &[]).await;
    let (first, second) = (user(), user());
    assert_eq!(admit(&gate, coupon, first).await, Admission::Admitted);
    assert_ne!(admit(&gate, coupon, second).await, Admission::Admitted);
    for _ in 0..2 {
        gate.release(coupon, first).await.unwrap();
    }
    assert_eq!(admit(&gate, coupon, second).await, Admission::Admitted);
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
}

async fn a_place_whose_time_is_up_goes_to_another(adapters: Arc<dyn SharedAdapters>) {
    let hold = Duration::from_millis(300);
    let gate = adapters.gate(GateTiming { hold, ..PATIENT });
    let coupon = build(&gate, 1, 2, &[]).await;
    let [first, second] = [user(), user()];
    let begun = Instant::now();
    assert_eq!(admit(&gate, coupon, first).await, Admission::Admitted);
    gate.confirm(coupon, first).await.unwrap();
    assert_eq!(admit(&gate, coupon, second).await, Admission::Admitted);
    let other = user();
    let got = eventually("the place is given to another", async || {
        let answer = admit(&gate, coupon, other).await;
        (answer == Admission::Admitted).then(|| begun.elapsed())
    });
    assert!(got.await >= hold, "not before its time is up");
    assert_ne!(admit(&gate, coupon, second).await, Admission::Admitted, "the place is gone");
}

async fn a_confirmed_place_is_kept(adapters: Arc<dyn SharedAdapters>) {
    let hold = Duration::from_millis(100);
    let gate = adapters.gate(GateTiming { hold, ..PATIENT });
    let coupon = build(&gate, 1, 2, &[]).await;
    let (holder, lazy) = (user(), user());
    assert_eq!(admit(&gate, coupon, holder).await, Admission::Admitted);
    for _ in 0..2 {
        gate.confirm(coupon, holder).await.unwrap();
    }
    assert_eq!(admit(&gate, coupon, lazy).await, Admission::Admitted);
    // Once the other place has run out and was taken, the confirmed one would have run out as well.
    eventually("the other place is taken", async || {
        let user = user();
        let admitted = admit(&gate, coupon, user).await == Admission::Admitted;
        if admitted {
            gate.confirm(coupon, user).await.unwrap();
        }
        admitted.then_some(())
    })
    .await;
    assert_ne!(admit(&gate, coupon, user()).await, Admission::Admitted);
    assert_eq!(admit(&gate, coupon, holder).await, Admission::Ask);
}

async fn a_holder_is_told_to_ask(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (named, admitted, unasked) = (user(), user(), user());
    let coupon = build(&gate, 1, 10, &[named]).await;
    assert_eq!(admit(&gate, coupon, admitted).await, Admission::Admitted);
    gate.confirm(coupon, admitted).await.unwrap();
    // Somebody whose claim went past the gate.
    gate.confirm(coupon, unasked).await.unwrap();
    for holder in [named, admitted, unasked] {
        assert_eq!(admit(&gate, coupon, holder).await, Admission::Ask);
        gate.release(coupon, holder).await.unwrap();
        assert_eq!(admit(&gate, coupon, holder).await, Admission::Ask, "a piece is not given up");
    }
}

async fn holders_take_up_places(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let coupon = build(&gate, 1, 5, &users(3)).await;
    let waiting = user();
    assert_eq!(admit(&gate, coupon, waiting).await, Admission::Admitted);
    gate.confirm(coupon, user()).await.unwrap();
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
    // A place that becomes a piece is counted once.
    gate.confirm(coupon, waiting).await.unwrap();
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
}

async fn who_is_confirmed_while_the_gate_is_built_is_a_holder(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (coupon, meanwhile, both) = (coupon(), user(), user());
    assert!(gate.begin(coupon, 1).await.unwrap());
    gate.confirm(coupon, meanwhile).await.unwrap();
    gate.confirm(coupon, both).await.unwrap();
    assert!(gate.open(coupon, 1, 3, &[both]).await.unwrap());
    assert_eq!(admit(&gate, coupon, meanwhile).await, Admission::Ask);
    assert_eq!(admit(&gate, coupon, user()).await, Admission::Admitted, "two of three are taken");
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
}

async fn a_confirmation_does_not_make_a_gate(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (coupon, holder) = (coupon(), user());
    gate.confirm(coupon, holder).await.unwrap();
    assert_eq!(admit(&gate, coupon, holder).await, Admission::NotReady);
    assert!(!gate.open(coupon, 1, 5, &[]).await.unwrap());
    assert!(gate.begin(coupon, 1).await.unwrap());
    assert!(gate.open(coupon, 1, 1, &[]).await.unwrap());
    assert_eq!(admit(&gate, coupon, holder).await, Admission::Admitted, "nothing was left behind");
}

async fn a_gate_for_no_pieces_is_full(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let coupon = build(&gate, 1, 0, &[]).await;
    for user in users(3) {
        assert_eq!(admit(&gate, coupon, user).await, Admission::SoldOut);
    }
}

async fn an_older_builder_is_refused(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let holder = user();
    // Fences are large numbers, and these differ in the last digit.
    let late = 1_791_234_567_890_123;
    let coupon = build(&gate, late, 1, &[holder]).await;
    assert!(!gate.begin(coupon, late - 1).await.unwrap());
    assert!(!gate.open(coupon, late - 1, 100, &[]).await.unwrap());
    assert_eq!(admit(&gate, coupon, holder).await, Admission::Ask);
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
    assert!(gate.begin(coupon, late + 1).await.unwrap());
}

async fn a_gate_is_opened_by_its_last_builder_alone(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (coupon, old) = (coupon(), user());
    assert!(gate.begin(coupon, 1).await.unwrap());
    assert!(gate.begin(coupon, 2).await.unwrap());
    assert!(!gate.open(coupon, 1, 5, &[old]).await.unwrap());
    assert!(!gate.open(coupon, 3, 5, &[old]).await.unwrap());
    assert_eq!(admit(&gate, coupon, user()).await, Admission::NotReady);
    assert!(gate.open(coupon, 2, 1, &[]).await.unwrap());
    assert_eq!(admit(&gate, coupon, old).await, Admission::Admitted, "the refused builder added nobody");
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
}

async fn a_builder_may_repeat_itself(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (coupon, holder) = (coupon(), user());
    for _ in 0..2 {
        assert!(gate.begin(coupon, 1).await.unwrap());
    }
    for _ in 0..2 {
        assert!(gate.open(coupon, 1, 2, &[holder]).await.unwrap());
    }
    let admitted = user();
    assert_eq!(admit(&gate, coupon, admitted).await, Admission::Admitted);
    assert!(gate.open(coupon, 1, 2, &[holder]).await.unwrap());
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut, "a place is kept all the same");
}

async fn a_gate_is_built_anew_from_nothing(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let (wrong, pending) = (user(), user());
    let coupon = build(&gate, 1, 2, &[wrong]).await;
    assert_eq!(admit(&gate, coupon, pending).await, Admission::Admitted);
    assert!(gate.begin(coupon, 2).await.unwrap());
    assert_eq!(admit(&gate, coupon, wrong).await, Admission::NotReady);
    assert!(gate.open(coupon, 2, 2, &[]).await.unwrap());
    assert_eq!(admit(&gate, coupon, wrong).await, Admission::Admitted, "no longer a holder");
    assert_eq!(admit(&gate, coupon, user()).await, Admission::Admitted, "nor is a place kept");
}

async fn a_forgotten_gate_is_not_ready_and_cannot_be_opened(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let holder = user();
    let coupon = build(&gate, 1, 5, &[holder]).await;
    for _ in 0..2 {
        gate.forget(coupon).await.unwrap();
    }
    assert_eq!(admit(&gate, coupon, holder).await, Admission::NotReady);
    assert!(!gate.open(coupon, 1, 5, &[]).await.unwrap());
    assert!(gate.begin(coupon, 2).await.unwrap());
    assert!(gate.open(coupon, 2, 1, &[]).await.unwrap());
    assert_eq!(admit(&gate, coupon, holder).await, Admission::Admitted, "nothing was left behind");
}

async fn a_full_gate_lets_one_claim_through_in_a_while(adapters: Arc<dyn SharedAdapters>) {
    let probe = Duration::from_millis(200);
    let gate = adapters.gate(GateTiming { probe, ..PATIENT });
    let coupon = build(&gate, 1, 1, &users(1)).await;
    let begun = Instant::now();
    let mut probes = Vec::new();
    while probes.len() < 4 {
        match admit(&gate, coupon, user()).await {
            Admission::SoldOut => {}
            Admission::Ask => probes.push(begun.elapsed()),
            other => panic!("{other:?}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "too few probes: {probes:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // The gate's clock may tick in ms, and so may the answer before it have been late.
    let slack = Duration::from_millis(100);
    assert!(probes[3] + slack >= probe * 3, "too many probes: {probes:?}");
}

async fn coupons_have_gates_of_their_own(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let user = user();
    let full = build(&gate, 1, 0, &[]).await;
    let free = build(&gate, 2, 1, &[]).await;
    let held = build(&gate, 3, 1, &[user]).await;
    assert_eq!(admit(&gate, full, user).await, Admission::SoldOut);
    assert_eq!(admit(&gate, free, user).await, Admission::Admitted);
    assert_eq!(admit(&gate, held, user).await, Admission::Ask);
    gate.forget(full).await.unwrap();
    assert_eq!(admit(&gate, held, user).await, Admission::Ask);
}

async fn many_holders_are_all_known(adapters: Arc<dyn SharedAdapters>) {
    let gate = adapters.gate(PATIENT);
    let holders = users(12_345);
    let coupon = build(&gate, 1, 12_346, &holders).await;
    for holder in holders.iter().step_by(1_000).chain(holders.last()) {
        assert_eq!(admit(&gate, coupon, *holder).await, Admission::Ask);
    }
    assert_eq!(admit(&gate, coupon, user()).await, Admission::Admitted);
    assert_eq!(admit(&gate, coupon, user()).await, Admission::SoldOut);
}

async fn a_lost_gate_is_not_ready(adapters: Arc<dyn SharedAdapters>) {
    let coupon = build(&adapters.gate(PATIENT), 5, 10, &[]).await;
    adapters.wipe().await;
    let gate = adapters.gate(PATIENT);
    assert_eq!(admit(&gate, coupon, user()).await, Admission::NotReady);
    assert!(!gate.open(coupon, 5, 10, &[]).await.unwrap());
}
