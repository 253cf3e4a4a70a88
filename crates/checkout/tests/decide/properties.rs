//! What holds for all shops and all orders.

use std::collections::{BTreeMap, BTreeSet};

use checkout::{ChangeSet, OrderCommand};
use coupon::{Benefit, UserCoupon, UserCouponStatus};
use kernel::{EventId, Money, OrderId, ProductId};
use order::{Order, OrderStatus};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::shop::{CountingIds, Shop, at, code, command, product_id, terms};

/// An order to be, with numbers in place of ids.
#[derive(Clone, Debug)]
struct Draft {
    user: u8,
    items: Vec<(u8, u32)>,
    /// How far the expected amount is from the one at hand; `None` expects nothing.
    expected_off_by: Option<i64>,
    /// The number of a coupon; nobody has number 2.
    coupon: Option<u8>,
    /// An order of the items other than the one in which they are listed.
    shuffle: Vec<u32>,
}

#[derive(Clone, Debug)]
enum Step {
    Orders(Vec<Draft>),
    Charge(u8, Money),
}

prop_compose! {
    /// Four products, some of them not for sale, and up to four wallets.
    fn a_shop()(
        products in prop::collection::vec((0..=600_000_i64, 0..=20_u32, prop::bool::weighted(0.95)), 4),
        wallets in prop::collection::vec(prop::option::weighted(0.95, 0..=10_000_000_i64), 4),
        coupons in prop::collection::vec(prop::option::weighted(0.7, 0..2_u8), 4),
    ) -> Shop {
        let mut shop = Shop::default();
        for (number, (price, stock, for_sale)) in (0..).zip(products) {
            shop = shop.with_product(number, Money::from_minor(price).unwrap(), stock);
            if !for_sale {
                shop = shop.without_sale_of(number);
            }
        }
        for (number, balance) in (0..).zip(wallets) {
            if let Some(balance) = balance {
                shop = shop.with_wallet(number, Money::from_minor(balance).unwrap());
            }
        }
        let benefits = [("PERCENT", "12.5"), ("FIXED", "3000.01")];
        for (user, coupon) in (0..).zip(coupons) {
            if let Some(number) = coupon {
                let (kind, value) = benefits[usize::from(number)];
                let benefit = Benefit::new(kind, value.parse().unwrap()).unwrap().unwrap();
                shop = shop.with_coupon(user, number, terms(number, benefit));
            }
        }
        shop
    }
}

prop_compose! {
    /// An order that may list a product twice, or one that does not exist.
    fn a_draft()(
        user in 0..4_u8,
        items in prop::collection::vec((prop_oneof![40 => 0..4_u8, 1 => Just(9)], 1..=4_u32), 1..=4),
        expected_off_by in prop_oneof![4 => Just(None), 2 => Just(Some(0)), 1 => (-1..=1_i64).prop_map(Some)],
        coupon in prop::option::weighted(0.3, prop_oneof![5 => 0..2_u8, 1 => Just(2)]),
        shuffle in prop::collection::vec(any::<u32>(), 4),
    ) -> Draft {
        Draft { user, items, expected_off_by, coupon, shuffle }
    }
}

fn drafts() -> impl Strategy<Value = Vec<Draft>> {
    prop::collection::vec(a_draft(), 1..=8)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let charge = (0..4_u8, 100_000..=100_000_000_i64)
        .prop_map(|(user, minor)| Step::Charge(user, Money::from_minor(minor).unwrap()));
    prop::collection::vec(prop_oneof![3 => drafts().prop_map(Step::Orders), 1 => charge], 1..=8)
}

/// Turns drafts into orders that are numbered from `first`.
fn commands(shop: &Shop, first: usize, drafts: &[Draft]) -> Vec<OrderCommand> {
    let expected = |draft: &Draft| {
        let price = |number| shop.products.get(&product_id(number)).map_or(Money::ZERO, |found| found.price);
        let sum: Option<Money> =
            draft.items.iter().map(|(number, quantity)| price(*number).checked_mul(*quantity).unwrap()).sum();
        Some(Money::from_minor(sum?.minor() + draft.expected_off_by?).unwrap())
    };
    (first..)
        .zip(drafts)
        .map(|(number, draft)| OrderCommand {
            expected_amount: expected(draft),
            coupon_code: draft.coupon.map(code),
            ..command(number, draft.user, &draft.items)
        })
        .collect()
}

fn is_used_by(piece: &UserCoupon, order: OrderId) -> bool {
    matches!(piece.status, UserCouponStatus::Used { order_id, .. } if order_id == order)
}

fn quantities(orders: &[Order]) -> BTreeMap<ProductId, i64> {
    let mut sums = BTreeMap::new();
    for line in orders.iter().flat_map(|order| &order.lines) {
        *sums.entry(line.product_id).or_default() += i64::from(line.quantity);
    }
    sums
}

/// Changes without the ids of their events, which say nothing.
fn without_event_ids(mut changes: ChangeSet) -> ChangeSet {
    for event in &mut changes.events {
        event.id = EventId::from_uuid(Uuid::nil());
    }
    changes
}

/// The orders that a set of changes names, kind by kind.
fn orders_named_in(changes: &ChangeSet) -> [BTreeSet<OrderId>; 6] {
    let moved = changes.stock.iter().filter_map(|movement| match movement.cause {
        product::StockCause::Ordered(order) => Some(order),
        _ => None,
    });
    [
        changes.points.iter().filter_map(|entry| entry.cause.order_id()).collect(),
        moved.collect(),
        changes.orders.iter().map(|order| order.id).collect(),
        changes.history.iter().map(|change| change.order_id).collect(),
        changes.payments.iter().map(|payment| payment.order_id).collect(),
        changes.events.iter().map(|event| OrderId::from_uuid(event.aggregate_id)).collect(),
    ]
}

proptest! {
    /// The store of [`Shop`] refuses stock and balances below zero and ledgers with gaps.
    #[test]
    fn neither_money_nor_stock_appears_or_is_lost(mut shop in a_shop(), steps in steps()) {
        let ids = CountingIds::default();
        let (stock, mut money) = (shop.stock(), shop.money());
        let mut sold: BTreeMap<ProductId, i64> = BTreeMap::new();
        let mut placed = 0;
        for step in steps {
            match step {
                Step::Charge(user, amount) => {
                    shop.charge(user, amount);
                    money = money.checked_add(amount).unwrap();
                }
                Step::Orders(drafts) => {
                    let commands = commands(&shop, placed, &drafts);
                    placed += drafts.len();
                    let decision = shop.place(&commands, &ids);
                    let orders = &decision.changes.orders;
                    for (product, quantity) in quantities(orders) {
                        *sold.entry(product).or_default() += quantity;
                    }
                    for order in orders {
                        money = money.checked_sub(order.paid).unwrap();
                    }
                }
            }
            prop_assert_eq!(shop.money(), money);
            for (product, left) in shop.stock() {
                prop_assert!(left >= 0);
                prop_assert_eq!(left + sold.get(&product).copied().unwrap_or(0), stock[&product]);
            }
        }
    }

    #[test]
    fn a_basket_may_list_its_products_in_any_order(shop in a_shop(), drafts in drafts()) {
        let (mut listed, mut shuffled) = (shop.clone(), shop.clone());
        let decision = listed.place(&commands(&shop, 0, &drafts), &CountingIds::default());
        let drafts: Vec<Draft> = drafts
            .into_iter()
            .map(|mut draft| {
                let mut items: Vec<_> = draft.items.into_iter().zip(&draft.shuffle).collect();
                items.sort_by_key(|(_, place)| **place);
                draft.items = items.into_iter().map(|(item, _)| item).collect();
                draft
            })
            .collect();
        let other = shuffled.place(&commands(&shop, 0, &drafts), &CountingIds::default());

        for (one, two) in decision.outcomes.iter().zip(&other.outcomes) {
            prop_assert_eq!(one.is_ok(), two.is_ok());
            if let (Ok(one), Ok(two)) = (one, two) {
                let sums = |order: &Order| (order.total, order.discount, order.paid);
                prop_assert_eq!(sums(&one.order), sums(&two.order));
                prop_assert_eq!(one.balance, two.balance);
                let lines = |order: &Order| {
                    let mut lines = order.lines.clone();
                    lines.sort_by_key(|line| line.product_id);
                    // Which of two lines gets the odd hundredth of a discount depends on their order.
                    for line in &mut lines {
                        line.discount = Money::ZERO;
                    }
                    lines
                };
                prop_assert_eq!(lines(&one.order), lines(&two.order));
            }
        }
        let movements = |changes: &ChangeSet| {
            let mut movements = changes.stock.clone();
            movements.sort_by_key(|movement| (movement.product_id, movement.sequence));
            movements
        };
        let (changes, other) = (decision.changes, other.changes);
        prop_assert_eq!(movements(&changes), movements(&other));
        prop_assert_eq!(changes.points, other.points);
        prop_assert_eq!(changes.history, other.history);
        prop_assert_eq!(changes.payments, other.payments);
        prop_assert_eq!(changes.sales, other.sales);
        prop_assert_eq!(listed, shuffled);
    }

    #[test]
    fn one_batch_decides_as_several_do(shop in a_shop(), drafts in drafts(), size in 1..=8_usize) {
        let commands = commands(&shop, 0, &drafts);
        let (mut at_once, mut in_parts) = (shop.clone(), shop.clone());
        let whole = at_once.place(&commands, &CountingIds::default());
        let ids = CountingIds::default();
        let mut outcomes = Vec::new();
        let mut changes = ChangeSet::default();
        let mut sales: BTreeMap<_, (u32, Money)> = BTreeMap::new();
        for part in commands.chunks(size) {
            let decision = in_parts.place(part, &ids);
            outcomes.extend(decision.outcomes);
            changes.stock.extend(decision.changes.stock);
            changes.coupons.extend(decision.changes.coupons);
            changes.points.extend(decision.changes.points);
            changes.orders.extend(decision.changes.orders);
            changes.history.extend(decision.changes.history);
            changes.payments.extend(decision.changes.payments);
            changes.events.extend(decision.changes.events);
            for sale in decision.changes.sales {
                let (quantity, amount) = sales.entry((sale.product_id, sale.day)).or_default();
                *quantity += sale.quantity;
                *amount = amount.checked_add(sale.amount).unwrap();
            }
        }
        prop_assert_eq!(whole.outcomes, outcomes);
        let added_up: BTreeMap<_, _> = whole
            .changes
            .sales
            .iter()
            .map(|sale| ((sale.product_id, sale.day), (sale.quantity, sale.amount)))
            .collect();
        prop_assert_eq!(added_up, sales);
        prop_assert_eq!(ChangeSet { sales: Vec::new(), ..whole.changes }, changes);
        prop_assert_eq!(at_once, in_parts);
    }

    #[test]
    fn a_rejected_order_leaves_no_trace(shop in a_shop(), drafts in drafts()) {
        let commands = commands(&shop, 0, &drafts);
        let (mut with, mut without) = (shop.clone(), shop.clone());
        let all = with.place(&commands, &CountingIds::default());
        let accepted: Vec<OrderCommand> = commands
            .iter()
            .zip(&all.outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|(command, _)| command.clone())
            .collect();
        let ids: BTreeSet<OrderId> = accepted.iter().map(|command| command.order_id).collect();
        let free = all.changes.orders.iter().filter(|order| order.paid == Money::ZERO);
        let free: BTreeSet<OrderId> = free.map(|order| order.id).collect();
        let [points, everywhere @ ..] = orders_named_in(&all.changes);
        prop_assert_eq!(points, &ids - &free);
        for named in everywhere {
            prop_assert_eq!(&named, &ids);
        }
        let alone = without.place(&accepted, &CountingIds::default());
        let receipts: Vec<_> = all.outcomes.into_iter().flatten().map(Ok).collect();
        prop_assert_eq!(receipts, alone.outcomes);
        prop_assert_eq!(without_event_ids(all.changes), without_event_ids(alone.changes));
        prop_assert_eq!(with, without);
    }

    #[test]
    fn what_is_stored_of_an_order_fits_together(mut shop in a_shop(), drafts in drafts()) {
        let commands = commands(&shop, 0, &drafts);
        let decision = shop.place(&commands, &CountingIds::default());
        let changes = decision.changes;
        let receipts: Vec<Order> =
            decision.outcomes.into_iter().flatten().map(|receipt| receipt.order).collect();
        prop_assert_eq!(&receipts, &changes.orders);
        for order in &changes.orders {
            prop_assert_eq!(Order::restore((**order).clone()).unwrap(), order.clone());
            prop_assert_eq!(order.status, OrderStatus::Paid);
            let history: Vec<_> =
                changes.history.iter().filter(|change| change.order_id == order.id).collect();
            let steps: Vec<_> = history.iter().map(|change| (change.sequence, change.from, change.to)).collect();
            prop_assert_eq!(
                steps,
                [(1, None, OrderStatus::Pending), (2, Some(OrderStatus::Pending), OrderStatus::Paid)]
            );
            prop_assert_eq!(order.version, 2);
            let events: Vec<_> = changes
                .events
                .iter()
                .filter(|event| event.aggregate_id == order.id.as_uuid())
                .map(|event| (event.sequence, event.event_type.as_str(), event.aggregate_type.as_str()))
                .collect();
            prop_assert_eq!(events, [(1, "OrderPlaced", "order"), (2, "OrderPaid", "order")]);
            let paid: Vec<_> = changes.payments.iter().filter(|paid| paid.order_id == order.id).collect();
            prop_assert_eq!(paid.len(), 1);
            prop_assert_eq!((paid[0].point_amount, paid[0].user_id), (order.paid, order.user_id));
            prop_assert_eq!(paid[0].card_amount, Money::ZERO);
            let entries: Vec<_> =
                changes.points.iter().filter(|entry| entry.cause.order_id() == Some(order.id)).collect();
            let deltas: Vec<_> = entries.iter().map(|entry| (entry.delta, entry.user_id)).collect();
            let free = order.paid == Money::ZERO;
            let expected = if free { vec![] } else { vec![(order.paid.negated(), order.user_id)] };
            prop_assert_eq!(deltas, expected, "nothing moves for an order that comes to nothing");
            let used: Vec<_> = changes.coupons.iter().filter(|piece| is_used_by(piece, order.id)).collect();
            let applied: Vec<_> = order.coupon.iter().map(|coupon| coupon.user_coupon_id).collect();
            prop_assert_eq!(used.iter().map(|piece| piece.id).collect::<Vec<_>>(), applied);
            prop_assert!(used.iter().all(|piece| piece.user_id == order.user_id));
        }
        let pieces: BTreeSet<_> = changes.coupons.iter().map(|piece| piece.id).collect();
        prop_assert_eq!(pieces.len(), changes.coupons.len(), "no piece is used twice");
        let ids: BTreeSet<_> = changes.events.iter().map(|event| event.id).collect();
        prop_assert_eq!(ids.len(), changes.events.len());
    }

    #[test]
    fn daily_sales_are_the_sum_of_the_lines(mut shop in a_shop(), drafts in drafts()) {
        let commands = commands(&shop, 0, &drafts);
        let changes = shop.place(&commands, &CountingIds::default()).changes;
        let mut sums: BTreeMap<ProductId, (u32, Money)> = BTreeMap::new();
        for line in changes.orders.iter().flat_map(|order| &order.lines) {
            let (quantity, amount) = sums.entry(line.product_id).or_default();
            *quantity += line.quantity;
            *amount = amount.checked_add(line.subtotal).unwrap();
        }
        let day = at().zone.day(at().now);
        let sales: Vec<_> = changes
            .sales
            .iter()
            .map(|sale| (sale.product_id, sale.day, sale.quantity, sale.amount))
            .collect();
        let expected: Vec<_> =
            sums.into_iter().map(|(product, (quantity, amount))| (product, day, quantity, amount)).collect();
        prop_assert_eq!(sales, expected);
    }
}

/// Guards the properties against saying nothing.
#[test]
fn the_orders_that_are_tried_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..300 {
        let mut shop = a_shop().new_tree(&mut runner).unwrap().current();
        let drafts = drafts().new_tree(&mut runner).unwrap().current();
        let commands = commands(&shop, 0, &drafts);
        for outcome in shop.place(&commands, &CountingIds::default()).outcomes {
            let kind = match outcome {
                Err(rejection) => kernel::DomainError::code(&rejection),
                Ok(receipt) if receipt.order.coupon.is_some() => "accepted with a coupon",
                Ok(_) => "accepted",
            };
            *seen.entry(kind).or_default() += 1;
        }
    }
    let total: u32 = seen.values().sum();
    for (kind, share) in [
        ("accepted", 25),
        ("OUT_OF_STOCK", 10),
        ("INSUFFICIENT_BALANCE", 5),
        ("NOT_FOUND", 3),
        ("CONFLICT", 1),
        ("COUPON_INVALID", 1),
        ("accepted with a coupon", 1),
    ] {
        let often = seen.get(kind).copied().unwrap_or(0);
        assert!(often * 100 >= total * share, "{kind}: {often} of {total}, {seen:?}");
    }
}
