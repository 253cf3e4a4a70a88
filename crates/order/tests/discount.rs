//! What a coupon takes off, for any policy and any order.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::BTreeSet;

use kernel::{Money, OrderId, ProductId, Timestamp, UserCouponId, UserId};
use order::{AppliedCoupon, DiscountPolicy, Order, OrderError, OrderLine, Reduction};
use proptest::prelude::*;
use uuid::Uuid;

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

fn minor(hundredths: i64) -> Money {
    Money::from_minor(hundredths).unwrap()
}

fn line(number: u128, price: i64, quantity: u32) -> OrderLine {
    OrderLine::new(product(number), "a thing", minor(price), quantity).unwrap()
}

fn policy(reduction: Reduction) -> DiscountPolicy {
    DiscountPolicy { reduction, cap: None, minimum: None, products: None }
}

fn coupon() -> AppliedCoupon {
    AppliedCoupon { user_coupon_id: UserCouponId::from_uuid(Uuid::from_u128(7)), code: "A".into() }
}

#[test]
fn a_share_is_rounded_down_and_goes_to_the_lines_without_loss() {
    // 10 % of 3 × 333.33 is 99.999: 99.99 are taken off, 33.33 of each line.
    let lines = [line(1, 33_333, 1), line(2, 33_333, 1), line(3, 33_333, 1)];
    let shares = policy(Reduction::Share(1_000)).allocate(&lines).unwrap();
    assert_eq!(shares, [minor(3_333), minor(3_333), minor(3_333)]);
    // 100.00 over three equal lines: the odd hundredth goes to the first.
    let shares = policy(Reduction::Amount(Money::won(100))).allocate(&lines).unwrap();
    assert_eq!(shares, [minor(3_334), minor(3_333), minor(3_333)]);
}

#[test]
fn caps_minimums_and_limited_products_count() {
    let lines = [line(1, 100_000, 2), line(2, 300_000, 1)];
    let capped = DiscountPolicy { cap: Some(Money::won(100)), ..policy(Reduction::Share(5_000)) };
    assert_eq!(capped.allocate(&lines).unwrap(), [minor(4_000), minor(6_000)]);
    let limited = DiscountPolicy {
        products: Some([product(1)].into()),
        ..policy(Reduction::Amount(Money::won(1_000_000)))
    };
    assert_eq!(limited.allocate(&lines).unwrap(), [Money::won(2_000), Money::ZERO]);
    let elsewhere = DiscountPolicy { products: Some([product(9)].into()), ..limited };
    assert_eq!(elsewhere.allocate(&lines), Err(OrderError::DiscountNotApplicable));
    // The minimum looks at the whole order, to the hundredth.
    let minimum = |amount| DiscountPolicy { minimum: Some(amount), ..policy(Reduction::Share(1)) };
    assert!(minimum(Money::won(5_000)).allocate(&lines).is_ok());
    let refused = OrderError::DiscountMinimum { minimum: minor(500_001), amount: Money::won(5_000) };
    assert_eq!(minimum(minor(500_001)).allocate(&lines), Err(refused));
}

#[test]
fn an_order_keeps_what_was_taken_off_each_line() {
    let place = |total, reduction| {
        let lines = vec![line(1, total, 1)];
        let policy = policy(reduction);
        let (id, user) = (OrderId::from_uuid(Uuid::nil()), UserId::from_uuid(Uuid::nil()));
        Order::place(id, user, lines, Some((coupon(), &policy)), Timestamp::MAX_UTC, Timestamp::UNIX_EPOCH)
    };
    let (order, _) = place(200_000, Reduction::Amount(Money::won(5_000))).unwrap();
    assert_eq!((order.total, order.discount), (Money::won(2_000), Money::won(2_000)));
    assert_eq!((order.lines[0].discount, order.payable()), (Money::won(2_000), Money::ZERO));
    assert_eq!(order.coupon, Some(coupon()));
    assert_eq!(Order::restore((*order).clone()), Ok(order));
    // What the order comes to is measured before the discount.
    let small = place(99_999, Reduction::Share(1));
    assert!(matches!(small, Err(OrderError::BelowMinimum { .. })));
}

#[test]
fn discounts_that_do_not_add_up_are_not_restored() {
    let policy = policy(Reduction::Share(1_000));
    let lines = vec![line(1, 100_000, 1), line(2, 200_000, 1)];
    let (id, user) = (OrderId::from_uuid(Uuid::nil()), UserId::from_uuid(Uuid::nil()));
    let (order, _) =
        Order::place(id, user, lines, Some((coupon(), &policy)), Timestamp::MAX_UTC, Timestamp::UNIX_EPOCH)
            .unwrap();
    let spoiled = |spoil: fn(&mut order::OrderState)| {
        let mut state = (*order).clone();
        spoil(&mut state);
        Order::restore(state).err()
    };
    assert_eq!(spoiled(|_| {}), None);
    assert_eq!(spoiled(|state| state.lines[0].discount = Money::ZERO), Some(OrderError::Inconsistent));
    assert_eq!(spoiled(|state| state.coupon = None), Some(OrderError::Inconsistent));
    let shifted = |state: &mut order::OrderState| {
        state.lines[0].discount = minor(100_001);
        state.lines[1].discount = minor(30_000 - 100_001);
    };
    assert_eq!(spoiled(shifted), Some(OrderError::Inconsistent));
}

fn any_reduction() -> impl Strategy<Value = Reduction> {
    prop_oneof![
        (1_u32..=10_000).prop_map(Reduction::Share),
        (1_i64..5_000_000_000).prop_map(|amount| Reduction::Amount(minor(amount))),
    ]
}

proptest! {
    #[test]
    fn never_more_than_the_items_it_applies_to_and_nothing_lost(
        prices in prop::collection::vec((0_i64..100_000_000, 1_u32..50), 1..20),
        reduction in any_reduction(),
        cap in prop::option::of(1_i64..1_000_000_000),
        limit in prop::option::of(prop::collection::btree_set(0_u128..20, 1..10)),
    ) {
        let lines: Vec<OrderLine> =
            (0..).zip(&prices).map(|(number, (price, quantity))| line(number, *price, *quantity)).collect();
        let products: Option<BTreeSet<ProductId>> =
            limit.map(|numbers| numbers.into_iter().map(product).collect());
        let policy = DiscountPolicy { reduction, cap: cap.map(minor), minimum: None, products };
        let applies =
            |line: &OrderLine| policy.products.as_ref().is_none_or(|it| it.contains(&line.product_id));
        let eligible: i64 = lines.iter().filter(|line| applies(line)).map(|line| line.subtotal.minor()).sum();
        match policy.allocate(&lines) {
            Err(error) => {
                prop_assert_eq!(error, OrderError::DiscountNotApplicable);
                prop_assert!(!lines.iter().any(applies));
            }
            Ok(shares) => {
                prop_assert_eq!(shares.len(), lines.len());
                for (share, line) in shares.iter().zip(&lines) {
                    prop_assert!(!share.is_negative() && *share <= line.subtotal);
                    prop_assert!(applies(line) || *share == Money::ZERO);
                }
                let asked = match reduction {
                    Reduction::Share(points) => i128::from(eligible) * i128::from(points) / 10_000,
                    Reduction::Amount(amount) => amount.minor().into(),
                };
                let expected = asked.min(eligible.into()).min(cap.unwrap_or(i64::MAX).into());
                prop_assert_eq!(shares.iter().map(|share| i128::from(share.minor())).sum::<i128>(), expected);
            }
        }
    }
}
