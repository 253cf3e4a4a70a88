//! What callers are told when a refund refuses.

#![cfg(test)]

use kernel::ErrorKind::{self, Conflict, Internal, Invalid, NotFound};
use kernel::{DomainError, PaymentId, ProductId, RefundId, Timestamp};
use refund::{RefundError, RefundReason};
use uuid::Uuid;

#[test]
fn every_refusal_has_its_kind_its_code_and_its_facts() {
    let payment = PaymentId::from_uuid(Uuid::from_u128(1));
    let (refund, product_id) =
        (RefundId::from_uuid(Uuid::from_u128(2)), ProductId::from_uuid(Uuid::from_u128(3)));
    let too_many = |refundable| RefundError::TooMany { product_id, requested: 4, refundable };
    let table: [(RefundError, ErrorKind, &str, &[&str]); 13] = [
        (RefundError::NotFound(refund), NotFound, "NOT_FOUND", &[]),
        (RefundError::InvalidReason, Invalid, "VALIDATION_ERROR", &[]),
        (RefundError::InvalidItemCount, Invalid, "VALIDATION_ERROR", &[]),
        (RefundError::InvalidQuantity, Invalid, "VALIDATION_ERROR", &[]),
        (RefundError::NotInOrder(product_id), Invalid, "VALIDATION_ERROR", &["productId"]),
        (
            RefundError::WindowClosed { last: Timestamp::UNIX_EPOCH },
            Invalid,
            "REFUND_WINDOW_CLOSED",
            &["refundableUntil"],
        ),
        (RefundError::NotPaid(payment), Conflict, "CONFLICT", &[]),
        (RefundError::AlreadyRefunded(payment), Conflict, "ALREADY_REFUNDED", &[]),
        (too_many(0), Conflict, "ALREADY_REFUNDED", &["productId", "refundable", "requested"]),
        (too_many(3), Conflict, "CONFLICT", &["productId", "refundable", "requested"]),
        (RefundError::RefusedByGateway(refund), Conflict, "CONFLICT", &["refundId"]),
        (RefundError::Settled(refund), Conflict, "CONFLICT", &[]),
        (RefundError::Inconsistent, Internal, "INTERNAL_ERROR", &[]),
    ];
    for (error, kind, code, facts) in table {
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        assert!(error.details().into_iter().map(|(name, _)| name).eq(facts.iter().copied()), "{error}");
    }
}

#[test]
fn a_reason_shows_as_it_was_given() {
    assert_eq!(RefundReason::new(" too small ").unwrap().to_string(), "too small");
}
