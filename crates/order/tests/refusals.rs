//! What callers are told when an order refuses.

#![cfg(test)]

use kernel::ErrorKind::{self, Conflict, Internal, Invalid, NotFound, PreconditionFailed};
use kernel::{DomainError, Money, OrderId, ProductId, Timestamp, UserId};
use order::{Order, OrderError, OrderLine, OrderStatus};
use uuid::Uuid;

/// Names of facts and their JSON text.
type Facts = &'static [(&'static str, &'static str)];

#[test]
fn every_refusal_has_its_kind_its_code_and_its_facts() {
    let (less, more) = (Money::won(500), Money::won(700));
    let table: [(OrderError, ErrorKind, &str, Facts); 11] = [
        (OrderError::NotFound(OrderId::from_uuid(Uuid::nil())), NotFound, "NOT_FOUND", &[]),
        (OrderError::InvalidItemCount, Invalid, "VALIDATION_ERROR", &[]),
        (OrderError::InvalidQuantity, Invalid, "VALIDATION_ERROR", &[]),
        (OrderError::TooLarge, Invalid, "VALIDATION_ERROR", &[]),
        (
            OrderError::BelowMinimum { amount: less },
            Invalid,
            "AMOUNT_BELOW_MINIMUM",
            &[("amount", "500.00"), ("minimum", "1000.00")],
        ),
        (
            OrderError::AmountChanged { expected: less, actual: more },
            Conflict,
            "CONFLICT",
            &[("amount", "700.00"), ("expectedAmount", "500.00")],
        ),
        (
            OrderError::DiscountMinimum { minimum: more, amount: less },
            Invalid,
            "COUPON_INVALID",
            &[("amount", "500.00"), ("minimum", "700.00")],
        ),
        (OrderError::DiscountNotApplicable, Invalid, "COUPON_INVALID", &[]),
        (
            OrderError::Transition { from: OrderStatus::Paid, to: OrderStatus::Expired },
            Conflict,
            "CONFLICT",
            &[],
        ),
        (OrderError::Changed, PreconditionFailed, "PRECONDITION_FAILED", &[]),
        (OrderError::Inconsistent, Internal, "INTERNAL_ERROR", &[]),
    ];
    for (error, kind, code, facts) in table {
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        let told: Vec<_> = error.details().into_iter().collect();
        assert!(told.iter().map(|(name, value)| (*name, value.get())).eq(facts.iter().copied()), "{error}");
    }
}

#[test]
fn a_status_shows_as_it_is_stored() {
    for status in OrderStatus::ALL {
        assert_eq!(status.to_string(), status.as_str());
    }
}

#[test]
fn an_order_of_the_minimum_is_one_and_a_hundredth_less_is_none() {
    let place = |price: i64| {
        let product = ProductId::from_uuid(Uuid::nil());
        let line = OrderLine::new(product, "a thing", Money::from_minor(price).unwrap(), 1).unwrap();
        let (id, user) = (OrderId::from_uuid(Uuid::nil()), UserId::from_uuid(Uuid::nil()));
        let placed = Order::place(id, user, vec![line], None, Timestamp::MAX_UTC, Timestamp::UNIX_EPOCH);
        placed.map(|(order, _)| order.payable().minor())
    };
    assert_eq!(place(100_000), Ok(100_000));
    assert_eq!(place(99_999), Err(OrderError::BelowMinimum { amount: Money::from_minor(99_999).unwrap() }));
}
