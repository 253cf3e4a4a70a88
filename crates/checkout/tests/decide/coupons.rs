//! One example for each answer to an order with a coupon.

use checkout::{OrderCommand, Rejection};
use coupon::{Benefit, CouponError, NewCoupon, Percentage, Period, UserCouponStatus};
use kernel::{DomainError, ErrorKind, Money};
use order::OrderError;
use point::PointError;

use crate::shop::{CountingIds, Shop, at, code, command, order_id, product_id, terms, user_id};

fn tenth() -> Benefit {
    Benefit::Percent(Percentage::from_basis_points(1_000).unwrap())
}

/// Two products at 10,000.00 and 5,000.00, a user with 100,000.00 and a piece of coupon 1.
fn shop_with(change: impl FnOnce(&mut NewCoupon)) -> Shop {
    let mut terms = terms(1, tenth());
    change(&mut terms);
    Shop::default()
        .with_product(1, Money::won(10_000), 100)
        .with_product(2, Money::won(5_000), 3)
        .with_wallet(1, Money::won(100_000))
        .with_coupon(1, 1, terms)
}

fn with_coupon(number: usize, items: &[(u8, u32)]) -> OrderCommand {
    OrderCommand { coupon_code: Some(code(1)), ..command(number, 1, items) }
}

fn only(shop: &mut Shop, command: OrderCommand) -> Result<checkout::Receipt, Rejection> {
    let before = shop.clone();
    let outcome = shop.place(&[command], &CountingIds::default()).outcomes.remove(0);
    assert!(outcome.is_ok() || *shop == before, "a rejected order changes nothing");
    outcome
}

#[test]
fn a_coupon_takes_its_discount_off_and_is_used() {
    let mut shop = shop_with(|_| {});
    let receipt = only(&mut shop, with_coupon(7, &[(1, 2), (2, 1)])).unwrap();
    let order = &receipt.order;
    assert_eq!(
        (order.total, order.discount, order.paid),
        (Money::won(25_000), Money::won(2_500), Money::won(22_500))
    );
    assert_eq!(
        order.lines.iter().map(|line| line.discount).collect::<Vec<_>>(),
        [Money::won(2_000), Money::won(500)]
    );
    assert_eq!(receipt.balance, Money::won(77_500));
    let held = &shop.coupons[&(user_id(1), code(1))];
    assert_eq!(held.piece.status, UserCouponStatus::Used { order_id: order_id(7), at: at().now });
    assert_eq!(order.coupon.as_ref().unwrap().user_coupon_id, held.piece.id);
}

#[test]
fn the_second_order_of_a_set_finds_the_coupon_used() {
    let mut shop = shop_with(|_| {});
    let commands = [with_coupon(7, &[(1, 1)]), with_coupon(8, &[(1, 1)]), command(9, 1, &[(1, 1)])];
    let outcomes = shop.place(&commands, &CountingIds::default()).outcomes;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    assert_eq!(outcomes[1], Err(Rejection::Coupon(CouponError::AlreadyUsed)));
    assert_eq!((shop.product(1).stock, shop.money()), (98, Money::won(81_000)));
}

#[test]
fn an_order_that_fails_otherwise_does_not_use_the_coupon() {
    let mut shop = shop_with(|_| {});
    let too_dear = only(&mut shop, with_coupon(7, &[(1, 50)])).unwrap_err();
    assert!(matches!(too_dear, Rejection::Point(PointError::InsufficientBalance { .. })));
    assert!(only(&mut shop, with_coupon(8, &[(1, 1)])).is_ok());
}

#[test]
fn a_coupon_that_does_not_count_is_refused() {
    let refused =
        |change: fn(&mut NewCoupon)| only(&mut shop_with(change), with_coupon(7, &[(1, 1)])).unwrap_err();
    let ended = refused(|terms| {
        terms.period = Period::new(at().now - chrono::TimeDelta::days(1), at().now).unwrap();
    });
    assert_eq!(ended, Rejection::Coupon(CouponError::OutsidePeriod));
    let (minimum, amount) = (Money::from_minor(1_000_001).unwrap(), Money::won(10_000));
    let small = refused(|terms| terms.min_order_amount = Some(Money::from_minor(1_000_001).unwrap()));
    assert_eq!(small, Rejection::Order(OrderError::DiscountMinimum { minimum, amount }));
    let elsewhere = refused(|terms| terms.products = Some([product_id(2)].into()));
    assert_eq!(elsewhere, Rejection::Order(OrderError::DiscountNotApplicable));
    let mut shop = shop_with(|_| {}).with_wallet(2, Money::won(100_000));
    let stolen = OrderCommand { user_id: user_id(2), ..with_coupon(7, &[(1, 1)]) };
    let stolen = only(&mut shop, stolen).unwrap_err();
    assert_eq!(stolen, Rejection::Coupon(CouponError::NotHeld), "a coupon is its holder's alone");
    for rejection in [ended, small, elsewhere, stolen] {
        assert_eq!((rejection.code(), rejection.kind()), ("COUPON_INVALID", ErrorKind::Invalid));
    }
}

#[test]
fn an_order_that_comes_to_nothing_is_paid_with_nothing() {
    let mut shop = shop_with(|terms| terms.benefit = Benefit::Fixed(Money::won(50_000)));
    let mut decision = shop.place(&[with_coupon(7, &[(2, 1)])], &CountingIds::default());
    let receipt = decision.outcomes.remove(0).unwrap();
    assert_eq!((receipt.order.discount, receipt.order.paid), (Money::won(5_000), Money::ZERO));
    assert_eq!(receipt.balance, Money::won(100_000));
    assert!(decision.changes.points.is_empty());
    assert_eq!(decision.changes.payments[0].point_amount, Money::ZERO);
}

#[test]
fn the_expected_amount_is_the_discounted_one() {
    let expecting =
        |won| OrderCommand { expected_amount: Some(Money::won(won)), ..with_coupon(7, &[(1, 1)]) };
    let refused = only(&mut shop_with(|_| {}), expecting(10_000)).unwrap_err();
    let (expected, actual) = (Money::won(10_000), Money::won(9_000));
    assert_eq!(refused, Rejection::Order(OrderError::AmountChanged { expected, actual }));
    assert!(only(&mut shop_with(|_| {}), expecting(9_000)).is_ok());
}
