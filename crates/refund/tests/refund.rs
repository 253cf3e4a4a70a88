//! A refund by examples: what it is made of, how it ends, and what others are told.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use chrono::TimeDelta;
use kernel::{
    DomainError, ErrorKind, EventPayload, Money, OrderId, PaymentId, ProductId, RefundId, Timestamp, UserId,
};
use refund::{
    NewReversal, PaidLine, PaymentRefunded, PaymentReversed, Refund, RefundError, RefundReason,
    RefundRequest, RefundState, RefundStatus, RefundWindow, Refundable,
};
use uuid::Uuid;

const PAYMENT: PaymentId = PaymentId::from_uuid(Uuid::from_u128(1));
const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(2));
const USER: UserId = UserId::from_uuid(Uuid::from_u128(3));
const PAID_AT: Timestamp = Timestamp::UNIX_EPOCH;

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

fn minor(hundredths: i64) -> Money {
    Money::from_minor(hundredths).unwrap()
}

fn id(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

fn reason() -> RefundReason {
    RefundReason::new("too small").unwrap()
}

fn line(number: u128, quantity: u32, net: i64) -> PaidLine {
    PaidLine { product_id: product(number), quantity, net: minor(net) }
}

/// Two lines, 3 pieces for 100.00 and 1 piece for 50.00, paid with 50.00 of points and 100.00 by card.
fn refundable(earlier: &[Refund]) -> Result<Refundable, RefundError> {
    let lines = vec![line(1, 3, 10_000), line(2, 1, 5_000)];
    Refundable::new(PAYMENT, Money::won(50), Money::won(100), PAID_AT, lines, earlier)
}

fn begin(number: u128, earlier: &[Refund], request: &RefundRequest) -> Refund {
    let plan = refundable(earlier).unwrap().plan(request, PAID_AT).unwrap();
    Refund::begin(id(number), (ORDER, USER), plan, reason(), Some(USER), PAID_AT)
}

fn items(items: &[(u128, u32)]) -> RefundRequest {
    RefundRequest::Items(items.iter().map(|(number, quantity)| (product(*number), *quantity)).collect())
}

fn reversal(card_amount: Money) -> Result<Refund, RefundError> {
    let new = NewReversal {
        id: id(9),
        payment_id: PAYMENT,
        order_id: ORDER,
        user_id: USER,
        reason: RefundReason::new("the order had expired").unwrap(),
        card_amount,
    };
    Refund::reversal(new, PAID_AT)
}

#[test]
fn pieces_go_back_one_by_one_and_the_last_takes_the_rest() {
    let mut earlier = Vec::new();
    let mut seen = Vec::new();
    for (number, request) in (0..).zip([&[(1, 1)], &[(1, 1)], &[(2, 1)], &[(1, 1)]]) {
        let refund = begin(number, &earlier, &items(request));
        seen.push((refund.items[0].amount.minor(), refund.point_amount.minor(), refund.card_amount.minor()));
        earlier.push(refund);
    }
    // 33.33 + 33.33 + 33.34 for three pieces; two thirds of each sum so far to the card, rounded down.
    let expected =
        [(3_333, 1_111, 2_222), (3_333, 1_111, 2_222), (5_000, 1_667, 3_333), (3_334, 1_111, 2_223)];
    assert_eq!(seen, expected);
    assert!(refundable(&earlier).unwrap().is_exhausted());
}

#[test]
fn a_plan_tells_whether_anything_is_left_after_it() {
    let fresh = refundable(&[]).unwrap();
    let full = |request| fresh.plan(&request, PAID_AT).unwrap().full;
    assert!(full(RefundRequest::All) && full(items(&[(2, 1), (1, 1), (1, 2)])));
    assert!(!full(items(&[(1, 3)])) && !full(items(&[(1, 2), (2, 1)])));
    let rest = refundable(&[begin(1, &[], &items(&[(1, 3)]))]).unwrap();
    let plan = rest.plan(&RefundRequest::All, PAID_AT).unwrap();
    assert!(plan.full && plan.items.len() == 1);
    assert_eq!((plan.amount(), plan.items[0].product_id), (Money::won(50), product(2)));
}

#[test]
fn what_cannot_be_refunded_says_why() {
    let used = refundable(&[begin(1, &[], &items(&[(1, 2), (2, 1)]))]).unwrap();
    let refused = |request| used.plan(&request, PAID_AT).unwrap_err();
    let too_many = |number, requested, refundable| RefundError::TooMany {
        product_id: product(number),
        requested,
        refundable,
    };
    let cases = [
        (items(&[]), RefundError::InvalidItemCount, "VALIDATION_ERROR"),
        (items(&[(1, 1); 101]), RefundError::InvalidItemCount, "VALIDATION_ERROR"),
        (items(&[(1, 0)]), RefundError::InvalidQuantity, "VALIDATION_ERROR"),
        (items(&[(1, 1_001)]), RefundError::InvalidQuantity, "VALIDATION_ERROR"),
        (items(&[(7, 1), (1, 9)]), RefundError::NotInOrder(product(7)), "VALIDATION_ERROR"),
        (items(&[(1, 1), (1, 1)]), too_many(1, 2, 1), "CONFLICT"),
        (items(&[(1, 1_000); 100]), too_many(1, 100_000, 1), "CONFLICT"),
        (items(&[(1, 1), (2, 1)]), too_many(2, 1, 0), "ALREADY_REFUNDED"),
    ];
    for (request, expected, code) in cases {
        let error = refused(request);
        assert_eq!((error.code(), &error), (code, &expected));
    }
    assert_eq!(too_many(1, 2, 1).details().get("refundable"), Some("1"));
    let all = refundable(&[begin(1, &[], &RefundRequest::All)]).unwrap();
    // That everything is back is the truth at any time, also after the window.
    for now in [PAID_AT, PAID_AT + TimeDelta::days(30)] {
        let again = all.plan(&RefundRequest::All, now).unwrap_err();
        assert_eq!((again.code(), again.kind()), ("ALREADY_REFUNDED", ErrorKind::Conflict));
    }
    assert!(RefundRequest::new(Some(Vec::new())).is_err());
    assert_eq!(RefundRequest::new(None), Ok(RefundRequest::All));
}

#[test]
fn the_window_closes_after_the_last_instant_of_seven_days() {
    let refundable = refundable(&[]).unwrap();
    let plan = |after| refundable.plan(&RefundRequest::All, PAID_AT + after);
    assert!(plan(TimeDelta::days(7)).is_ok());
    for late in [TimeDelta::microseconds(1), TimeDelta::seconds(1), TimeDelta::days(400)] {
        let error = plan(TimeDelta::days(7) + late).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("REFUND_WINDOW_CLOSED", ErrorKind::Invalid));
        assert_eq!(error.details().get("refundableUntil"), Some("\"1970-01-08T00:00:00Z\""));
    }
    // A clock that is behind closes nothing, and the end of time is no panic.
    assert!(plan(TimeDelta::seconds(-1)).is_ok());
    assert!(RefundWindow::of(Timestamp::MAX_UTC).ensure_open(Timestamp::MAX_UTC).is_ok());
}

#[test]
fn a_failed_refund_gives_its_pieces_up_and_a_pending_one_does_not() {
    let mut refund = begin(1, &[], &items(&[(1, 3)]));
    assert_eq!(refund.status, RefundStatus::Pending);
    let left = |refund: &Refund| {
        refundable(std::slice::from_ref(refund)).unwrap().plan(&RefundRequest::All, PAID_AT).unwrap().amount()
    };
    assert_eq!(left(&refund), Money::won(50));
    refund.fail(PAID_AT).unwrap();
    assert_eq!(left(&refund), Money::won(150));
}

#[test]
fn a_tender_that_failed_refunds_left_behind_catches_up_first() {
    // Twelve pieces of a hundredth, half of it by card: point, card, point, card, …
    let build = |earlier: &[Refund]| {
        Refundable::new(PAYMENT, minor(6), minor(6), PAID_AT, vec![line(1, 12, 12)], earlier).unwrap()
    };
    for by_card_fails in [false, true] {
        let mut earlier: Vec<Refund> = Vec::new();
        let one = |earlier: &[Refund]| {
            let plan = build(earlier).plan(&items(&[(1, 1)]), PAID_AT).unwrap();
            Refund::begin(id(1), (ORDER, USER), plan, reason(), None, PAID_AT)
        };
        for _ in 0..8 {
            let refund = one(&earlier);
            earlier.push(refund);
        }
        for refund in &mut earlier {
            if (refund.card_amount == minor(1)) == by_card_fails {
                refund.fail(PAID_AT).unwrap();
            }
        }
        // Four went back to one tender and none to the other, which is two behind.
        for _ in 0..3 {
            let refund = one(&earlier);
            assert_eq!(refund.card_amount == minor(1), by_card_fails);
            assert_eq!(refund.amount(), minor(1));
            earlier.push(refund);
        }
        let rest = build(&earlier).plan(&RefundRequest::All, PAID_AT).unwrap();
        let counted = earlier.iter().filter(|refund| refund.status != RefundStatus::Failed);
        let card: i64 = counted.map(|refund| refund.card_amount.minor()).sum();
        assert_eq!((card + rest.card_amount.minor(), rest.full), (6, true));
    }
}

#[test]
fn an_order_that_cost_nothing_gives_its_pieces_back() {
    let lines = vec![line(1, 2, 0)];
    let free = Refundable::new(PAYMENT, Money::ZERO, Money::ZERO, PAID_AT, lines, &[]).unwrap();
    let plan = free.plan(&items(&[(1, 1)]), PAID_AT).unwrap();
    assert_eq!((plan.amount(), plan.items[0].quantity, plan.full), (Money::ZERO, 1, false));
    let refund = Refund::begin(id(1), (ORDER, USER), plan, reason(), None, PAID_AT);
    assert_eq!(Refund::restore((*refund).clone()), Ok(refund));
}

#[test]
fn the_largest_amounts_are_divided_exactly() {
    let lines = || vec![PaidLine { product_id: product(1), quantity: 1_000, net: Money::MAX }];
    let card = Money::MAX.checked_sub(minor(1)).unwrap();
    let refundable = Refundable::new(PAYMENT, minor(1), card, PAID_AT, lines(), &[]).unwrap();
    let plan = refundable.plan(&items(&[(1, 999)]), PAID_AT).unwrap();
    assert_eq!(plan.amount().minor(), 998_999_999_999_999);
    let begun = Refund::begin(id(1), (ORDER, USER), plan, reason(), None, PAID_AT);
    let rest = Refundable::new(PAYMENT, minor(1), card, PAID_AT, lines(), &[begun]).unwrap();
    let rest = rest.plan(&RefundRequest::All, PAID_AT).unwrap();
    assert_eq!(rest.amount().minor(), 1_000_000_000_000);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let build = |point, card, lines, earlier: &[Refund]| {
        Refundable::new(PAYMENT, minor(point), minor(card), PAID_AT, lines, earlier).err()
    };
    let wrong = Some(RefundError::Inconsistent);
    let lines = || vec![line(1, 3, 10_000), line(2, 1, 5_000)];
    assert_eq!(build(5_000, 10_000, lines(), &[]), None);
    assert_eq!(build(5_000, 9_999, lines(), &[]), wrong);
    assert_eq!(build(-1, 15_001, lines(), &[]), wrong);
    assert_eq!(build(0, 0, Vec::new(), &[]), wrong);
    assert_eq!(build(0, 10, vec![line(1, 1, 5), line(1, 1, 5)], &[]), wrong);
    assert_eq!(build(0, 5, vec![line(1, 0, 5)], &[]), wrong);
    assert_eq!(build(0, 5, vec![line(1, 1, -5), line(2, 1, 10)], &[]), wrong);
    // More went back than was paid, to another payment, or of another product.
    let all = begin(1, &[], &RefundRequest::All);
    assert_eq!(build(5_000, 10_000, lines(), std::slice::from_ref(&all)), None);
    assert_eq!(build(5_000, 10_000, lines(), &[all.clone(), all.clone()]), wrong);
    assert_eq!(build(0, 15_000, lines(), std::slice::from_ref(&all)), wrong);
    assert_eq!(build(0, 5, vec![line(7, 1, 5)], std::slice::from_ref(&all)), wrong);
    let payment_id = PaymentId::from_uuid(Uuid::from_u128(99));
    let other = Refund::restore(RefundState { payment_id, ..(*all).clone() }).unwrap();
    assert_eq!(build(5_000, 10_000, lines(), &[other]), wrong);
}

#[test]
fn a_refund_is_settled_once() {
    type Step = fn(&mut Refund, Timestamp) -> Result<(), RefundError>;
    let steps: [(Step, RefundStatus); 2] =
        [(Refund::succeed, RefundStatus::Success), (Refund::fail, RefundStatus::Failed)];
    let later = PAID_AT + TimeDelta::seconds(5);
    for (step, status) in steps {
        let mut refund = begin(1, &[], &RefundRequest::All);
        step(&mut refund, later).unwrap();
        assert_eq!((refund.status, refund.settled_at), (status, Some(later)));
        assert_eq!(Refund::restore((*refund).clone()), Ok(refund.clone()));
        let before = refund.clone();
        for (again, _) in steps {
            assert_eq!(again(&mut refund, later), Err(RefundError::Settled(id(1))));
        }
        assert_eq!(refund, before);
    }
    for status in RefundStatus::ALL {
        assert_eq!(RefundStatus::parse(status.as_str()), Some(status));
    }
    assert_eq!(RefundStatus::parse("pending"), None);
}

#[test]
fn a_refund_is_restored_only_if_it_fits() {
    let whole = begin(1, &[], &RefundRequest::All);
    let broken = |spoil: fn(&mut RefundState)| {
        let mut state = (*whole).clone();
        spoil(&mut state);
        Refund::restore(state).is_err()
    };
    assert!(!broken(|_| {}));
    assert!(broken(|state| state.point_amount = Money::ZERO));
    assert!(broken(|state| state.items.clear()));
    assert!(broken(|state| state.items[0].quantity = 0));
    assert!(broken(|state| state.items[1].product_id = state.items[0].product_id));
    assert!(broken(|state| state.status = RefundStatus::Success));
    assert!(broken(|state| state.settled_at = Some(PAID_AT)));
    assert!(broken(|state| {
        state.point_amount = Money::won(-50);
        state.card_amount = Money::won(200);
    }));
}

#[test]
fn a_reversal_gives_back_money_by_card_and_nothing_else() {
    let reversal_ = reversal(Money::won(100)).unwrap();
    assert!(reversal_.is_reversal() && reversal_.requested_by.is_none());
    assert_eq!((reversal_.amount(), reversal_.status), (Money::won(100), RefundStatus::Pending));
    assert_eq!(reversal(Money::ZERO), Err(RefundError::Inconsistent));
    let asked = RefundState { requested_by: Some(USER), ..(*reversal_).clone() };
    assert_eq!(Refund::restore(asked), Err(RefundError::Inconsistent));
    let reversed = refundable(&[reversal_]).unwrap();
    let error = reversed.plan(&RefundRequest::All, PAID_AT).unwrap_err();
    assert_eq!(error, RefundError::AlreadyRefunded(PAYMENT));
}

#[test]
fn a_reason_is_short_and_printable() {
    for (text, valid) in [("", false), ("  ", false), (" 사이즈가 작아요 ", true), ("a\nb", false)] {
        assert_eq!(RefundReason::new(text).is_ok(), valid, "{text:?}");
    }
    assert_eq!(RefundReason::new(" a ").unwrap().as_str(), "a");
    assert!(RefundReason::new(&"각".repeat(200)).is_ok() && RefundReason::new(&"각".repeat(201)).is_err());
}

#[test]
fn others_are_told_what_went_back() {
    let refund = begin(1, &[], &items(&[(1, 1)]));
    let json = serde_json::to_string(&PaymentRefunded::of(&refund, false)).unwrap();
    let id = |number: u128| Uuid::from_u128(number);
    let expected = format!(
        r#"{{"refundId":"{0}","paymentId":"{0}","orderId":"{1}","userId":"{2}","amount":33.33,"pointAmount":11.11,"cardAmount":22.22,"items":[{{"productId":"{0}","qty":1,"amount":33.33}}],"full":false}}"#,
        id(1),
        id(2),
        id(3)
    );
    assert_eq!(json, expected);
    assert_eq!((PaymentRefunded::AGGREGATE, PaymentRefunded::TYPE), ("order", "PaymentRefunded"));
    // Receivers need not tell a reversal from a refund.
    let reversal = reversal(Money::won(100)).unwrap();
    let reversed = serde_json::to_string(&PaymentReversed::of(&reversal)).unwrap();
    assert_eq!(reversed, serde_json::to_string(&PaymentRefunded::of(&reversal, true)).unwrap());
    assert_eq!((PaymentReversed::AGGREGATE, PaymentReversed::TYPE), ("payment", PaymentRefunded::TYPE));
    assert_eq!(PaymentReversed::SEQUENCE, 2);
}
