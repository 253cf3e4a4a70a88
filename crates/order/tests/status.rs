//! The states of an order, pair by pair, and what an order makes of them.

#![cfg(test)]

use kernel::{Money, OrderId, ProductId, Timestamp, UserCouponId, UserId};
use order::OrderStatus::{self, Cancelled, Expired, Paid, PartiallyRefunded, Pending, Refunded};
use order::{Actor, AppliedCoupon, Order, OrderError, OrderLine, OrderState, StatusChange};
use proptest::prelude::*;
use uuid::Uuid;

/// A row for each state from which an order goes, a column for each state to which it may go.
#[rustfmt::skip]
const TABLE: [(OrderStatus, [(OrderStatus, bool); 6]); 6] = [
    (Pending,           [(Pending, false), (Paid, true),  (Cancelled, true),  (Expired, true),  (PartiallyRefunded, false), (Refunded, false)]),
    (Paid,              [(Pending, false), (Paid, false), (Cancelled, false), (Expired, false), (PartiallyRefunded, true),  (Refunded, true)]),
    (Cancelled,         [(Pending, false), (Paid, false), (Cancelled, false), (Expired, false), (PartiallyRefunded, false), (Refunded, false)]),
    (Expired,           [(Pending, false), (Paid, false), (Cancelled, false), (Expired, false), (PartiallyRefunded, false), (Refunded, false)]),
    (PartiallyRefunded, [(Pending, false), (Paid, false), (Cancelled, false), (Expired, false), (PartiallyRefunded, true),  (Refunded, true)]),
    (Refunded,          [(Pending, false), (Paid, false), (Cancelled, false), (Expired, false), (PartiallyRefunded, false), (Refunded, false)]),
];

const USER: UserId = UserId::from_uuid(Uuid::from_u128(1));
const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const LATER: Timestamp = Timestamp::MAX_UTC;

fn order() -> Order {
    let product = ProductId::from_uuid(Uuid::from_u128(2));
    let line = OrderLine::new(product, "a thing", Money::won(1_500), 2).unwrap();
    Order::place(OrderId::from_uuid(Uuid::from_u128(3)), USER, vec![line], None, LATER, NOW).unwrap().0
}

/// An order in a state, as it would be stored.
fn order_in(status: OrderStatus) -> OrderState {
    let paid = match status {
        Pending | Cancelled | Expired => Money::ZERO,
        Paid | PartiallyRefunded | Refunded => Money::won(3_000),
    };
    let expires_at = (status == Pending).then_some(LATER);
    OrderState { status, paid, expires_at, ..(*order()).clone() }
}

#[test]
fn an_order_goes_where_the_table_says_and_nowhere_else() {
    assert_eq!(TABLE.map(|(from, _)| from), OrderStatus::ALL);
    for (from, row) in TABLE {
        assert_eq!(row.map(|(to, _)| to), OrderStatus::ALL);
        for (to, allowed) in row {
            assert_eq!(from.may_become(to), allowed, "{from} to {to}");
        }
    }
}

#[test]
fn a_status_is_read_as_it_was_written() {
    for status in OrderStatus::ALL {
        assert_eq!(OrderStatus::parse(status.as_str()), Some(status));
        assert_eq!(OrderStatus::parse(&status.as_str().to_lowercase()), None);
    }
    assert_eq!(OrderStatus::parse(""), None);
}

#[test]
fn only_an_order_that_awaits_its_payment_is_paid() {
    for status in OrderStatus::ALL {
        let mut order = Order::restore(order_in(status)).unwrap();
        let before = order.clone();
        let paid = order.pay(Actor::User(USER), NOW);
        if status == Pending {
            let change = paid.unwrap();
            assert_eq!((change.from, change.to, change.sequence), (Some(Pending), Paid, 2));
            assert_eq!((order.status, order.paid, order.version), (Paid, Money::won(3_000), 2));
        } else {
            assert_eq!(paid, Err(OrderError::Transition { from: status, to: Paid }));
            assert_eq!(order, before);
        }
    }
}

/// Whatever is done to an order in any state: it is done as the table says, with a step of its history, and
/// the order can be stored; or it is refused and nothing has changed.
#[test]
fn an_order_is_given_up_expires_and_is_refunded_as_the_table_says() {
    type Step = fn(&mut Order) -> Result<StatusChange, OrderError>;
    let steps: [(Step, OrderStatus, Actor); 4] = [
        (|order| order.cancel(Actor::User(USER), NOW), Cancelled, Actor::User(USER)),
        (|order| order.expire(NOW), Expired, Actor::System),
        (|order| order.refund(false, Actor::User(USER), NOW), PartiallyRefunded, Actor::User(USER)),
        (|order| order.refund(true, Actor::System, NOW), Refunded, Actor::System),
    ];
    for from in OrderStatus::ALL {
        for (step, to, by) in steps {
            let before = Order::restore(order_in(from)).unwrap();
            let mut order = before.clone();
            match step(&mut order) {
                Ok(change) => {
                    assert!(from.may_become(to), "{from} to {to}");
                    let told = (change.from, change.to, change.sequence, change.changed_by);
                    assert_eq!(told, (Some(from), to, before.version + 1, by));
                    assert_eq!((order.status, order.paid), (to, before.paid));
                    assert_eq!(Order::restore((*order).clone()).unwrap(), order);
                }
                Err(error) => {
                    assert!(!from.may_become(to), "{from} to {to}");
                    assert_eq!(error, OrderError::Transition { from, to });
                    assert_eq!(order, before);
                }
            }
        }
    }
}

#[test]
fn an_order_is_overdue_from_the_moment_at_which_it_expires_and_only_while_it_waits() {
    let second = std::time::Duration::from_secs(1);
    let mut order =
        Order::restore(OrderState { expires_at: Some(NOW + second), ..(*order()).clone() }).unwrap();
    assert!(!order.is_overdue(NOW));
    assert!(order.is_overdue(NOW + second) && order.is_overdue(LATER));
    order.pay(Actor::User(USER), NOW).unwrap();
    assert!(!order.is_overdue(LATER));
}

#[test]
fn an_order_is_restored_only_if_its_sums_fit_its_state() {
    for status in OrderStatus::ALL {
        let fits = order_in(status);
        assert_eq!(*Order::restore(fits.clone()).unwrap(), fits);
        let paid = if fits.paid == Money::ZERO { Money::won(3_000) } else { Money::ZERO };
        let total = Money::won(3_001);
        let lines = Vec::new();
        let mut other_line = fits.lines.clone();
        other_line[0].quantity = 3;
        let expires_at = if status == Pending { None } else { Some(LATER) };
        for broken in [
            OrderState { expires_at, ..fits.clone() },
            OrderState { paid, ..fits.clone() },
            OrderState { total, ..fits.clone() },
            OrderState { lines, ..fits.clone() },
            OrderState { lines: other_line, ..fits.clone() },
        ] {
            assert_eq!(Order::restore(broken.clone()), Err(OrderError::Inconsistent), "{broken:?}");
        }
        // A discount is taken off what is paid.
        let unpaid = fits.paid == Money::ZERO;
        let discounted = |discount: Money, paid: Money| {
            let mut state = OrderState { discount, paid, ..fits.clone() };
            state.lines[0].discount = discount;
            let user_coupon_id = UserCouponId::from_uuid(Uuid::from_u128(4));
            state.coupon = Some(AppliedCoupon { user_coupon_id, code: "A".into() });
            Order::restore(state).is_ok()
        };
        assert_eq!(discounted(Money::won(1), fits.paid), unpaid);
        let paid = if unpaid { Money::ZERO } else { Money::won(2_999) };
        assert!(discounted(Money::won(1), paid));
        assert!(!discounted(Money::won(3_001), paid));
    }
}

proptest! {
    #[test]
    fn an_order_that_was_placed_and_paid_is_stored_and_restored(
        lines in prop::collection::vec((0..1_000_000_i64, 1..=1_000_u32), 0..=20),
    ) {
        let lines: Vec<_> = (0_u32..)
            .zip(lines)
            .map(|(number, (price, quantity))| {
                let product = ProductId::from_uuid(Uuid::from_u128(number.into()));
                OrderLine::new(product, "a thing", Money::from_minor(price).unwrap(), quantity).unwrap()
            })
            .collect();
        let sum: i64 = lines.iter().map(|line| line.unit_price.minor() * i64::from(line.quantity)).sum();
        let empty = lines.is_empty();
        match Order::place(OrderId::from_uuid(Uuid::nil()), USER, lines, None, LATER, NOW) {
            Ok((mut order, placed)) => {
                prop_assert!(sum >= Order::MINIMUM.minor());
                prop_assert_eq!((order.total.minor(), order.payable().minor()), (sum, sum));
                prop_assert_eq!((placed.sequence, placed.from, placed.to), (1, None, Pending));
                prop_assert_eq!(Order::restore((*order).clone()).unwrap(), order.clone());
                let paid = order.pay(Actor::System, NOW).unwrap();
                prop_assert_eq!((paid.sequence, paid.from, paid.to), (2, Some(Pending), Paid));
                prop_assert_eq!(order.paid.minor(), sum);
                prop_assert_eq!(Order::restore((*order).clone()).unwrap(), order);
            }
            Err(OrderError::InvalidItemCount) => prop_assert!(empty),
            Err(OrderError::BelowMinimum { amount }) => {
                prop_assert_eq!(amount.minor(), sum);
                prop_assert!(amount < Order::MINIMUM);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
