//! A wallet beside a model of plain numbers: whatever is done to it, in whatever order, both say the same.

#![cfg(test)]

use kernel::{Money, OrderId, PaymentId, RefundId, Timestamp, UserId};
use point::{ChargeAmount, PointEntry, PointError, PointKind, Wallet};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use uuid::Uuid;

const USER: UserId = UserId::from_uuid(Uuid::from_u128(1));
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// What is done to a wallet; amounts are hundredths.
#[derive(Clone, Debug)]
enum Step {
    Charge(i64),
    /// Pays an order, by a payment that has the next number.
    Pay(i64),
    /// Somebody reads the wallet and goes away to decide by it.
    Look,
    /// Pays as it was decided on the wallet that was last looked at, from where it stands by now.
    PayAsSeen(i64),
    /// Gives so much of an earlier payment back, because it did not come about.
    Release(usize, i64),
    /// Gives so much of an earlier payment back by a refund.
    Refund(usize, i64),
    /// Stores the wallet and reads it again.
    Store,
}

/// What has to come of a step.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Nothing,
    Moved(PointKind, i64),
    Uncovered { required: i64, balance: i64 },
    TooLarge,
}

/// The model: a balance, and of each payment what it took and has not come back.
#[derive(Clone, Debug)]
struct Numbers {
    opening: i64,
    balance: i64,
    seen: i64,
    outstanding: Vec<i64>,
    deltas: Vec<i64>,
    outcome: Outcome,
}

impl Numbers {
    fn take(&mut self, amount: i64, balance_at_decision: i64) {
        let balance = if amount > balance_at_decision { balance_at_decision } else { self.balance };
        if amount > balance {
            self.outcome = Outcome::Uncovered { required: amount, balance };
        } else {
            self.outstanding.push(amount);
            self.shift(PointKind::Payment, -amount);
        }
    }

    fn give_back(&mut self, payment: usize, amount: i64) {
        if self.shift(PointKind::Refund, amount) {
            self.outstanding[payment] -= amount;
        }
    }

    fn shift(&mut self, kind: PointKind, delta: i64) -> bool {
        let fits = self.balance + delta <= Money::MAX.minor();
        if fits {
            self.balance += delta;
            self.deltas.push(delta);
        }
        self.outcome = if fits { Outcome::Moved(kind, delta) } else { Outcome::TooLarge };
        fits
    }
}

impl ReferenceStateMachine for Numbers {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        // An empty wallet, or one that is almost as full as a wallet can be.
        let opening =
            prop_oneof![3 => Just(0), 1 => (0..=200_000_000_i64).prop_map(|it| Money::MAX.minor() - it)];
        opening
            .prop_map(|opening| Self {
                opening,
                balance: opening,
                seen: opening,
                outstanding: Vec::new(),
                deltas: Vec::new(),
                outcome: Outcome::Nothing,
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let charge = ChargeAmount::MIN.minor()..=ChargeAmount::MAX.minor();
        let balance = state.balance;
        // Mostly a part of what there is; sometimes all of it, and sometimes a hundredth more.
        let beyond = (balance + 1).min(Money::MAX.minor());
        let amount = || prop_oneof![4 => 0..=60_000_000_i64, 1 => Just(balance), 1 => Just(beyond)];
        let mut steps = vec![
            (4, charge.prop_map(Step::Charge).boxed()),
            (4, amount().prop_map(Step::Pay).boxed()),
            (2, Just(Step::Look).boxed()),
            (3, amount().prop_map(Step::PayAsSeen).boxed()),
            (1, Just(Step::Store).boxed()),
        ];
        if !state.outstanding.is_empty() {
            let payments =
                prop::sample::select(state.outstanding.iter().copied().enumerate().collect::<Vec<_>>());
            let part = payments.prop_flat_map(|(payment, left)| (Just(payment), 0..=left)).boxed();
            let released = part.clone().prop_map(|(payment, amount)| Step::Release(payment, amount));
            let refunded = part.prop_map(|(payment, amount)| Step::Refund(payment, amount));
            steps.extend([(2, released.boxed()), (3, refunded.boxed())]);
        }
        prop::strategy::Union::new_weighted(steps).boxed()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        match step {
            Step::Release(payment, amount) | Step::Refund(payment, amount) => {
                state.outstanding.get(*payment).is_some_and(|left| amount <= left)
            }
            _ => true,
        }
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        match step {
            Step::Charge(amount) => {
                state.shift(PointKind::Charge, *amount);
            }
            Step::Pay(amount) => state.take(*amount, state.balance),
            Step::PayAsSeen(amount) => state.take(*amount, state.seen),
            Step::Release(payment, amount) | Step::Refund(payment, amount) => {
                state.give_back(*payment, *amount);
            }
            Step::Look => {
                state.seen = state.balance;
                state.outcome = Outcome::Nothing;
            }
            Step::Store => state.outcome = Outcome::Nothing,
        }
        state
    }
}

/// The wallet, a copy of it that grows old, and its ledger.
struct Kept {
    wallet: Wallet,
    seen: Wallet,
    ledger: Vec<PointEntry>,
}

fn money(hundredths: i64) -> Money {
    Money::from_minor(hundredths).unwrap()
}

impl StateMachineTest for Kept {
    type SystemUnderTest = Self;
    type Reference = Numbers;

    fn init_test(model: &Numbers) -> Self {
        let wallet = Wallet::restore(USER, money(model.opening), 0).unwrap();
        Self { seen: wallet.clone(), wallet, ledger: Vec::new() }
    }

    fn apply(mut kept: Self, model: &Numbers, step: Step) -> Self {
        // An id of its own for each step.
        let id = Uuid::from_u128(kept.ledger.len() as u128);
        let (order, payment, refund) =
            (OrderId::from_uuid(id), PaymentId::from_uuid(id), RefundId::from_uuid(id));
        let wallet = &mut kept.wallet;
        let before = wallet.clone();
        let moved = match step {
            Step::Charge(amount) => wallet.charge(ChargeAmount::new(money(amount)).unwrap(), NOW),
            Step::Pay(amount) => wallet.pay(money(amount), order, payment, NOW),
            Step::PayAsSeen(amount) => {
                let decided = kept.seen.clone().pay(money(amount), order, payment, NOW);
                decided.and_then(|decided| wallet.repeat(&decided))
            }
            Step::Release(_, amount) => wallet.release(money(amount), order, payment, NOW),
            Step::Refund(_, amount) => wallet.refund(money(amount), order, refund, NOW),
            Step::Look => {
                kept.seen = wallet.clone();
                return kept;
            }
            Step::Store => {
                kept.wallet = Wallet::restore(USER, wallet.balance(), wallet.version()).unwrap();
                assert_eq!(kept.wallet, before);
                return kept;
            }
        };
        match (moved, model.outcome) {
            (Ok(entry), Outcome::Moved(kind, delta)) => {
                assert_eq!((entry.cause.kind(), entry.delta.minor()), (kind, delta));
                assert_eq!(entry.cause.order_id().is_none(), kind == PointKind::Charge);
                kept.ledger.push(entry);
            }
            (
                Err(PointError::InsufficientBalance { required: asked, balance: there }),
                Outcome::Uncovered { required, balance },
            ) => {
                assert_eq!((asked.minor(), there.minor()), (required, balance));
            }
            (Err(PointError::BalanceTooLarge), Outcome::TooLarge) => {}
            other => panic!("{other:?}"),
        }
        kept
    }

    fn check_invariants(kept: &Self, model: &Numbers) {
        let Self { wallet, ledger, .. } = kept;
        assert_eq!(wallet.balance().minor(), model.balance);
        assert!(!wallet.balance().is_negative());
        assert_eq!(wallet.version() as usize, ledger.len());
        let deltas: Vec<i64> = ledger.iter().map(|entry| entry.delta.minor()).collect();
        assert_eq!(deltas, model.deltas);
        let mut balance = model.opening;
        for (sequence, entry) in (1..).zip(ledger) {
            assert_eq!(
                (entry.sequence, entry.user_id, entry.balance_before.minor()),
                (sequence, USER, balance)
            );
            balance += entry.delta.minor();
            assert_eq!(entry.balance_after.minor(), balance);
        }
        assert_eq!(wallet.balance().minor(), balance);
    }
}

prop_state_machine! {
    #[test]
    fn a_wallet_does_what_its_numbers_say(sequential 1..=60 => Kept);
}
