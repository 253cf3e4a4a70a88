//! Orders with coupons.

use std::sync::Arc;

use kernel::{ProductId, UserId};
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use super::coupons::{but, terms};
use crate::support::{Call, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_coupon_is_taken_off_and_used,
        a_coupon_that_does_not_count_leaves_everything_as_it_is,
        a_discount_is_never_more_than_the_items_it_applies_to,
        shares_are_rounded_down_and_capped,
        an_order_that_comes_to_nothing_is_paid,
        an_order_with_a_coupon_is_answered_again_under_its_key,
    ]
}

fn order(shop: &Shop, buyer: UserId, items: &[(ProductId, u32)], code: &str) -> Call {
    let items: Vec<Value> =
        items.iter().map(|(product, qty)| json!({"productId": product, "qty": qty})).collect();
    shop.post("/orders").by(buyer).json(json!({"items": items, "couponCode": code}))
}

/// A buyer with 100,000.00 and a piece of a coupon with these terms.
async fn holder(shop: &Shop, code: &str, changes: Value) -> UserId {
    let buyer = shop.buyer(100_000).await;
    shop.create_coupon(but(terms(code, 10), &changes)).await.is(201);
    shop.claim(code, buyer).await.is(200);
    buyer
}

async fn a_coupon_is_taken_off_and_used(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = holder(&shop, "TENTH", json!({})).await;
    let product = shop.product(12_345, 10).await;
    let placed = order(&shop, buyer, &[(product, 2)], "TENTH").await.is(201);
    assert_eq!(placed.raw("totalAmount"), "24690.00");
    assert_eq!(placed.raw("discountAmount"), "2469.00");
    assert_eq!(placed.raw("paidAmount"), "22221.00");
    assert_eq!(placed.raw("userPointBalance"), "77779.00");
    assert_eq!(placed.raw("appliedCoupon"), r#"{"code":"TENTH"}"#);
    let path = format!("/orders/{}", placed.json()["orderId"].as_str().unwrap());
    let shown = shop.get(&path).by(buyer).await.is(200);
    for member in ["totalAmount", "discountAmount", "paidAmount", "appliedCoupon", "items"] {
        assert_eq!(shown.raw(member), placed.raw(member));
    }
    // A piece is used once; the order of the winner stays as it is.
    order(&shop, buyer, &[(product, 1)], "TENTH").await.problem(400, "COUPON_INVALID");
    assert_eq!(shop.get(&path).by(buyer).await.text, shown.text);
    let plain = shop.order(buyer, product, 1).await.is(201).json();
    assert_eq!(plain.get("appliedCoupon"), None);
    shop.assert_audit_is_clean().await;
}

async fn a_coupon_that_does_not_count_leaves_everything_as_it_is(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (product, other) = (shop.product(10_000, 10).await, shop.product(10_000, 10).await);
    let buyer = holder(&shop, "SMALL", json!({"minOrderAmount": 10_000.01})).await;
    let limited = json!({"productIds": [other]});
    shop.create_coupon(but(terms("ELSEWHERE", 10), &limited)).await.is(201);
    shop.claim("ELSEWHERE", buyer).await.is(200);
    shop.create_coupon(terms("NOT-CLAIMED", 10)).await.is(201);
    for code in ["SMALL", "ELSEWHERE", "NOT-CLAIMED", "NO-SUCH", "not a code"] {
        order(&shop, buyer, &[(product, 1)], code).await.problem(400, "COUPON_INVALID");
    }
    let minimum = order(&shop, buyer, &[(product, 1)], "SMALL").await;
    let minimum = minimum.problem(400, "COUPON_INVALID");
    assert_eq!((&minimum["minimum"], &minimum["amount"]), (&json!(10_000.01), &json!(10_000.0)));
    assert_eq!((shop.stock(product).await, shop.balance(buyer).await), (10, "100000.00".into()));
    // Another's coupon is nobody's.
    let thief = shop.buyer(50_000).await;
    order(&shop, thief, &[(other, 1)], "ELSEWHERE").await.problem(400, "COUPON_INVALID");
    order(&shop, buyer, &[(product, 2)], "SMALL").await.is(201);
    order(&shop, buyer, &[(other, 1)], "ELSEWHERE").await.is(201);
    shop.assert_audit_is_clean().await;
}

async fn a_discount_is_never_more_than_the_items_it_applies_to(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (cheap, dear) = (shop.product(2_000, 10).await, shop.product(30_000, 10).await);
    let terms = json!({"type": "FIXED", "value": 50_000, "productIds": [cheap]});
    let buyer = holder(&shop, "HUGE", terms).await;
    let placed = order(&shop, buyer, &[(cheap, 2), (dear, 1)], "HUGE").await.is(201);
    assert_eq!(
        (placed.raw("discountAmount"), placed.raw("paidAmount")),
        ("4000.00".into(), "30000.00".into())
    );
    shop.assert_audit_is_clean().await;
}

async fn shares_are_rounded_down_and_capped(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let odd = shop.product_named("odd", "3333.33", 10).await;
    let buyer = holder(&shop, "THIRD", json!({"value": 33.33})).await;
    // 33.33 % of 3,333.33 is 1,110.998889.
    let placed = order(&shop, buyer, &[(odd, 1)], "THIRD").await.is(201);
    assert_eq!(
        (placed.raw("discountAmount"), placed.raw("paidAmount")),
        ("1110.99".into(), "2222.34".into())
    );
    let buyer = holder(&shop, "CAPPED", json!({"value": 50, "maxDiscountAmount": 0.01})).await;
    let placed = order(&shop, buyer, &[(odd, 3)], "CAPPED").await.is(201);
    assert_eq!((placed.raw("discountAmount"), placed.raw("paidAmount")), ("0.01".into(), "9999.98".into()));
    shop.assert_audit_is_clean().await;
}

async fn an_order_that_comes_to_nothing_is_paid(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 10).await;
    shop.create_coupon(but(terms("FREE", 10), &json!({"value": 100}))).await.is(201);
    // Even a buyer who never charged can have it.
    let buyer = shop.user().await;
    shop.claim("FREE", buyer).await.is(200);
    let placed = order(&shop, buyer, &[(product, 1)], "FREE").await.is(201);
    assert_eq!((placed.raw("discountAmount"), placed.raw("paidAmount")), ("1000.00".into(), "0.00".into()));
    assert_eq!(
        (placed.raw("userPointBalance"), placed.json()["status"].clone()),
        ("0.00".into(), json!("PAID"))
    );
    assert_eq!(shop.get("/wallets/ledger").by(buyer).await.ok()["content"], json!([]));
    // What the order comes to without the coupon must reach the minimum all the same.
    let crumb = shop.product(999, 10).await;
    let (other, code) = (shop.user().await, "FREE");
    shop.claim(code, other).await.is(200);
    order(&shop, other, &[(crumb, 1)], code).await.problem(400, "AMOUNT_BELOW_MINIMUM");
    shop.assert_audit_is_clean().await;
}

async fn an_order_with_a_coupon_is_answered_again_under_its_key(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = holder(&shop, "KEYED", json!({})).await;
    let product = shop.product(1_000, 10).await;
    let first = order(&shop, buyer, &[(product, 1)], "KEYED").key("k").await.is(201);
    let again = order(&shop, buyer, &[(product, 1)], "KEYED").key("k").await.is(201);
    assert_eq!((&again.text, again.header("idempotency-replayed")), (&first.text, Some("true")));
    order(&shop, buyer, &[(product, 1)], "OTHER").key("k").await.problem(409, "CONFLICT");
    assert_eq!(shop.stock(product).await, 9);
}
