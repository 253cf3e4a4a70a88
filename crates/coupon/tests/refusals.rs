//! What callers are told when a coupon refuses, and which codes and names are taken.

#![cfg(test)]

use coupon::{
    Benefit, Coupon, CouponCode, CouponError, CouponName, NewCoupon, Percentage, Period, UserCouponStatus,
};
use kernel::ErrorKind::{self, Conflict, Internal, Invalid, NotFound};
use kernel::{CouponId, DomainError, OrderId, ProductId, Timestamp};
use uuid::Uuid;

fn code() -> CouponCode {
    CouponCode::new("WELCOME10").unwrap()
}

#[test]
fn every_refusal_has_its_kind_and_its_code() {
    let table: [(CouponError, ErrorKind, &str); 16] = [
        (CouponError::NotFound(code()), NotFound, "NOT_FOUND"),
        (CouponError::InvalidCode, Invalid, "VALIDATION_ERROR"),
        (CouponError::InvalidName, Invalid, "VALIDATION_ERROR"),
        (CouponError::InvalidPercentage, Invalid, "VALIDATION_ERROR"),
        (CouponError::InvalidAmount, Invalid, "VALIDATION_ERROR"),
        (CouponError::InvalidQuantity, Invalid, "VALIDATION_ERROR"),
        (CouponError::InvalidPeriod, Invalid, "VALIDATION_ERROR"),
        (CouponError::InvalidProducts, Invalid, "VALIDATION_ERROR"),
        (CouponError::DuplicateCode(code()), Conflict, "CONFLICT"),
        (CouponError::Unknown, Invalid, "COUPON_INVALID"),
        (CouponError::OutsidePeriod, Invalid, "COUPON_INVALID"),
        (CouponError::NotHeld, Invalid, "COUPON_INVALID"),
        (CouponError::AlreadyUsed, Invalid, "COUPON_INVALID"),
        (CouponError::SoldOut, Conflict, "COUPON_SOLD_OUT"),
        (CouponError::AlreadyClaimed, Conflict, "COUPON_ALREADY_CLAIMED"),
        (CouponError::Inconsistent, Internal, "INTERNAL_ERROR"),
    ];
    for (error, kind, code) in table {
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
    }
    assert_eq!(CouponError::NotFound(code()).to_string(), "coupon WELCOME10 does not exist");
}

#[test]
fn a_code_has_1_to_64_letters_digits_hyphens_and_underscores() {
    let longest = "A".repeat(64);
    for text in ["A", "welcome-10_B", &longest] {
        let code = CouponCode::new(text).unwrap();
        assert_eq!((code.as_str(), code.to_string().as_str()), (text, text));
    }
    for text in ["", " A", "A B", "쿠폰", "A.B", &"A".repeat(65)] {
        assert_eq!(CouponCode::new(text), Err(CouponError::InvalidCode), "{text}");
    }
}

#[test]
fn a_name_is_kept_without_the_white_space_around_it() {
    let longest = "각".repeat(200);
    for (text, kept) in [(" 첫 구매 \n", "첫 구매"), ("A", "A"), (&longest, &longest)] {
        let name = CouponName::new(text).unwrap();
        assert_eq!((name.as_str(), name.to_string().as_str()), (kept, kept));
    }
    for text in ["", " \t", "a\u{0}b", "a\nb", &"각".repeat(201)] {
        assert_eq!(CouponName::new(text), Err(CouponError::InvalidName), "{text:?}");
    }
}

#[test]
fn the_limits_of_a_coupon_belong_to_it() {
    let create = |quantity: u32, products: u128| {
        let limited = (0..products).map(|id| ProductId::from_uuid(Uuid::from_u128(id))).collect();
        let terms = NewCoupon {
            code: code(),
            name: CouponName::new("Welcome").unwrap(),
            benefit: Benefit::Percent(Percentage::from_basis_points(10_000).unwrap()),
            quantity,
            period: Period::new(Timestamp::UNIX_EPOCH, Timestamp::MAX_UTC).unwrap(),
            min_order_amount: None,
            max_discount: None,
            products: Some(limited),
        };
        Coupon::create(CouponId::from_uuid(Uuid::nil()), terms, Timestamp::UNIX_EPOCH)
            .map(|it| it.remaining())
    };
    assert_eq!(create(1, 1), Ok(1));
    assert_eq!(create(Coupon::MAX_QUANTITY, 100), Ok(10_000_000));
    assert_eq!(create(Coupon::MAX_QUANTITY + 1, 100), Err(CouponError::InvalidQuantity));
    assert_eq!(create(Coupon::MAX_QUANTITY, 101), Err(CouponError::InvalidProducts));
    assert_eq!(Percentage::from_basis_points(1_050).map(Percentage::basis_points), Ok(1_050));
}

#[test]
fn a_piece_shows_whether_it_is_used() {
    let used =
        UserCouponStatus::Used { order_id: OrderId::from_uuid(Uuid::nil()), at: Timestamp::UNIX_EPOCH };
    assert_eq!((UserCouponStatus::Claimed.as_str(), used.as_str()), ("CLAIMED", "USED"));
}
