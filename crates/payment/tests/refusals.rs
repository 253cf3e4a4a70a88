//! What callers are told when a payment refuses, and how its states are called.

#![cfg(test)]

use kernel::ErrorKind::{self, Conflict, Internal, Invalid, NotFound, PaymentRequired, Unavailable};
use kernel::{DomainError, Money, OrderId, PaymentId, Timestamp, UserId};
use payment::{CardToken, FailureReason, Payment, PaymentError, PaymentState, PaymentStatus};
use uuid::Uuid;

#[test]
fn every_refusal_has_its_kind_its_code_and_its_facts() {
    let (order, payment) = (OrderId::from_uuid(Uuid::from_u128(1)), PaymentId::from_uuid(Uuid::from_u128(2)));
    let id = format!("\"{payment}\"");
    let code = "insufficient_funds".to_owned();
    let table: [(PaymentError, ErrorKind, &str); 11] = [
        (PaymentError::NotFound(payment), NotFound, "NOT_FOUND"),
        (PaymentError::InvalidCardToken, Invalid, "VALIDATION_ERROR"),
        (PaymentError::InvalidPoints, Invalid, "VALIDATION_ERROR"),
        (PaymentError::AlreadyPaid(order), Conflict, "ALREADY_PAID"),
        (PaymentError::UnderWay { order, payment }, Conflict, "CONFLICT"),
        (PaymentError::WindowClosed(order), Conflict, "CONFLICT"),
        (PaymentError::Declined { payment, code }, PaymentRequired, "PAYMENT_DECLINED"),
        (PaymentError::TooLate(payment), Conflict, "CONFLICT"),
        (PaymentError::GatewayUnreachable, Unavailable, "SERVICE_UNAVAILABLE"),
        (PaymentError::AmountMismatch, Internal, "INTERNAL_ERROR"),
        (PaymentError::Inconsistent, Internal, "INTERNAL_ERROR"),
    ];
    for (error, kind, code) in table {
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        let details = error.details();
        // Whoever is told of an attempt can look at it.
        let tells_of_one = matches!(
            error,
            PaymentError::UnderWay { .. } | PaymentError::Declined { .. } | PaymentError::TooLate(_)
        );
        assert_eq!(details.get("paymentId"), tells_of_one.then_some(id.as_str()), "{error}");
        let declined = matches!(error, PaymentError::Declined { .. });
        assert_eq!(details.get("declineCode"), declined.then_some("\"insufficient_funds\""), "{error}");
        assert_eq!(details.is_empty(), !tells_of_one, "{error}");
    }
}

#[test]
fn states_and_reasons_are_read_as_they_were_written() {
    let names = ["PENDING", "SUCCESS", "FAILED", "REVERSED"];
    assert_eq!(PaymentStatus::ALL.map(PaymentStatus::as_str), names);
    assert_eq!(names.map(PaymentStatus::parse), PaymentStatus::ALL.map(Some));
    let names = ["DECLINED", "GATEWAY_UNREACHABLE", "UNKNOWN_TO_GATEWAY", "ORDER_NOT_PAYABLE"];
    assert_eq!(FailureReason::ALL.map(FailureReason::as_str), names);
    assert_eq!(names.map(FailureReason::parse), FailureReason::ALL.map(Some));
    assert_eq!((PaymentStatus::parse("success"), FailureReason::parse("")), (None, None));
}

#[test]
fn a_card_token_is_for_the_gateway_alone() {
    let token = CardToken::new("tok_ok").unwrap();
    assert_eq!((token.expose(), format!("{token:?}").as_str()), ("tok_ok", "CardToken(…)"));
}

#[test]
fn no_part_of_a_payment_is_below_zero() {
    let (order, payment) = (OrderId::from_uuid(Uuid::from_u128(1)), PaymentId::from_uuid(Uuid::from_u128(2)));
    let user = UserId::from_uuid(Uuid::from_u128(3));
    let amounts = (Money::won(1), Money::won(2));
    let begun = Payment::begun(payment, order, user, amounts, Timestamp::UNIX_EPOCH);
    let below = Money::won(-1);
    for broken in [
        PaymentState { point_amount: below, ..(*begun).clone() },
        PaymentState { card_amount: below, ..(*begun).clone() },
    ] {
        assert_eq!(Payment::restore(broken), Err(PaymentError::Inconsistent));
    }
}
