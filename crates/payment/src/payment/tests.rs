use kernel::{Money, OrderId, PaymentId, Timestamp, UserId};
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn begun() -> Payment {
    let (id, order) = (PaymentId::from_uuid(Uuid::from_u128(1)), OrderId::from_uuid(Uuid::from_u128(2)));
    let amounts = (Money::won(1_000), Money::won(9_000));
    Payment::begun(id, order, UserId::from_uuid(Uuid::from_u128(3)), amounts, NOW)
}

fn charge(state: ChargeState) -> GatewayCharge {
    GatewayCharge { id: "pay_1".into(), amount: Money::won(9_000), state }
}

fn declined() -> GatewayCharge {
    charge(ChargeState::Declined { code: "insufficient_funds".into() })
}

#[test]
fn money_that_comes_in_time_pays_the_order() {
    let mut payment = begun();
    assert_eq!(payment.learn(&charge(ChargeState::Captured), true, NOW), Ok(Settlement::Paid));
    assert_eq!((payment.status, payment.settled_at), (PaymentStatus::Success, Some(NOW)));
    assert_eq!(payment.charge_id.as_deref(), Some("pay_1"));
    assert_eq!(payment.amount(), Money::won(10_000));
}

#[test]
fn money_for_an_order_that_cannot_be_paid_any_more_goes_back() {
    let mut payment = begun();
    let learned = payment.learn(&charge(ChargeState::Captured), false, NOW);
    assert_eq!(learned, Ok(Settlement::Reversed { had_failed: false }));
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Reversed, Some(FailureReason::TooLate)));
}

/// Even where the order still waits: its held points are back, and another attempt may be under way.
#[test]
fn money_that_comes_after_the_attempt_was_given_up_goes_back() {
    let mut payment = begun();
    assert_eq!(payment.give_up(FailureReason::Unheard, NOW), Settlement::Failed);
    let learned = payment.learn(&charge(ChargeState::Captured), true, NOW);
    assert_eq!(learned, Ok(Settlement::Reversed { had_failed: true }));
    assert_eq!(payment.charge_id.as_deref(), Some("pay_1"));
}

#[test]
fn what_is_heard_again_changes_nothing() {
    for (first, again) in [
        (charge(ChargeState::Captured), charge(ChargeState::Captured)),
        (declined(), declined()),
        (charge(ChargeState::Captured), charge(ChargeState::Pending)),
        (declined(), charge(ChargeState::Pending)),
    ] {
        for open in [true, false] {
            let mut payment = begun();
            payment.learn(&first, open, NOW).unwrap();
            let before = payment.clone();
            assert_eq!(payment.learn(&again, open, Timestamp::MAX_UTC), Ok(Settlement::Unchanged));
            assert_eq!(payment.give_up(FailureReason::Unheard, NOW), Settlement::Unchanged);
            assert_eq!(payment, before);
        }
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut payment = begun();
    let other = GatewayCharge { amount: Money::won(9_001), ..charge(ChargeState::Captured) };
    assert_eq!(payment.learn(&other, true, NOW), Err(PaymentError::AmountMismatch));
    assert_eq!(payment, begun());
    payment.learn(&charge(ChargeState::Captured), true, NOW).unwrap();
    assert_eq!(payment.learn(&declined(), true, NOW), Err(PaymentError::Inconsistent));
    assert_eq!(payment.status, PaymentStatus::Success);
}

#[test]
fn a_declined_attempt_says_why() {
    let mut payment = begun();
    assert_eq!(payment.learn(&declined(), true, NOW), Ok(Settlement::Failed));
    assert_eq!(payment.decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Failed, Some(FailureReason::Declined)));
}

#[test]
fn an_attempt_is_restored_only_if_it_fits_together() {
    for payment in [begun(), {
        let mut payment = begun();
        payment.learn(&declined(), true, NOW).unwrap();
        payment
    }] {
        assert_eq!(Payment::restore((*payment).clone()).unwrap(), payment);
        let settled_at = if payment.settled_at.is_some() { None } else { Some(NOW) };
        let broken = PaymentState { settled_at, ..(*payment).clone() };
        assert_eq!(Payment::restore(broken), Err(PaymentError::Inconsistent));
        let broken = PaymentState { status: PaymentStatus::Success, ..(*payment).clone() };
        assert_eq!(Payment::restore(broken), Err(PaymentError::Inconsistent));
    }
}

#[test]
fn a_tender_leaves_something_for_the_card() {
    use crate::{CardToken, Tender};
    let payable = Money::won(10_000);
    assert_eq!(Tender::Points.split(payable), Ok((payable, Money::ZERO)));
    for (points, card) in [(0, Some(10_000)), (9_999, Some(1)), (10_000, None), (10_001, None), (-1, None)] {
        let tender = Tender::Card { token: CardToken::new("tok_ok").unwrap(), points: Money::won(points) };
        let split = card.map(|card| (Money::won(points), Money::won(card)));
        assert_eq!(tender.split(payable), split.ok_or(PaymentError::InvalidPoints));
    }
}
