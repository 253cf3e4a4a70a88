//! Charges, and what administrators change.

use std::sync::Arc;

use checkout::{
    AdjustStock, ChangeProduct, ChargeWallet, CreateProducts, IdempotencyKey, KeyedRequest, OnError,
    ProductOutcome, Render, Reply, UseCaseError,
};
use kernel::{DomainError, Money, ProductId, UserId};
use point::{ChargeAmount, Wallet};
use product::{
    AdjustmentReason, NewProduct, Product, ProductChange, ProductError, ProductName, ProductStatus,
};
use uuid::Uuid;

use crate::memory::{Count, Memory, checkout};

const STOCK: Render<Product> = |product| reply(product.stock.to_string());
const BALANCE: Render<Wallet> = |wallet| reply(wallet.balance().to_string());

#[expect(clippy::unnecessary_wraps, reason = "what renders may fail")]
fn reply(body: String) -> Result<Reply, serde_json::Error> {
    Ok(Reply { status: 200, body, resource: None })
}

fn adjustment(product_id: ProductId, delta: i64) -> AdjustStock {
    AdjustStock { product_id, delta, reason: AdjustmentReason::new("counted").unwrap(), trace: None }
}

fn keyed(key: &str, body: &str) -> KeyedRequest {
    let caller = UserId::from_uuid(Uuid::from_u128(9));
    KeyedRequest::new(caller, IdempotencyKey::new(key).unwrap(), "POST", "/", body)
}

fn rejection<T: std::fmt::Debug>(result: Result<T, UseCaseError>) -> &'static str {
    match result {
        Err(UseCaseError::Rejected(rejection)) => rejection.code(),
        other => panic!("{other:?}"),
    }
}

/// Seen to fail with an adjustment that does not count as a change of the product: it could never be
/// stored.
#[tokio::test(start_paused = true)]
async fn an_adjustment_moves_stock_and_tells_of_it() {
    let memory = Arc::new(Memory::default());
    let product = memory.stock(1, Money::won(1_000), 10);
    let checkout = checkout(&memory);
    for (delta, left) in [(5, "15"), (-3, "12")] {
        let answer = checkout.adjust_stock(adjustment(product, delta), None, STOCK).await.unwrap();
        assert_eq!(answer.reply.body, left);
    }
    assert_eq!(memory.count(), Count { begun: 2, committed: 2, rolled_back: 0 });
    let tables = memory.tables();
    let stored = &tables.products[&product];
    assert_eq!((stored.stock, stored.stock_version, stored.event_sequence), (12, 3, 2));
    let events: Vec<_> = tables
        .events
        .iter()
        .map(|event| (event.aggregate_id, event.sequence, event.event_type.as_str()))
        .collect();
    assert_eq!(events, [(product.as_uuid(), 1, "StockAdjusted"), (product.as_uuid(), 2, "StockAdjusted")]);
    assert!(tables.events[1].data.contains("\"delta\":-3,\"stock\":12"), "{}", tables.events[1].data);
}

#[tokio::test(start_paused = true)]
async fn an_adjustment_that_is_refused_changes_nothing_and_leaves_its_key_free() {
    let memory = Arc::new(Memory::default());
    let product = memory.stock(1, Money::won(1_000), 10);
    let checkout = checkout(&memory);
    let refused = checkout.adjust_stock(adjustment(product, -11), Some(keyed("key", "-11")), STOCK).await;
    assert_eq!(rejection(refused), "OUT_OF_STOCK");
    assert!(memory.tables().events.is_empty() && memory.tables().keys.is_empty());
    let missing = ProductId::from_uuid(Uuid::from_u128(404));
    assert_eq!(rejection(checkout.adjust_stock(adjustment(missing, 1), None, STOCK).await), "NOT_FOUND");
    let answer =
        checkout.adjust_stock(adjustment(product, -10), Some(keyed("key", "-10")), STOCK).await.unwrap();
    assert_eq!((answer.replayed, answer.reply.body.as_str()), (false, "0"));
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_is_sent_again_is_made_once() {
    let memory = Arc::new(Memory::default());
    let user_id = memory.fill(1, Money::won(500));
    let checkout = checkout(&memory);
    let charge = || ChargeWallet { user_id, amount: ChargeAmount::new(Money::won(1_000)).unwrap() };
    for replayed in [false, true, true] {
        let answer = checkout.charge_wallet(charge(), Some(keyed("key", "1000")), BALANCE).await.unwrap();
        assert_eq!((answer.replayed, answer.reply.body.as_str()), (replayed, "1500.00"));
    }
    assert_eq!(
        rejection(checkout.charge_wallet(charge(), Some(keyed("key", "2000")), BALANCE).await),
        "CONFLICT"
    );
    assert_eq!(memory.tables().wallets[&user_id].balance(), Money::won(1_500));
    // Without a key each charge counts.
    checkout.charge_wallet(charge(), None, BALANCE).await.unwrap();
    assert_eq!(memory.tables().wallets[&user_id].balance(), Money::won(2_500));
}

#[tokio::test(start_paused = true)]
async fn a_product_changes_only_from_the_state_that_the_caller_has_seen() {
    let memory = Arc::new(Memory::default());
    let product_id = memory.stock(1, Money::won(1_000), 10);
    let checkout = checkout(&memory);
    let change = |version: u32| ChangeProduct {
        product_id,
        change: ProductChange { status: Some(ProductStatus::Inactive), ..ProductChange::default() },
        precondition: Box::new(move |product| product.version == version),
    };
    assert_eq!(checkout.change_product(change(1)).await.unwrap().version, 2);
    assert_eq!(rejection(checkout.change_product(change(1)).await), "PRECONDITION_FAILED");
    let stored = memory.tables().products.remove(&product_id).unwrap();
    assert_eq!((stored.version, stored.status, stored.stock), (2, ProductStatus::Inactive, 10));
    let missing = ChangeProduct { product_id: ProductId::from_uuid(Uuid::from_u128(404)), ..change(1) };
    assert_eq!(rejection(checkout.change_product(missing).await), "NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn of_a_list_with_an_invalid_product_none_or_the_others_are_created() {
    let new = |stock| NewProduct { name: ProductName::new("a thing").unwrap(), price: Money::won(1), stock };
    let drafts =
        || vec![Ok(new(3)), Err(ProductError::InvalidName), Ok(new(0)), Ok(new(Product::MAX_STOCK + 1))];
    let outcomes: Render<Vec<ProductOutcome>> = |outcomes| {
        let word = |outcome: &ProductOutcome| outcome.as_ref().map_or_else(DomainError::code, |_| "created");
        reply(outcomes.iter().map(word).collect::<Vec<_>>().join(" "))
    };
    let memory = Arc::new(Memory::default());
    let checkout = checkout(&memory);
    let all_or_none = CreateProducts { drafts: drafts(), on_error: OnError::Reject };
    let refused = checkout.create_products(all_or_none, None, outcomes).await;
    assert_eq!((rejection(refused), memory.tables().products.len()), ("VALIDATION_ERROR", 0));

    let what_is_valid = CreateProducts { drafts: drafts(), on_error: OnError::Skip };
    let answer = checkout.create_products(what_is_valid, None, outcomes).await.unwrap();
    assert_eq!(answer.reply.body, "created VALIDATION_ERROR created VALIDATION_ERROR");
    let stocks: Vec<_> = memory.tables().products.values().map(|product| product.stock).collect();
    assert_eq!(stocks, [3, 0]);
}
