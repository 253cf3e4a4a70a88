//! A coupon and its pieces beside a model of plain sets: claims, uses and returns in whatever order.

#![cfg(test)]

use std::collections::BTreeMap;

use coupon::{
    Benefit, Coupon, CouponCode, CouponError, CouponName, CouponState, NewCoupon, Percentage, Period,
    UserCoupon, UserCouponStatus,
};
use kernel::{CouponId, OrderId, Timestamp, UserCouponId, UserId};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use uuid::Uuid;

/// How long the coupon counts, in seconds from its start.
const LENGTH: i64 = 100;
/// How many users want a piece: more than there are.
const USERS: u8 = 6;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A user claims a piece.
    Claim(u8),
    /// Somebody reads the coupon, to decide by it later.
    Look,
    /// A user claims a piece of the coupon as it was last looked at.
    ClaimAsSeen(u8),
    /// A user uses a piece for an order.
    Use(u8, u8),
    /// An order gives the piece of a user back.
    GiveBack(u8, u8),
    /// Seconds go by.
    Wait(i64),
    /// Everything is stored and read again.
    Store,
}

/// The model: who holds a piece, and which order has it.
#[derive(Clone, Debug)]
struct Holders {
    quantity: u32,
    second: i64,
    seen: u32,
    held: BTreeMap<u8, Option<u8>>,
    outcome: Result<(), CouponError>,
}

impl Holders {
    fn issued(&self) -> u32 {
        u32::try_from(self.held.len()).unwrap()
    }

    /// What a claim comes to for somebody to whom so many pieces seem to be issued.
    fn claim(&mut self, user: u8, issued: u32) -> Result<(), CouponError> {
        if !(0..LENGTH).contains(&self.second) {
            return Err(CouponError::OutsidePeriod);
        }
        // Users who hold one are found by their key, but not before the coupon has been looked at.
        if issued == self.quantity {
            return Err(CouponError::SoldOut);
        }
        if self.held.contains_key(&user) {
            return Err(CouponError::AlreadyClaimed);
        }
        if self.issued() == self.quantity {
            return Err(CouponError::SoldOut);
        }
        self.held.insert(user, None);
        Ok(())
    }
}

impl ReferenceStateMachine for Holders {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        (1..=4_u32, prop_oneof![1 => Just(-1_i64), 4 => 0..LENGTH])
            .prop_map(|(quantity, second)| Self {
                quantity,
                second,
                seen: 0,
                held: BTreeMap::new(),
                outcome: Ok(()),
            })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let (user, order) = (0..USERS, 0..3_u8);
        prop_oneof![
            4 => user.clone().prop_map(Step::Claim),
            1 => Just(Step::Look),
            3 => user.clone().prop_map(Step::ClaimAsSeen),
            4 => (user.clone(), order.clone()).prop_map(|(user, order)| Step::Use(user, order)),
            3 => (user, order).prop_map(|(user, order)| Step::GiveBack(user, order)),
            1 => (1..=LENGTH / 4).prop_map(Step::Wait),
            1 => Just(Step::Store),
        ]
        .boxed()
    }

    /// Pieces that nobody holds cannot be named.
    fn preconditions(state: &Self, step: &Step) -> bool {
        match step {
            Step::Use(user, _) | Step::GiveBack(user, _) => state.held.contains_key(user),
            _ => true,
        }
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.outcome = match step {
            Step::Claim(user) => state.claim(*user, state.issued()),
            Step::ClaimAsSeen(user) => state.claim(*user, state.seen),
            Step::Use(user, order) => match state.held.get_mut(user) {
                Some(holder @ None) => {
                    *holder = Some(*order);
                    Ok(())
                }
                _ => Err(CouponError::AlreadyUsed),
            },
            Step::GiveBack(user, order) => match state.held.get_mut(user) {
                Some(holder) if *holder == Some(*order) => {
                    *holder = None;
                    Ok(())
                }
                _ => Err(CouponError::Inconsistent),
            },
            Step::Look => {
                state.seen = state.issued();
                Ok(())
            }
            Step::Wait(seconds) => {
                state.second += seconds;
                Ok(())
            }
            Step::Store => Ok(()),
        };
        state
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_772_334_000 + second, 0).unwrap()
}

fn user_id(user: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(user.into()))
}

fn order_id(order: u8) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(order.into()))
}

/// The coupon and its pieces, kept as a database keeps them: a count that is checked by [`Coupon::restore`],
/// and a key for each holder.
struct Kept {
    coupon: Coupon,
    seen: Coupon,
    pieces: BTreeMap<UserId, UserCoupon>,
}

impl Kept {
    fn claim(&mut self, coupon: &Coupon, user: u8, now: Timestamp) -> Result<(), CouponError> {
        let id = UserCouponId::from_uuid(Uuid::from_u128(self.pieces.len() as u128));
        let piece = coupon.issue(id, user_id(user), now)?;
        if self.pieces.contains_key(&piece.user_id) {
            return Err(CouponError::AlreadyClaimed);
        }
        let counted = CouponState { issued: self.coupon.issued + 1, ..(*self.coupon).clone() };
        self.coupon = Coupon::restore(counted).map_err(|error| {
            assert_eq!(error, CouponError::Inconsistent);
            CouponError::SoldOut
        })?;
        self.pieces.insert(piece.user_id, piece);
        Ok(())
    }
}

impl StateMachineTest for Kept {
    type SystemUnderTest = Self;
    type Reference = Holders;

    fn init_test(model: &Holders) -> Self {
        let terms = NewCoupon {
            code: CouponCode::new("FIRST").unwrap(),
            name: CouponName::new("First").unwrap(),
            benefit: Benefit::Percent(Percentage::from_basis_points(1_000).unwrap()),
            quantity: model.quantity,
            period: Period::new(at(0), at(LENGTH)).unwrap(),
            min_order_amount: None,
            max_discount: None,
            products: None,
        };
        let coupon = Coupon::create(CouponId::from_uuid(Uuid::from_u128(1)), terms, at(-5)).unwrap();
        Self { seen: coupon.clone(), coupon, pieces: BTreeMap::new() }
    }

    fn apply(mut kept: Self, model: &Holders, step: Step) -> Self {
        let (now, before) = (at(model.second), kept.pieces.clone());
        let outcome = match step {
            Step::Claim(user) => kept.claim(&kept.coupon.clone(), user, now),
            Step::ClaimAsSeen(user) => kept.claim(&kept.seen.clone(), user, now),
            Step::Use(user, order) => {
                kept.pieces.get_mut(&user_id(user)).unwrap().use_for(order_id(order), now)
            }
            Step::GiveBack(user, order) => {
                kept.pieces.get_mut(&user_id(user)).unwrap().give_back(order_id(order))
            }
            Step::Look => {
                kept.seen = kept.coupon.clone();
                Ok(())
            }
            Step::Store => {
                assert_eq!(Coupon::restore((*kept.coupon).clone()), Ok(kept.coupon.clone()));
                for piece in kept.pieces.values_mut() {
                    *piece = UserCoupon::restore((**piece).clone());
                }
                assert_eq!(kept.pieces, before);
                Ok(())
            }
            Step::Wait(_) => Ok(()),
        };
        assert_eq!(outcome, model.outcome, "{step:?}");
        if let Ok(()) = outcome {
            for (user, piece) in &kept.pieces {
                let changes = piece.version - before.get(user).map_or(0, |before| before.version);
                let touched = before.get(user) != Some(piece);
                assert_eq!(changes, u32::from(touched), "each change counts once");
            }
        } else {
            assert_eq!(kept.pieces, before, "a refusal changes nothing");
        }
        kept
    }

    fn check_invariants(kept: &Self, model: &Holders) {
        let Self { coupon, pieces, .. } = kept;
        assert_eq!(coupon.issued as usize, pieces.len());
        assert!(coupon.issued <= coupon.terms.quantity);
        assert_eq!(coupon.remaining(), model.quantity - model.issued());
        let inside = (0..LENGTH).contains(&model.second);
        assert_eq!(coupon.ensure_valid_at(at(model.second)).is_ok(), inside);
        assert!(pieces.keys().copied().eq(model.held.keys().map(|user| user_id(*user))));
        for (piece, used) in pieces.values().zip(model.held.values()) {
            assert_eq!(piece.coupon_id, coupon.id);
            let order = match piece.status {
                UserCouponStatus::Claimed => None,
                UserCouponStatus::Used { order_id, .. } => Some(order_id),
            };
            assert_eq!(order, used.map(order_id));
        }
    }
}

prop_state_machine! {
    #[test]
    fn pieces_are_issued_used_and_given_back_as_the_sets_say(sequential 1..=50 => Kept);
}
