//! Properties of the sums: however a payment is refunded, it is refunded exactly.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::BTreeMap;

use kernel::{Money, OrderId, PaymentId, ProductId, RefundId, Timestamp, UserId};
use proptest::prelude::*;
use refund::{PaidLine, Refund, RefundReason, RefundRequest, RefundStatus, Refundable};
use uuid::Uuid;

const PAYMENT: PaymentId = PaymentId::from_uuid(Uuid::from_u128(1));
const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(2));
const USER: UserId = UserId::from_uuid(Uuid::from_u128(3));
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A payment: pieces and hundredths of each line, and the hundredths that were paid by card.
#[derive(Clone, Debug)]
struct Paid {
    lines: Vec<(u32, i64)>,
    card: i64,
}

impl Paid {
    fn total(&self) -> i64 {
        self.lines.iter().map(|(_, net)| net).sum()
    }

    fn refundable(&self, earlier: &[Refund]) -> Refundable {
        let lines = (0..)
            .zip(&self.lines)
            .map(|(number, (quantity, net))| PaidLine {
                product_id: product(number),
                quantity: *quantity,
                net: minor(*net),
            })
            .collect();
        let points = minor(self.total() - self.card);
        Refundable::new(PAYMENT, points, minor(self.card), NOW, lines, earlier).unwrap()
    }
}

fn product(number: usize) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number.try_into().unwrap()))
}

fn minor(hundredths: i64) -> Money {
    Money::from_minor(hundredths).unwrap()
}

fn any_payment() -> impl Strategy<Value = Paid> {
    // Small amounts make every rounding, large ones every overflow that there could be.
    let net =
        prop_oneof![3 => 0..=20_i64, 3 => 0..=1_000_000_i64, 1 => Just(0), 1 => 0..=100_000_000_000_000_i64];
    (prop::collection::vec((1..=12_u32, net), 1..=5), 0..=1_000_u32).prop_map(|(lines, card)| {
        let total: i128 = lines.iter().map(|(_, net)| i128::from(*net)).sum();
        let card = (total * i128::from(card) / 1_000).try_into().unwrap();
        Paid { lines, card }
    })
}

/// A step: pieces of some lines (as far as they are left), or the failure of an earlier refund.
#[derive(Clone, Debug)]
enum Step {
    Refund(Vec<(prop::sample::Index, u32)>),
    Fail(prop::sample::Index),
    Succeed(prop::sample::Index),
}

fn any_step() -> impl Strategy<Value = Step> {
    let pieces = prop::collection::vec((any::<prop::sample::Index>(), 1..=4_u32), 1..=3);
    prop_oneof![
        5 => pieces.prop_map(Step::Refund),
        2 => any::<prop::sample::Index>().prop_map(Step::Fail),
        1 => any::<prop::sample::Index>().prop_map(Step::Succeed),
    ]
}

fn begin(paid: &Paid, refunds: &[Refund], request: &RefundRequest) -> Result<Refund, TestCaseError> {
    let refundable = paid.refundable(refunds);
    let plan = refundable.plan(request, NOW).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&refundable.plan(request, NOW).unwrap(), &plan, "a preview says the same again");
    prop_assert!(!plan.point_amount.is_negative() && !plan.card_amount.is_negative());
    prop_assert!(plan.items.iter().all(|item| !item.amount.is_negative() && item.quantity > 0));
    let items: i64 = plan.items.iter().map(|item| item.amount.minor()).sum();
    prop_assert_eq!(items, plan.amount().minor());
    let id = RefundId::from_uuid(Uuid::from_u128(refunds.len().try_into().unwrap()));
    let reason = RefundReason::new("a reason").unwrap();
    let refund = Refund::begin(id, (ORDER, USER), plan.clone(), reason, Some(USER), NOW);
    prop_assert_eq!(&refund.items, &plan.items);
    prop_assert_eq!((refund.point_amount, refund.card_amount), (plan.point_amount, plan.card_amount));
    prop_assert_eq!(Refund::restore((*refund).clone()).unwrap(), refund.clone());
    let mut after = refunds.to_vec();
    after.push(refund.clone());
    prop_assert_eq!(paid.refundable(&after).is_exhausted(), plan.full);
    Ok(refund)
}

/// What counts of the refunds: pieces and hundredths of each line, and the hundredths of each tender.
fn taken(paid: &Paid, refunds: &[Refund]) -> (Vec<(u32, i64)>, i64, i64) {
    let counted = || refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
    let mut lines: BTreeMap<ProductId, (u32, i64)> = BTreeMap::new();
    for item in counted().flat_map(|refund| &refund.items) {
        let line = lines.entry(item.product_id).or_default();
        line.0 += item.quantity;
        line.1 += item.amount.minor();
    }
    let lines = (0..paid.lines.len()).map(|n| lines.get(&product(n)).copied().unwrap_or_default()).collect();
    let points = counted().map(|refund| refund.point_amount.minor()).sum();
    let card = counted().map(|refund| refund.card_amount.minor()).sum();
    (lines, points, card)
}

/// Takes a step; one that asks for more than is left asks for what is left.
fn take(paid: &Paid, refunds: &mut Vec<Refund>, step: &Step) -> Result<(), TestCaseError> {
    match step {
        Step::Refund(pieces) => {
            let (mut lines, _, _) = taken(paid, refunds);
            let mut items = Vec::new();
            for (index, quantity) in pieces {
                let number = index.index(lines.len());
                let quantity = (*quantity).min(paid.lines[number].0 - lines[number].0);
                if quantity > 0 {
                    lines[number].0 += quantity;
                    items.push((product(number), quantity));
                }
            }
            if !items.is_empty() {
                let refund = begin(paid, refunds, &RefundRequest::Items(items))?;
                refunds.push(refund);
            }
        }
        // A settled refund stays as it is.
        Step::Fail(index) if !refunds.is_empty() => {
            let at = index.index(refunds.len());
            refunds[at].fail(NOW).ok();
        }
        Step::Succeed(index) if !refunds.is_empty() => {
            let at = index.index(refunds.len());
            refunds[at].succeed(NOW).ok();
        }
        Step::Fail(_) | Step::Succeed(_) => {}
    }
    Ok(())
}

proptest! {
    #[test]
    fn however_a_payment_is_refunded_it_is_refunded_exactly(
        paid in any_payment(),
        steps in prop::collection::vec(any_step(), 0..=30),
        at_once: bool,
    ) {
        let mut refunds = Vec::new();
        for step in &steps {
            take(&paid, &mut refunds, step)?;
            let (lines, points, card) = taken(&paid, &refunds);
            for ((pieces, amount), (bought, net)) in lines.iter().zip(&paid.lines) {
                prop_assert!(pieces <= bought && amount <= net);
            }
            prop_assert!(points <= paid.total() - paid.card && card <= paid.card);
        }
        // What is left goes back at once, or piece by piece.
        if at_once && !paid.refundable(&refunds).is_exhausted() {
            let left = paid.total() - refunds.iter().filter(|it| it.status != RefundStatus::Failed)
                .map(|refund| refund.amount().minor()).sum::<i64>();
            let refund = begin(&paid, &refunds, &RefundRequest::All)?;
            prop_assert_eq!(refund.amount().minor(), left);
            refunds.push(refund);
        }
        for number in 0..paid.lines.len() {
            while taken(&paid, &refunds).0[number].0 < paid.lines[number].0 {
                let refund = begin(&paid, &refunds, &RefundRequest::Items(vec![(product(number), 1)]))?;
                refunds.push(refund);
            }
        }
        let (lines, points, card) = taken(&paid, &refunds);
        prop_assert_eq!(lines, paid.lines.clone());
        prop_assert_eq!((points, card), (paid.total() - paid.card, paid.card));
        prop_assert!(paid.refundable(&refunds).is_exhausted());
        prop_assert!(paid.refundable(&refunds).plan(&RefundRequest::All, NOW).is_err());
    }

    #[test]
    fn without_failures_each_step_is_worth_its_share(paid in any_payment()) {
        // Any prefix of the pieces of a line has given back their share of it, rounded down.
        let mut refunds = Vec::new();
        for (number, (quantity, net)) in paid.lines.iter().enumerate() {
            for pieces in 1..=*quantity {
                let refund = begin(&paid, &refunds, &RefundRequest::Items(vec![(product(number), 1)]))?;
                refunds.push(refund);
                let (lines, points, card) = taken(&paid, &refunds);
                let share = i128::from(*net) * i128::from(pieces) / i128::from(*quantity);
                prop_assert_eq!(i128::from(lines[number].1), share);
                let total = i128::from(paid.total());
                let so_far = i128::from(points + card);
                let due = (i128::from(paid.card) * so_far).checked_div(total).unwrap_or(0);
                prop_assert_eq!(i128::from(card), due);
            }
        }
    }
}
