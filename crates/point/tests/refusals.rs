//! What callers are told when a wallet refuses, and how its movements are called.

#![cfg(test)]

use kernel::ErrorKind::{self, Conflict, Internal, Invalid};
use kernel::{DomainError, Money, OrderId, PaymentId, RefundId};
use point::{PointCause, PointError, PointKind};
use uuid::Uuid;

#[test]
fn every_refusal_has_its_kind_and_its_code() {
    let uncovered = PointError::InsufficientBalance { required: Money::won(2), balance: Money::won(1) };
    let table: [(PointError, ErrorKind, &str); 5] = [
        (PointError::ChargeOutOfRange, Invalid, "VALIDATION_ERROR"),
        (uncovered.clone(), Conflict, "INSUFFICIENT_BALANCE"),
        (PointError::BalanceTooLarge, Conflict, "CONFLICT"),
        (PointError::NegativePayment, Internal, "INTERNAL_ERROR"),
        (PointError::NegativeBalance, Internal, "INTERNAL_ERROR"),
    ];
    for (error, kind, code) in table {
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        assert_eq!(error.details().is_empty(), error != uncovered);
    }
    let details = uncovered.details();
    assert_eq!((details.get("required"), details.get("balance")), (Some("2.00"), Some("1.00")));
}

#[test]
fn a_cause_has_a_name_and_an_order_unless_it_is_a_charge() {
    let (order, payment) = (OrderId::from_uuid(Uuid::from_u128(1)), PaymentId::from_uuid(Uuid::from_u128(2)));
    let refund = RefundId::from_uuid(Uuid::from_u128(3));
    for (cause, name, of) in [
        (PointCause::Charged, "CHARGE", None),
        (PointCause::Paid { order, payment }, "PAYMENT", Some(order)),
        (PointCause::Released { order, payment }, "REFUND", Some(order)),
        (PointCause::Refunded { order, refund }, "REFUND", Some(order)),
    ] {
        assert_eq!((cause.kind().as_str(), cause.order_id()), (name, of));
        assert_eq!(PointKind::parse(name), Some(cause.kind()));
        assert_eq!(PointKind::parse(&name.to_lowercase()), None);
    }
}
