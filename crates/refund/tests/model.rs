//! Refunds of a payment beside a model of its pieces: who asks for what, when, and what becomes of it.

#![cfg(test)]

use std::collections::BTreeMap;

use kernel::{Money, OrderId, PaymentId, ProductId, RefundId, Timestamp, UserId};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use refund::{PaidLine, Refund, RefundError, RefundReason, RefundRequest, RefundStatus, Refundable};
use uuid::Uuid;

const PAYMENT: PaymentId = PaymentId::from_uuid(Uuid::from_u128(1));
const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(2));
const USER: UserId = UserId::from_uuid(Uuid::from_u128(3));
/// For how many hours a payment can be refunded.
const WINDOW: i64 = 7 * 24;

#[derive(Clone, Debug)]
enum Step {
    /// The buyer wants pieces of some lines back; a number beyond the lines is another product.
    Ask(Vec<(usize, u32)>),
    /// The buyer wants everything back that is left.
    AskAll,
    /// The gateway gives the money of a refund back, or says that it never will.
    Settle(usize, bool),
    /// Hours go by.
    Wait(i64),
}

/// What has to come of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done { full: bool },
    AllBack,
    TooLate,
    NotInOrder(usize),
    TooMany { line: usize, requested: u32, left: u32 },
    Settled,
}

/// A refund of the model: its pieces of each line, and whether it succeeded once it is settled.
#[derive(Clone, Debug)]
struct Asked {
    pieces: BTreeMap<usize, u32>,
    succeeded: Option<bool>,
}

/// The model: pieces and hours, no amounts beyond those that were paid.
#[derive(Clone, Debug)]
struct Pieces {
    /// Pieces and hundredths of each line.
    lines: Vec<(u32, i64)>,
    /// Hundredths that were paid by card.
    card: i64,
    hour: i64,
    refunds: Vec<Asked>,
    outcome: Outcome,
}

impl Pieces {
    fn left(&self, line: usize) -> u32 {
        let held = self.refunds.iter().filter(|refund| refund.succeeded != Some(false));
        let taken: u32 = held.map(|refund| refund.pieces.get(&line).copied().unwrap_or(0)).sum();
        self.lines[line].0 - taken
    }

    fn all_left(&self) -> BTreeMap<usize, u32> {
        let left = (0..self.lines.len()).map(|line| (line, self.left(line)));
        left.filter(|(_, pieces)| *pieces > 0).collect()
    }

    fn ask(&mut self, items: Option<&[(usize, u32)]>) -> Outcome {
        let left = self.all_left();
        if left.is_empty() {
            return Outcome::AllBack;
        }
        if self.hour > WINDOW {
            return Outcome::TooLate;
        }
        let mut pieces = BTreeMap::new();
        for (line, count) in items.unwrap_or_default() {
            *pieces.entry(*line).or_default() += count;
        }
        for (line, _) in items.unwrap_or_default() {
            if *line >= self.lines.len() {
                return Outcome::NotInOrder(*line);
            }
            let (requested, left) = (pieces[line], self.left(*line));
            if requested > left {
                return Outcome::TooMany { line: *line, requested, left };
            }
        }
        let pieces = if items.is_none() { left.clone() } else { pieces };
        let full = pieces == left;
        self.refunds.push(Asked { pieces, succeeded: None });
        Outcome::Done { full }
    }
}

impl ReferenceStateMachine for Pieces {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let line = (1..=6_u32, prop_oneof![0..=30_i64, 0..=10_000_000_i64]);
        (prop::collection::vec(line, 1..=4), 0..=100_i64)
            .prop_map(|(lines, percent)| {
                let total: i64 = lines.iter().map(|(_, net)| net).sum();
                let outcome = Outcome::Done { full: false };
                Self { lines, card: total * percent / 100, hour: 0, refunds: Vec::new(), outcome }
            })
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let (lines, refunds) = (state.lines.len(), state.refunds.len());
        let item = (prop_oneof![9 => 0..lines, 1 => Just(lines)], 1..=3_u32);
        let mut steps = vec![
            (8, prop::collection::vec(item, 1..=3).prop_map(Step::Ask).boxed()),
            (1, Just(Step::AskAll).boxed()),
            (1, (1..=WINDOW / 4).prop_map(Step::Wait).boxed()),
        ];
        if refunds > 0 {
            let settled = (0..refunds, any::<bool>()).prop_map(|(refund, back)| Step::Settle(refund, back));
            steps.push((6, settled.boxed()));
        }
        prop::strategy::Union::new_weighted(steps).boxed()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        !matches!(step, Step::Settle(refund, _) if *refund >= state.refunds.len())
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.outcome = match step {
            Step::Ask(items) => state.ask(Some(items)),
            Step::AskAll => state.ask(None),
            Step::Settle(refund, back) => {
                let settled = &mut state.refunds[*refund].succeeded;
                let before = *settled;
                *settled = before.or(Some(*back));
                if before.is_some() { Outcome::Settled } else { Outcome::Done { full: false } }
            }
            Step::Wait(hours) => {
                state.hour += hours;
                Outcome::Done { full: false }
            }
        };
        state
    }
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_timestamp(1_772_334_000 + hour * 3_600, 0).unwrap()
}

fn product(line: usize) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(line as u128))
}

fn id(number: usize) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number as u128))
}

fn minor(hundredths: i64) -> Money {
    Money::from_minor(hundredths).unwrap()
}

/// The refunds of the payment, as they would be stored.
struct Kept(Vec<Refund>);

impl Kept {
    /// The payment with what has been given back of it; that it can be made is a check of its own.
    fn refundable(&self, model: &Pieces) -> Refundable {
        let lines = model.lines.iter().enumerate().map(|(line, (quantity, net))| PaidLine {
            product_id: product(line),
            quantity: *quantity,
            net: minor(*net),
        });
        let total: i64 = model.lines.iter().map(|(_, net)| net).sum();
        let (points, card) = (minor(total - model.card), minor(model.card));
        Refundable::new(PAYMENT, points, card, at(0), lines.collect(), &self.0).unwrap()
    }

    fn ask(&mut self, model: &Pieces, request: &RefundRequest) -> Outcome {
        let planned = self.refundable(model).plan(request, at(model.hour));
        let plan = match planned {
            Ok(plan) => plan,
            Err(RefundError::AlreadyRefunded(PAYMENT)) => return Outcome::AllBack,
            Err(RefundError::WindowClosed { last }) => {
                assert_eq!(last, at(WINDOW));
                return Outcome::TooLate;
            }
            Err(RefundError::NotInOrder(other)) => {
                assert_eq!(other, product(model.lines.len()));
                return Outcome::NotInOrder(model.lines.len());
            }
            Err(RefundError::TooMany { product_id, requested, refundable }) => {
                let line = (0..model.lines.len()).find(|line| product(*line) == product_id).unwrap();
                return Outcome::TooMany { line, requested, left: refundable };
            }
            Err(other) => panic!("{other}"),
        };
        let full = plan.full;
        let reason = RefundReason::new("a reason").unwrap();
        let refund = Refund::begin(id(self.0.len()), (ORDER, USER), plan, reason, Some(USER), at(model.hour));
        self.0.push(refund);
        Outcome::Done { full }
    }

    fn counted(&self) -> impl Iterator<Item = &Refund> {
        self.0.iter().filter(|refund| refund.status != RefundStatus::Failed)
    }
}

impl StateMachineTest for Kept {
    type SystemUnderTest = Self;
    type Reference = Pieces;

    fn init_test(_: &Pieces) -> Self {
        Self(Vec::new())
    }

    fn apply(mut kept: Self, model: &Pieces, step: Step) -> Self {
        let before = kept.0.clone();
        let outcome = match step {
            Step::Ask(items) => {
                let items = items.iter().map(|(line, count)| (product(*line), *count)).collect();
                kept.ask(model, &RefundRequest::new(Some(items)).unwrap())
            }
            Step::AskAll => kept.ask(model, &RefundRequest::All),
            Step::Settle(number, back) => {
                let (refund, now) = (&mut kept.0[number], at(model.hour));
                match if back { refund.succeed(now) } else { refund.fail(now) } {
                    Ok(()) => Outcome::Done { full: false },
                    Err(error) => {
                        assert_eq!(error, RefundError::Settled(id(number)));
                        Outcome::Settled
                    }
                }
            }
            Step::Wait(_) => Outcome::Done { full: false },
        };
        assert_eq!(outcome, model.outcome);
        if !matches!(outcome, Outcome::Done { .. }) {
            assert_eq!(kept.0, before, "a refusal changes nothing");
        }
        kept
    }

    fn check_invariants(kept: &Self, model: &Pieces) {
        assert_eq!(kept.0.len(), model.refunds.len());
        for (refund, asked) in kept.0.iter().zip(&model.refunds) {
            let expected = match asked.succeeded {
                None => RefundStatus::Pending,
                Some(true) => RefundStatus::Success,
                Some(false) => RefundStatus::Failed,
            };
            assert_eq!((refund.status, refund.is_reversal()), (expected, false));
            assert_eq!(refund.settled_at.is_some(), asked.succeeded.is_some());
            let pieces: Vec<_> = refund.items.iter().map(|item| (item.product_id, item.quantity)).collect();
            let expected = asked.pieces.iter().map(|(line, count)| (product(*line), *count));
            assert!(pieces.into_iter().eq(expected), "{refund:?} of {asked:?}");
            assert_eq!(Refund::restore((**refund).clone()).as_ref(), Ok(refund));
        }
        // Neither a line nor a tender gives back more than was paid, and all of it once the last piece is back.
        let exhausted = kept.refundable(model).is_exhausted();
        assert_eq!(exhausted, model.all_left().is_empty());
        let within = |given: i64, paid: i64, all: bool| {
            assert!(given <= paid && (!all || given == paid), "{given} of {paid}");
        };
        for (line, (_, net)) in model.lines.iter().enumerate() {
            let items = kept.counted().flat_map(|refund| &refund.items);
            let given = items.filter(|item| item.product_id == product(line));
            within(given.map(|item| item.amount.minor()).sum(), *net, model.left(line) == 0);
        }
        let total: i64 = model.lines.iter().map(|(_, net)| net).sum();
        let points = kept.counted().map(|refund| refund.point_amount.minor()).sum();
        within(points, total - model.card, exhausted);
        within(kept.counted().map(|refund| refund.card_amount.minor()).sum(), model.card, exhausted);
    }
}

prop_state_machine! {
    #[test]
    fn a_payment_gives_back_its_pieces_and_no_more(sequential 1..=40 => Kept);
}
