//! What a coupon promises.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::BTreeSet;

use coupon::{
    Benefit, Coupon, CouponCode, CouponError, CouponName, CouponState, NewCoupon, Percentage, Period,
    UserCouponStatus,
};
use kernel::{CouponId, Money, OrderId, ProductId, Timestamp, UserCouponId, UserId};
use proptest::prelude::*;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_772_334_000 + second, 0).unwrap()
}

fn terms(quantity: u32) -> NewCoupon {
    NewCoupon {
        code: CouponCode::new("WELCOME10").unwrap(),
        name: CouponName::new("Welcome").unwrap(),
        benefit: Benefit::Percent(Percentage::from_basis_points(1_000).unwrap()),
        quantity,
        period: Period::new(at(0), at(10)).unwrap(),
        min_order_amount: None,
        max_discount: None,
        products: None,
    }
}

fn coupon(quantity: u32) -> Coupon {
    Coupon::create(CouponId::from_uuid(Uuid::from_u128(1)), terms(quantity), at(0)).unwrap()
}

fn user(number: u128) -> (UserCouponId, UserId) {
    (UserCouponId::from_uuid(Uuid::from_u128(number)), UserId::from_uuid(Uuid::from_u128(number)))
}

#[test]
fn a_period_includes_its_start_and_not_its_end() {
    let claim = |second| {
        let (id, user) = user(1);
        coupon(1).issue(id, user, at(second)).map(|piece| piece.claimed_at)
    };
    assert_eq!(claim(-1), Err(CouponError::OutsidePeriod));
    assert_eq!(claim(0), Ok(at(0)));
    assert_eq!(claim(9), Ok(at(9)));
    assert_eq!(claim(10), Err(CouponError::OutsidePeriod));
    assert_eq!(Period::new(at(3), at(3)), Err(CouponError::InvalidPeriod));
}

#[test]
fn a_coupon_of_which_none_is_left_issues_none() {
    let (id, user) = user(1);
    let gone = |issued| {
        let coupon = Coupon::restore(CouponState { issued, ..(*coupon(3)).clone() })?;
        coupon.issue(id, user, at(1)).map(|_| coupon.remaining())
    };
    assert_eq!(gone(0), Ok(3));
    assert_eq!(gone(2), Ok(1));
    assert_eq!(gone(3), Err(CouponError::SoldOut));
    assert_eq!(gone(4), Err(CouponError::Inconsistent));
}

#[test]
fn a_piece_is_used_once() {
    let (id, holder) = user(1);
    let mut piece = coupon(1).issue(id, holder, at(1)).unwrap();
    let order_id = OrderId::from_uuid(Uuid::from_u128(9));
    piece.use_for(order_id, at(2)).unwrap();
    assert_eq!(piece.status, UserCouponStatus::Used { order_id, at: at(2) });
    assert_eq!(piece.version, 2);
    let other = OrderId::from_uuid(Uuid::from_u128(10));
    assert_eq!(piece.use_for(other, at(3)), Err(CouponError::AlreadyUsed));
    assert_eq!(piece.status, UserCouponStatus::Used { order_id, at: at(2) }, "the loser touches nothing");
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let create = |change: fn(&mut NewCoupon)| {
        let mut terms = terms(1);
        change(&mut terms);
        Coupon::create(CouponId::from_uuid(Uuid::from_u128(1)), terms, at(0)).map(|_| ())
    };
    assert_eq!(create(|_| {}), Ok(()));
    assert_eq!(create(|terms| terms.quantity = 0), Err(CouponError::InvalidQuantity));
    assert_eq!(create(|terms| terms.quantity = 10_000_001), Err(CouponError::InvalidQuantity));
    assert_eq!(create(|terms| terms.min_order_amount = Some(Money::ZERO)), Err(CouponError::InvalidAmount));
    assert_eq!(
        create(|terms| terms.max_discount = Some(Money::won(1).negated())),
        Err(CouponError::InvalidAmount)
    );
    assert_eq!(create(|terms| terms.products = Some(BTreeSet::new())), Err(CouponError::InvalidProducts));
    let many = |terms: &mut NewCoupon| {
        terms.products = Some((0..101).map(|id| ProductId::from_uuid(Uuid::from_u128(id))).collect());
    };
    assert_eq!(create(many), Err(CouponError::InvalidProducts));
}

#[test]
fn a_benefit_is_read_as_it_is_written() {
    for (kind, text, expected) in [
        ("PERCENT", "10", None),
        ("PERCENT", "0.01", None),
        ("PERCENT", "100", None),
        ("PERCENT", "0", Some(CouponError::InvalidPercentage)),
        ("PERCENT", "100.01", Some(CouponError::InvalidPercentage)),
        ("PERCENT", "-1", Some(CouponError::InvalidPercentage)),
        ("PERCENT", "9999999999999.99", Some(CouponError::InvalidPercentage)),
        ("FIXED", "0.01", None),
        ("FIXED", "9999999999999.99", None),
        ("FIXED", "0", Some(CouponError::InvalidAmount)),
        ("FIXED", "-5", Some(CouponError::InvalidAmount)),
    ] {
        let value: Money = text.parse().unwrap();
        let read = Benefit::new(kind, value).unwrap();
        assert_eq!(read.clone().err(), expected, "{kind} {text}");
        if let Ok(benefit) = read {
            assert_eq!((benefit.kind(), benefit.value()), (kind, value));
        }
    }
    assert!(Benefit::new("percent", Money::won(1)).is_none());
}

proptest! {
    #[test]
    fn a_code_is_kept_as_it_is_or_refused(text in "\\PC{0,70}") {
        let valid = (1..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let code = CouponCode::new(&text);
        prop_assert_eq!(code.is_ok(), valid);
        if let Ok(code) = code {
            prop_assert_eq!(code.as_str(), text.as_str());
        }
    }
}
