//! Sets of orders: one transaction for all, and one for each when that fails.

use std::sync::Arc;

use checkout::{
    Answer, Checkout, IdempotencyError, IdempotencyKey, KeyedRequest, OrderCommand, PlaceOrder, Receipt,
    Rejection, Render, Reply, Resource, UseCaseError,
};
use kernel::{DomainError, Money, OrderId, PaymentId, ProductId, StoreError, UserId};
use order::Basket;
use product::ProductStatus;
use uuid::Uuid;

use crate::memory::{CommitFault, Count, Memory, Poison, checkout};

pub(crate) const RENDER: Render<Receipt> = |receipt| {
    let resource = Some(Resource::Order(receipt.order.id.as_uuid()));
    Ok(Reply { status: 201, body: format!("{{\"balance\":{}}}", receipt.balance), resource })
};

/// A shelf with ten pieces, a buyer who can pay for nine, and the use cases.
fn shop() -> (Arc<Memory>, Checkout, ProductId, UserId) {
    let memory = Arc::new(Memory::default());
    let product = memory.stock(1, Money::won(1_000), 10);
    let user = memory.fill(2, Money::won(9_000));
    let checkout = checkout(&memory);
    (memory, checkout, product, user)
}

pub(crate) fn order_id(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(1_000 + number))
}

pub(crate) fn order(number: u128, user_id: UserId, product: ProductId, quantity: u32) -> PlaceOrder {
    let command = OrderCommand {
        order_id: order_id(number),
        payment_id: PaymentId::from_uuid(Uuid::from_u128(2_000 + number)),
        user_id,
        basket: Basket::new([(product, quantity)]).unwrap(),
        terms: checkout::PaymentTerms::Points,
        cart: None,
        expected_amount: None,
        coupon_code: None,
        trace: None,
    };
    PlaceOrder { command, request: None }
}

pub(crate) fn keyed(order: PlaceOrder, key: &str) -> PlaceOrder {
    let key = IdempotencyKey::new(key).unwrap();
    let body = format!("{:?}", order.command.basket);
    let request = KeyedRequest::new(order.command.user_id, key, "POST", "/orders", &body);
    PlaceOrder { request: Some(request), ..order }
}

pub(crate) fn count(begun: u32, committed: u32, rolled_back: u32) -> Count {
    Count { begun, committed, rolled_back }
}

/// Says in a word what became of each order.
pub(crate) fn words(outcomes: &[Result<Answer, UseCaseError>]) -> Vec<&'static str> {
    let word = |outcome: &Result<Answer, UseCaseError>| match outcome {
        Ok(Answer { replayed: false, .. }) => "placed",
        Ok(Answer { replayed: true, .. }) => "replayed",
        Err(UseCaseError::Rejected(rejection)) => rejection.code(),
        Err(UseCaseError::Failed(StoreError::Contended(_))) => "contended",
        Err(UseCaseError::Failed(StoreError::Internal(_))) => "internal",
        Err(UseCaseError::Failed(StoreError::OutcomeUnknown(_))) => "unknown",
        Err(UseCaseError::Failed(StoreError::Unavailable(_))) => "unavailable",
        Err(UseCaseError::Failed(StoreError::Duplicate(_))) => "duplicate",
    };
    outcomes.iter().map(word).collect()
}

#[tokio::test(start_paused = true)]
async fn orders_that_wait_together_share_a_transaction() {
    let (memory, checkout, product, user) = shop();
    let orders = vec![
        order(1, user, product, 2),
        order(2, user, product, 20),
        order(3, user, product, 3),
        order(4, user, product, 5),
    ];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["placed", "OUT_OF_STOCK", "placed", "INSUFFICIENT_BALANCE"]);
    assert_eq!(memory.count(), count(1, 1, 0));
    let tables = memory.tables();
    assert_eq!(memory.placed(), [order_id(1), order_id(3)].into());
    assert_eq!((tables.products[&product].stock, tables.wallets[&user].balance()), (5, Money::won(4_000)));
    assert_eq!((tables.payments.len(), tables.history.len(), tables.events.len()), (2, 4, 4));
    assert_eq!((tables.sales.len(), tables.sales[0].quantity), (1, 5));
}

/// Seen to fail with the movements stored as they were decided: the ledger did not continue.
#[tokio::test(start_paused = true)]
async fn others_may_take_from_the_shelf_in_between_if_enough_is_left() {
    let (memory, checkout, product, user) = shop();
    memory.overtake(product, |state| {
        state.stock -= 4;
        state.stock_version += 2;
    });
    let orders = vec![order(1, user, product, 2), order(2, user, product, 4)];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!((words(&outcomes), memory.count()), (vec!["placed", "placed"], count(1, 1, 0)));
    let product = memory.tables().products[&product].clone();
    assert_eq!((product.stock, product.stock_version), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn where_others_have_taken_too_much_in_between_it_is_decided_anew() {
    let (memory, checkout, product, user) = shop();
    memory.overtake(product, |state| {
        state.stock -= 5;
        state.stock_version += 1;
    });
    let orders = vec![order(1, user, product, 2), order(2, user, product, 4), order(3, user, product, 3)];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(
        (words(&outcomes), memory.count()),
        (vec!["placed", "OUT_OF_STOCK", "placed"], count(2, 1, 1))
    );
    assert_eq!((memory.tables().products[&product].stock, memory.placed().len()), (0, 2));
    assert_eq!(memory.tables().wallets[&user].balance(), Money::won(4_000));
}

/// Seen to fail without the comparison of offers in `confirm`: sold at the price of before.
#[tokio::test(start_paused = true)]
async fn a_price_that_changes_in_between_is_the_one_to_pay() {
    let (memory, checkout, product, user) = shop();
    memory.overtake(product, |state| {
        state.price = Money::won(2_500);
        state.version += 1;
    });
    let outcomes = checkout.place_orders(vec![order(1, user, product, 2)], RENDER).await;
    assert_eq!((words(&outcomes), memory.count()), (vec!["placed"], count(2, 1, 1)));
    assert_eq!(memory.tables().wallets[&user].balance(), Money::won(4_000));
}

/// The third is told of the stock that the first two leave; so it must be the stock that they took from. Seen to
/// fail without that: `OUT_OF_STOCK`, of one piece that there never was alone.
#[tokio::test(start_paused = true)]
async fn who_finds_too_little_left_by_neighbours_is_told_of_the_stock_of_now() {
    let (memory, checkout, product, user) = shop();
    memory.overtake(product, |state| {
        state.stock += 10;
        state.stock_version += 1;
    });
    let orders = vec![order(1, user, product, 5), order(2, user, product, 4), order(3, user, product, 2)];
    memory.fill(2, Money::won(99_000));
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!((words(&outcomes), memory.count()), (vec!["placed", "placed", "placed"], count(2, 1, 1)));
}

/// The same for points: a charge comes in between.
#[tokio::test(start_paused = true)]
async fn who_finds_too_few_points_left_by_neighbours_is_told_of_the_balance_of_now() {
    let (memory, checkout, product, user) = shop();
    memory.overtake_wallet(user, Money::won(20_000));
    let orders = vec![order(1, user, product, 5), order(2, user, product, 4), order(3, user, product, 1)];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!((words(&outcomes), memory.count()), (vec!["placed", "placed", "placed"], count(2, 1, 1)));
}

/// Seen to fail with products that a set only reads in each of its attempts: the fourth was overtaken too.
#[tokio::test(start_paused = true)]
async fn a_set_is_overtaken_no_more_than_once() {
    let (memory, checkout, product, user) = shop();
    for price in 1..=8 {
        memory.overtake(product, |state| {
            state.price = Money::won(1_000 + price);
            state.version += 1;
        });
    }
    let outcomes = checkout.place_orders(vec![order(1, user, product, 2)], RENDER).await;
    assert_eq!((words(&outcomes), memory.count()), (vec!["placed"], count(2, 1, 1)));
    assert_eq!(memory.tables().wallets[&user].balance(), Money::won(6_996));
}

/// Seen to fail with the entries stored as they were decided: the ledger did not continue.
#[tokio::test(start_paused = true)]
async fn a_wallet_may_be_charged_in_between_and_the_buyer_is_told_the_balance_of_now() {
    let (memory, checkout, product, user) = shop();
    memory.overtake_wallet(user, Money::won(20_000));
    let orders = vec![order(1, user, product, 2), order(2, user, product, 4)];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(memory.count(), count(1, 1, 0));
    let told: Vec<String> = outcomes.into_iter().map(|outcome| outcome.unwrap().reply.body).collect();
    assert_eq!(told, [r#"{"balance":18000.00}"#, r#"{"balance":14000.00}"#]);
    let wallet = memory.tables().wallets[&user].clone();
    assert_eq!((wallet.balance(), wallet.version()), (Money::won(14_000), 4));
}

#[tokio::test(start_paused = true)]
async fn where_a_wallet_does_not_cover_it_any_more_it_is_decided_anew() {
    let (memory, checkout, product, user) = shop();
    memory.overtake_wallet(user, Money::won(5_000));
    let orders = vec![order(1, user, product, 2), order(2, user, product, 4), order(3, user, product, 3)];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["placed", "INSUFFICIENT_BALANCE", "placed"]);
    assert_eq!(memory.count(), count(2, 1, 1));
    assert_eq!(memory.tables().products[&product].stock, 5);
    assert_eq!(memory.tables().wallets[&user].balance(), Money::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_taken_from_sale_in_between_is_not_sold() {
    let (memory, checkout, product, user) = shop();
    memory.overtake(product, |state| {
        state.status = ProductStatus::Inactive;
        state.version += 1;
    });
    let outcomes = checkout.place_orders(vec![order(1, user, product, 2)], RENDER).await;
    assert_eq!((words(&outcomes), memory.placed().len()), (vec!["NOT_FOUND"], 0));
}

#[tokio::test(start_paused = true)]
async fn no_orders_have_no_outcomes() {
    let (memory, checkout, ..) = shop();
    assert!(checkout.place_orders(Vec::new(), RENDER).await.is_empty());
    assert!(memory.placed().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_poisonous_order_does_not_fail_the_rest() {
    let (memory, checkout, product, user) = shop();
    memory.poison(order_id(2), Poison::Defect);
    let orders = (1..=4).map(|number| order(number, user, product, 1)).collect();
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["placed", "internal", "placed", "placed"]);
    assert_eq!(memory.placed(), [order_id(1), order_id(3), order_id(4)].into());
    assert_eq!(memory.count(), count(5, 3, 2));
    assert_eq!(memory.tables().products[&product].stock, 7);
    assert_eq!(memory.tables().wallets[&user].balance(), Money::won(6_000));
}

#[tokio::test(start_paused = true)]
async fn one_order_that_is_always_in_the_way_does_not_fail_the_rest() {
    let (memory, checkout, product, user) = shop();
    memory.poison(order_id(1), Poison::Contention);
    let orders = (1..=3).map(|number| order(number, user, product, 1)).collect();
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["contended", "placed", "placed"]);
    // The set four times, the order in the way four times, the others once each.
    assert_eq!(memory.count(), count(10, 2, 8));
}

#[tokio::test(start_paused = true)]
async fn a_single_order_is_not_placed_a_second_time_after_a_failure() {
    let (memory, checkout, product, user) = shop();
    memory.poison(order_id(1), Poison::Defect);
    let outcome = checkout.place_order(order(1, user, product, 1), RENDER).await;
    assert_eq!(words(&[outcome]), ["internal"]);
    assert_eq!(memory.count(), count(1, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn of_a_set_whose_outcome_is_unknown_only_what_has_a_key_runs_again() {
    for (fault, expected, stored) in
        [(CommitFault::LostBefore, "placed", 2), (CommitFault::LostAfter, "replayed", 3)]
    {
        let (memory, checkout, product, user) = shop();
        memory.fail_to_commit([fault]);
        let orders = vec![
            keyed(order(1, user, product, 1), "first"),
            order(2, user, product, 1),
            keyed(order(3, user, product, 1), "third"),
        ];
        let outcomes = checkout.place_orders(orders, RENDER).await;
        assert_eq!(words(&outcomes), [expected, "unknown", expected]);
        assert_eq!((memory.count(), memory.tables().orders.len()), (count(2, 2, 0), stored));
    }
}

#[tokio::test(start_paused = true)]
async fn a_set_without_keys_whose_outcome_is_unknown_is_not_placed_again() {
    for (fault, stored) in [(CommitFault::LostBefore, 0), (CommitFault::LostAfter, 2)] {
        let (memory, checkout, product, user) = shop();
        memory.fail_to_commit([fault]);
        let orders = vec![order(1, user, product, 1), order(2, user, product, 1)];
        let outcomes = checkout.place_orders(orders, RENDER).await;
        assert_eq!(words(&outcomes), ["unknown"; 2]);
        assert_eq!((memory.count(), memory.placed().len()), (count(1, 1, 0), stored));
    }
}

#[tokio::test(start_paused = true)]
async fn a_keyed_set_whose_outcome_is_unknown_finds_out() {
    for (fault, expected) in [(CommitFault::LostBefore, "placed"), (CommitFault::LostAfter, "replayed")] {
        let (memory, checkout, product, user) = shop();
        memory.fail_to_commit([fault]);
        let orders = ["first", "second"];
        let orders =
            (1..).zip(orders).map(|(number, key)| keyed(order(number, user, product, 1), key)).collect();
        let outcomes = checkout.place_orders(orders, RENDER).await;
        assert_eq!(words(&outcomes), [expected; 2]);
        assert_eq!((memory.count(), memory.tables().orders.len()), (count(2, 2, 0), 2));
        assert_eq!(memory.tables().products[&product].stock, 8);
        let bodies: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().reply.body).collect();
        assert_eq!(bodies, ["{\"balance\":8000.00}", "{\"balance\":7000.00}"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_keyed_set_whose_outcome_stays_unknown_is_told_so_and_not_split() {
    let (memory, checkout, product, user) = shop();
    memory.fail_to_commit([CommitFault::LostBefore; 9]);
    let orders =
        vec![keyed(order(1, user, product, 1), "first"), keyed(order(2, user, product, 1), "second")];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["unknown"; 2]);
    assert_eq!((memory.count(), memory.placed().len()), (count(4, 4, 0), 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_gets_its_answer_again() {
    let (memory, checkout, product, user) = shop();
    let first = checkout.place_order(keyed(order(1, user, product, 1), "key"), RENDER).await.unwrap();
    // Ids are made by the handler, so the repetition brings others.
    let again = checkout.place_order(keyed(order(2, user, product, 1), "key"), RENDER).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.reply, again.reply);
    let other = checkout.place_order(keyed(order(3, user, product, 2), "key"), RENDER).await;
    let reused = UseCaseError::rejected(IdempotencyError::KeyReused);
    assert_eq!(other.unwrap_err().to_string(), reused.to_string());
    assert_eq!(memory.placed(), [order_id(1)].into());
}

#[tokio::test(start_paused = true)]
async fn of_twins_in_a_set_one_is_placed_and_the_others_are_told_to_wait() {
    let (memory, checkout, product, user) = shop();
    let stranger = memory.fill(3, Money::won(9_000));
    let orders = vec![
        keyed(order(1, user, product, 1), "key"),
        keyed(order(2, user, product, 1), "key"),
        keyed(order(3, user, product, 2), "key"),
        // The same name of another caller is another key.
        keyed(order(4, stranger, product, 1), "key"),
    ];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["placed", "REQUEST_IN_PROGRESS", "REQUEST_IN_PROGRESS", "placed"]);
    assert_eq!(memory.placed(), [order_id(1), order_id(4)].into());
}

#[tokio::test(start_paused = true)]
async fn a_replay_among_new_orders_takes_nothing() {
    let (memory, checkout, product, user) = shop();
    checkout.place_order(keyed(order(1, user, product, 1), "old"), RENDER).await.unwrap();
    let orders = vec![
        keyed(order(2, user, product, 1), "new"),
        keyed(order(3, user, product, 1), "old"),
        order(4, user, product, 1),
    ];
    let outcomes = checkout.place_orders(orders, RENDER).await;
    assert_eq!(words(&outcomes), ["placed", "replayed", "placed"]);
    assert_eq!(memory.placed(), [order_id(1), order_id(2), order_id(4)].into());
    assert_eq!(memory.tables().products[&product].stock, 7);
}

#[tokio::test(start_paused = true)]
async fn the_key_of_a_rejected_order_can_be_used_again() {
    let (memory, checkout, product, user) = shop();
    let rejected = checkout.place_order(keyed(order(1, user, product, 11), "key"), RENDER).await;
    assert!(matches!(rejected, Err(UseCaseError::Rejected(Rejection::Product(_)))), "{rejected:?}");
    assert!(memory.tables().keys.is_empty());
    memory.restock(product, 20);
    memory.fill(2, Money::won(11_000));
    let placed = checkout.place_order(keyed(order(2, user, product, 11), "key"), RENDER).await.unwrap();
    assert!(!placed.replayed);
    let key = (user, IdempotencyKey::new("key").unwrap());
    assert_eq!(memory.tables().keys[&key].1, Some(placed.reply));
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_reply_cannot_be_made_is_not_placed() {
    let (memory, checkout, product, user) = shop();
    let broken: Render<Receipt> = |_| Err(serde_json::from_str::<u8>("not a number").unwrap_err());
    let outcome = checkout.place_order(keyed(order(1, user, product, 1), "key"), broken).await;
    assert_eq!(words(&[outcome]), ["internal"]);
    assert!(memory.placed().is_empty() && memory.tables().keys.is_empty());
    assert_eq!(memory.count(), count(1, 0, 1));
}
