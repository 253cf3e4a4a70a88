//! One example for each answer.

use checkout::{Decision, OrderCommand, Receipt, Rejection};
use kernel::{DomainError, ErrorKind, Money};
use order::OrderError;
use point::PointError;
use product::{ProductError, StockCause};
use serde_json::json;

use crate::shop::{CountingIds, Shop, at, command, order_id, payment_id, product_id, user_id};

/// Two products, 100 pieces at 10,000.00 and 3 at 5,000.00, and a user with 100,000.00.
fn shop() -> Shop {
    Shop::default()
        .with_product(1, Money::won(10_000), 100)
        .with_product(2, Money::won(5_000), 3)
        .with_wallet(1, Money::won(100_000))
}

fn place(shop: &mut Shop, commands: &[OrderCommand]) -> Decision {
    shop.place(commands, &CountingIds::default())
}

fn only(shop: &mut Shop, command: OrderCommand) -> Result<Receipt, Rejection> {
    let before = shop.clone();
    let mut decision = place(shop, &[command]);
    assert_eq!(decision.outcomes.len(), 1);
    let outcome = decision.outcomes.remove(0);
    if outcome.is_err() {
        assert!(decision.changes.is_empty());
        assert_eq!(decision.changes, checkout::ChangeSet::default());
        assert_eq!(*shop, before);
    }
    outcome
}

fn rejection(shop: &mut Shop, command: OrderCommand) -> Rejection {
    only(shop, command).unwrap_err()
}

/// The facts that go with a rejection, as JSON texts.
fn details(rejection: &Rejection) -> Vec<(&'static str, String)> {
    rejection.details().into_iter().map(|(name, value)| (name, value.get().to_owned())).collect()
}

#[test]
fn an_order_takes_stock_and_money_and_is_paid() {
    let mut shop = shop();
    let receipt = only(&mut shop, command(7, 1, &[(2, 1), (1, 2)])).unwrap();
    let order = receipt.order;
    assert_eq!((order.id, order.user_id), (order_id(7), user_id(1)));
    assert_eq!(
        (order.total, order.discount, order.paid),
        (Money::won(25_000), Money::ZERO, Money::won(25_000))
    );
    let lines: Vec<_> = order.lines.iter().map(|line| (line.product_id, line.quantity)).collect();
    assert_eq!(lines, [(product_id(2), 1), (product_id(1), 2)]);
    assert_eq!(order.lines[0].name, "product 2");
    assert_eq!(receipt.balance, Money::won(75_000));
    assert_eq!((shop.product(1).stock, shop.product(2).stock), (98, 2));
    assert_eq!(shop.money(), Money::won(75_000));
}

#[test]
fn what_is_stored_names_the_order_and_its_payment() {
    let changes = place(&mut shop(), &[command(7, 1, &[(1, 2)])]).changes;
    assert_eq!(changes.stock[0].cause, StockCause::Ordered(order_id(7)));
    assert_eq!(changes.points[0].cause.order_id(), Some(order_id(7)));
    assert_eq!((changes.payments[0].id, changes.payments[0].order_id), (payment_id(7), order_id(7)));
    let placed: serde_json::Value = serde_json::from_str(&changes.events[0].data).unwrap();
    assert_eq!(placed["items"][0]["productId"], json!(product_id(1)));
    assert!(changes.events[0].data.contains("\"totalAmount\":20000.00"), "{}", changes.events[0].data);
    assert!(changes.events[1].data.contains("\"paidAmount\":20000.00"), "{}", changes.events[1].data);
    let paid: serde_json::Value = serde_json::from_str(&changes.events[1].data).unwrap();
    assert_eq!(paid["paymentId"], json!(payment_id(7)));
    // 00:30 of the 10th in Seoul, 15:30 of the 9th in UTC.
    assert_eq!(changes.sales[0].day.to_string(), "2025-11-10");
}

#[test]
fn an_order_for_more_than_there_is_names_the_product() {
    let rejection = rejection(&mut shop(), command(7, 1, &[(1, 1), (2, 4)]));
    let expected = ProductError::OutOfStock { product_id: product_id(2), requested: 4, available: 3 };
    assert_eq!(rejection, Rejection::Product(expected));
    assert_eq!((rejection.code(), rejection.kind()), ("OUT_OF_STOCK", ErrorKind::Conflict));
    let product = format!("\"{}\"", product_id(2));
    let facts = [("available", "3".into()), ("productId", product), ("requested", "4".into())];
    assert_eq!(details(&rejection), facts);
}

#[test]
fn the_last_pieces_go_to_the_first_order_of_a_batch() {
    let mut shop = shop();
    let batch = [command(1, 1, &[(2, 2)]), command(2, 1, &[(2, 2)]), command(3, 1, &[(2, 1)])];
    let outcomes = place(&mut shop, &batch).outcomes;
    assert!(outcomes[0].is_ok());
    let expected = ProductError::OutOfStock { product_id: product_id(2), requested: 2, available: 1 };
    assert_eq!(outcomes[1], Err(Rejection::Product(expected)));
    assert!(outcomes[2].is_ok());
    assert_eq!(shop.product(2).stock, 0);
}

#[test]
fn a_later_order_of_a_batch_pays_from_what_an_earlier_one_has_left() {
    let mut shop = shop();
    let batch = [command(1, 1, &[(1, 9)]), command(2, 1, &[(1, 2)]), command(3, 1, &[(1, 1)])];
    let outcomes = place(&mut shop, &batch).outcomes;
    let balances: Vec<_> =
        outcomes.into_iter().map(|outcome| outcome.map(|receipt| receipt.balance)).collect();
    let short = PointError::InsufficientBalance { required: Money::won(20_000), balance: Money::won(10_000) };
    assert_eq!(balances, [Ok(Money::won(10_000)), Err(Rejection::Point(short)), Ok(Money::ZERO)]);
}

#[test]
fn a_balance_that_does_not_cover_the_order_is_told() {
    let mut shop = shop().with_wallet(1, Money::from_minor(999_999).unwrap());
    let rejection = rejection(&mut shop, command(7, 1, &[(1, 1)]));
    assert_eq!((rejection.code(), rejection.kind()), ("INSUFFICIENT_BALANCE", ErrorKind::Conflict));
    assert_eq!(details(&rejection), [("balance", "9999.99".into()), ("required", "10000.00".into())]);
}

#[test]
fn a_user_who_never_charged_has_nothing_to_pay_with() {
    let rejection = rejection(&mut shop(), command(7, 2, &[(1, 1)]));
    let expected = PointError::InsufficientBalance { required: Money::won(10_000), balance: Money::ZERO };
    assert_eq!(rejection, Rejection::Point(expected));
}

#[test]
fn an_order_below_the_minimum_is_refused_and_one_at_the_minimum_is_not() {
    let mut shop = shop().with_product(3, Money::from_minor(99_999).unwrap(), 10).with_product(
        4,
        Money::from_minor(1).unwrap(),
        10,
    );
    let rejection = rejection(&mut shop, command(7, 1, &[(3, 1)]));
    assert_eq!((rejection.code(), rejection.kind()), ("AMOUNT_BELOW_MINIMUM", ErrorKind::Invalid));
    assert_eq!(details(&rejection), [("amount", "999.99".into()), ("minimum", "1000.00".into())]);
    assert!(only(&mut shop, command(8, 1, &[(3, 1), (4, 1)])).is_ok());
}

#[test]
fn another_amount_than_the_expected_one_is_refused_with_the_new_one() {
    let mut shop = shop();
    let expecting = |won| OrderCommand { expected_amount: Some(Money::won(won)), ..command(7, 1, &[(1, 2)]) };
    let refused = rejection(&mut shop, expecting(19_900));
    let expected = OrderError::AmountChanged { expected: Money::won(19_900), actual: Money::won(20_000) };
    assert_eq!(refused, Rejection::Order(expected));
    assert_eq!((refused.code(), refused.kind()), ("CONFLICT", ErrorKind::Conflict));
    assert_eq!(details(&refused), [("amount", "20000.00".into()), ("expectedAmount", "19900.00".into())]);
    assert!(only(&mut shop, expecting(20_000)).is_ok());
}

#[test]
fn a_product_that_does_not_exist_cannot_be_ordered() {
    let rejection = rejection(&mut shop(), command(7, 1, &[(1, 1), (9, 1)]));
    assert_eq!(rejection, Rejection::Product(ProductError::NotFound(product_id(9))));
    assert_eq!((rejection.code(), rejection.kind()), ("NOT_FOUND", ErrorKind::NotFound));
}

#[test]
fn a_product_that_is_not_for_sale_is_as_good_as_none() {
    let rejection = rejection(&mut shop().without_sale_of(2), command(7, 1, &[(2, 1)]));
    assert_eq!(rejection, Rejection::Product(ProductError::NotFound(product_id(2))));
}

#[test]
fn a_product_named_twice_is_one_line_and_one_movement() {
    let mut shop = shop();
    let decision = place(&mut shop, &[command(7, 1, &[(1, 2), (2, 1), (1, 3)])]);
    let order = &decision.changes.orders[0];
    let lines: Vec<_> =
        order.lines.iter().map(|line| (line.product_id, line.quantity, line.subtotal)).collect();
    assert_eq!(lines, [(product_id(1), 5, Money::won(50_000)), (product_id(2), 1, Money::won(5_000))]);
    let deltas: Vec<_> = decision.changes.stock.iter().map(|moved| (moved.product_id, moved.delta)).collect();
    assert_eq!(deltas, [(product_id(1), -5), (product_id(2), -1)]);
    assert_eq!(shop.product(1).stock, 95);
}

#[test]
fn an_amount_beyond_what_can_be_represented_is_refused() {
    let mut shop = shop().with_product(3, Money::MAX, 10).with_wallet(1, Money::MAX);
    assert_eq!(rejection(&mut shop, command(7, 1, &[(3, 2)])), Rejection::Order(OrderError::TooLarge));
    assert_eq!(
        rejection(&mut shop, command(7, 1, &[(3, 1), (1, 1)])),
        Rejection::Order(OrderError::TooLarge)
    );
    assert_eq!(only(&mut shop, command(8, 1, &[(3, 1)])).unwrap().balance, Money::ZERO);
}

#[test]
fn events_carry_the_trace_of_their_request() {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap();
    let first = OrderCommand { trace: Some(trace), ..command(7, 1, &[(1, 1)]) };
    let changes = place(&mut shop(), &[first, command(8, 1, &[(1, 1)])]).changes;
    let traces: Vec<_> = changes.events.iter().map(|event| event.trace).collect();
    assert_eq!(traces, [Some(trace), Some(trace), None, None]);
    assert!(changes.events.iter().all(|event| event.occurred_at == at().now));
}

#[test]
fn no_orders_change_nothing() {
    let decision = place(&mut shop(), &[]);
    assert!(decision.outcomes.is_empty());
    assert!(decision.changes.is_empty());
}
