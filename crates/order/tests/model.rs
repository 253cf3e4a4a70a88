//! An order beside a model of its life: whatever is tried, in whatever order, it goes only where it may go.

#![cfg(test)]

use kernel::{Money, OrderId, ProductId, Timestamp, UserCouponId, UserId};
use order::OrderStatus::{self, Cancelled, Expired, Paid, PartiallyRefunded, Pending, Refunded};
use order::{Actor, AppliedCoupon, DiscountPolicy, Order, OrderError, OrderLine, Reduction, StatusChange};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use uuid::Uuid;

const BUYER: UserId = UserId::from_uuid(Uuid::from_u128(1));
/// How many seconds a buyer has to pay.
const WINDOW: i64 = 1_800;

/// Where an order may go, and by what; there is no other way.
const EDGES: [(OrderStatus, Deed, OrderStatus); 7] = [
    (Pending, Deed::Pay, Paid),
    (Pending, Deed::Cancel, Cancelled),
    (Pending, Deed::Expire, Expired),
    (Paid, Deed::RefundPart, PartiallyRefunded),
    (Paid, Deed::RefundRest, Refunded),
    (PartiallyRefunded, Deed::RefundPart, PartiallyRefunded),
    (PartiallyRefunded, Deed::RefundRest, Refunded),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Pay,
    Cancel,
    Expire,
    RefundPart,
    RefundRest,
}

impl Deed {
    const ALL: [Self; 5] = [Self::Pay, Self::Cancel, Self::Expire, Self::RefundPart, Self::RefundRest];

    /// What an order becomes by it.
    fn aim(self) -> OrderStatus {
        EDGES.iter().find(|(_, deed, _)| *deed == self).unwrap().2
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody tries it: the buyer or Jumun itself.
    Try(Deed, Actor),
    /// Seconds go by.
    Wait(i64),
    /// The order is stored and read again.
    Store,
}

/// The model: hundredths and statuses, no order.
#[derive(Clone, Debug)]
struct Life {
    /// Price and pieces of each line.
    lines: Vec<(i64, u32)>,
    /// Hundredths of a percent that a coupon takes off.
    discount: Option<u32>,
    second: i64,
    history: Vec<(OrderStatus, Actor, i64)>,
    done: bool,
}

impl Life {
    fn status(&self) -> OrderStatus {
        self.history.last().unwrap().0
    }

    fn total(&self) -> i64 {
        self.lines.iter().map(|(price, pieces)| price * i64::from(*pieces)).sum()
    }

    fn payable(&self) -> i64 {
        self.total() - self.total() * i64::from(self.discount.unwrap_or(0)) / 10_000
    }
}

impl ReferenceStateMachine for Life {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let line = (100_000..=50_000_000_i64, 1..=20_u32);
        let discount = prop::option::of(1..=10_000_u32);
        (prop::collection::vec(line, 1..=5), discount)
            .prop_map(|(lines, discount)| {
                let history = vec![(Pending, Actor::User(BUYER), 0)];
                Self { lines, discount, second: 0, history, done: true }
            })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let actor = prop_oneof![Just(Actor::User(BUYER)), Just(Actor::System)];
        let deed = prop::sample::select(Deed::ALL.to_vec());
        prop_oneof![
            6 => (deed, actor).prop_map(|(deed, actor)| Step::Try(deed, actor)),
            2 => (1..=WINDOW).prop_map(Step::Wait),
            1 => Just(Step::Store),
        ]
        .boxed()
    }

    fn apply(mut life: Self, step: &Step) -> Self {
        match step {
            Step::Try(deed, actor) => {
                let from = life.status();
                let edge = EDGES.iter().find(|(at, by, _)| *at == from && by == deed);
                life.done = edge.is_some();
                if let Some((.., to)) = edge {
                    let actor = if *deed == Deed::Expire { Actor::System } else { *actor };
                    life.history.push((*to, actor, life.second));
                }
            }
            Step::Wait(seconds) => life.second += seconds,
            Step::Store => {}
        }
        life
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_772_334_000 + second, 0).unwrap()
}

/// The order and its history, as they would be stored.
struct Kept {
    order: Order,
    history: Vec<StatusChange>,
}

impl StateMachineTest for Kept {
    type SystemUnderTest = Self;
    type Reference = Life;

    fn init_test(life: &Life) -> Self {
        let lines = (0..)
            .zip(&life.lines)
            .map(|(number, (price, pieces))| {
                let product = ProductId::from_uuid(Uuid::from_u128(number));
                OrderLine::new(product, "a thing", Money::from_minor(*price).unwrap(), *pieces).unwrap()
            })
            .collect();
        let policy = life.discount.map(|share| DiscountPolicy {
            reduction: Reduction::Share(share),
            cap: None,
            minimum: None,
            products: None,
        });
        let coupon =
            || AppliedCoupon { user_coupon_id: UserCouponId::from_uuid(Uuid::nil()), code: "A".into() };
        let coupon = policy.as_ref().map(|policy| (coupon(), policy));
        let id = OrderId::from_uuid(Uuid::from_u128(2));
        let (order, placed) = Order::place(id, BUYER, lines, coupon, at(WINDOW), at(0)).unwrap();
        Self { order, history: vec![placed] }
    }

    fn apply(mut kept: Self, life: &Life, step: Step) -> Self {
        let (order, now) = (&mut kept.order, at(life.second));
        let before = order.clone();
        match step {
            Step::Try(deed, by) => {
                let tried = match deed {
                    Deed::Pay => order.pay(by, now),
                    Deed::Cancel => order.cancel(by, now),
                    Deed::Expire => order.expire(now),
                    Deed::RefundPart => order.refund(false, by, now),
                    Deed::RefundRest => order.refund(true, by, now),
                };
                match tried {
                    Ok(change) => {
                        assert!(life.done, "{deed:?} of {before:?}");
                        kept.history.push(change);
                    }
                    Err(error) => {
                        assert!(!life.done, "{deed:?} of {before:?}");
                        assert_eq!(error, OrderError::Transition { from: before.status, to: deed.aim() });
                        assert_eq!(*order, before, "a refusal changes nothing");
                    }
                }
            }
            Step::Store => {
                *order = Order::restore((*before).clone()).unwrap();
                assert_eq!(*order, before);
            }
            Step::Wait(_) => {}
        }
        kept
    }

    fn check_invariants(kept: &Self, life: &Life) {
        let Self { order, history } = kept;
        assert_eq!((order.status, order.version as usize), (life.status(), history.len()));
        let told: Vec<_> = history.iter().map(|it| (it.to, it.changed_by, it.changed_at)).collect();
        let expected: Vec<_> = life.history.iter().map(|(to, by, second)| (*to, *by, at(*second))).collect();
        assert_eq!(told, expected);
        for (sequence, change) in (1..).zip(history) {
            assert_eq!((change.sequence, change.order_id), (sequence, order.id));
        }
        for steps in history.windows(2) {
            assert_eq!(steps[1].from, Some(steps[0].to), "each step begins where the one before it ended");
        }
        let discounts: i64 = order.lines.iter().map(|line| line.discount.minor()).sum();
        assert_eq!((order.total.minor(), order.discount.minor()), (life.total(), discounts));
        assert_eq!(order.payable().minor(), life.payable());
        let was_paid = life.history.iter().any(|(status, ..)| *status == Paid);
        assert_eq!(order.paid.minor(), if was_paid { life.payable() } else { 0 });
        assert_eq!(order.status.was_paid(), was_paid);
        let waits = life.status() == Pending;
        assert_eq!(order.expires_at, waits.then(|| at(WINDOW)));
        assert_eq!(order.is_overdue(at(life.second)), waits && life.second >= WINDOW);
    }
}

prop_state_machine! {
    #[test]
    fn an_order_goes_only_where_it_may_go(sequential 1..=25 => Kept);
}
