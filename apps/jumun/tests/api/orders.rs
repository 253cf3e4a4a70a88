//! Placing orders.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_paid_order_is_answered_in_full,
        the_same_product_twice_is_added_up,
        an_order_takes_all_or_nothing,
        an_order_needs_a_balance_that_covers_it,
        an_order_comes_to_1000_at_least,
        an_order_that_comes_to_another_sum_than_expected_is_refused,
        a_sum_that_cannot_be_represented_is_refused,
        a_snapshot_outlives_what_it_was_taken_of,
        a_coupon_that_nobody_has_issued_is_not_valid,
        quantities_are_whole_and_within_1_to_1000,
        an_order_has_1_to_100_items,
        members_that_are_not_the_buyers_to_choose_are_refused,
    ]
}

async fn a_paid_order_is_answered_in_full(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let tea = shop.product_named("Oolong tea, 100 g", "19900.00", 10).await;
    let cup = shop.product_named("찻잔", "0.5", 5).await;
    let body = json!({"items": [{"productId": tea, "qty": 2}, {"productId": cup, "qty": 3}], "expectedAmount": 39_801.5});
    let answer = shop.post("/orders").by(buyer).json(body).await.is(201);
    let order = answer.json();
    let id: uuid::Uuid = order["orderId"].as_str().unwrap().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    let created = order["createdAt"].as_str().unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
    let shown = format!(
        r#"{{"orderId":"{id}","status":"PAID","totalAmount":39801.50,"discountAmount":0.00,"paidAmount":39801.50,"items":[{{"productId":"{tea}","name":"Oolong tea, 100 g","unitPrice":19900.00,"qty":2,"subtotal":39800.00}},{{"productId":"{cup}","name":"찻잔","unitPrice":0.50,"qty":3,"subtotal":1.50}}],BALANCE"createdAt":"{created}"}}"#,
    );
    assert_eq!(answer.text, shown.replace("BALANCE", r#""userPointBalance":60198.50,"#));
    let location = answer.header("location").unwrap();
    assert_eq!(location, format!("/api/v1/orders/{id}"));
    assert_eq!(answer.header("idempotency-replayed"), None);

    let found = shop.call(Method::GET, location).by(buyer).await.is(200);
    assert_eq!(found.text, shown.replace("BALANCE", ""));
    assert_eq!((shop.stock(tea).await, shop.stock(cup).await), (8, 2));
    assert_eq!(shop.balance(buyer).await, "60198.50");
    shop.assert_audit_is_clean().await;
}

async fn the_same_product_twice_is_added_up(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let (tea, cup) = (shop.product(500, 10).await, shop.product(700, 10).await);
    let items = json!([
        {"productId": tea, "qty": 1}, {"productId": cup, "qty": 1},
        {"productId": tea, "qty": 2}, {"productId": tea.to_string().to_uppercase(), "qty": 1},
    ]);
    let order = shop.post("/orders").by(buyer).json(json!({"items": items})).await.is(201).json();
    let lines: Vec<_> =
        order["items"].as_array().unwrap().iter().map(|line| (&line["productId"], &line["qty"])).collect();
    assert_eq!(lines, [(&json!(tea), &json!(4)), (&json!(cup), &json!(1))]);
    assert_eq!(order["totalAmount"], 2_700.0);
    assert_eq!((shop.stock(tea).await, shop.stock(cup).await), (6, 9));

    // Each for itself is within the limits, together they are not.
    let items = json!([{"productId": tea, "qty": 600}, {"productId": tea, "qty": 401}]);
    shop.post("/orders").by(buyer).json(json!({"items": items})).await.invalid(&["/items"]);
    shop.assert_audit_is_clean().await;
}

async fn an_order_takes_all_or_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let (plenty, few) = (shop.product(1_000, 10).await, shop.product(1_000, 3).await);
    for (second, code, status) in [(json!(few), "OUT_OF_STOCK", 409), (json!(NOBODY), "NOT_FOUND", 404)] {
        let items = json!([{"productId": plenty, "qty": 2}, {"productId": second, "qty": 4}]);
        let answer = shop.post("/orders").by(buyer).json(json!({"items": items})).await;
        let problem = answer.problem(status, code);
        assert_eq!(problem["productId"], second);
        if status == 409 {
            assert_eq!((&problem["requested"], &problem["available"]), (&json!(4), &json!(3)));
        }
    }
    assert_eq!((shop.stock(plenty).await, shop.stock(few).await), (10, 3));
    assert_eq!(shop.balance(buyer).await, "100000.00");
    assert_eq!(shop.orders(buyer).await, [""; 0]);
    assert_eq!(shop.get("/admin/events").by(shop.admin).await.ok()["content"], json!([]));
    shop.assert_audit_is_clean().await;
}

async fn an_order_needs_a_balance_that_covers_it(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, poor) = (shop.buyer(1_999).await, shop.user().await);
    let product = shop.product(1_000, 10).await;
    let answer = shop.order(buyer, product, 2).await;
    answer.problem(409, "INSUFFICIENT_BALANCE");
    assert_eq!((answer.raw("required"), answer.raw("balance")), ("2000.00".into(), "1999.00".into()));
    let answer = shop.order(poor, product, 2).await;
    answer.problem(409, "INSUFFICIENT_BALANCE");
    assert_eq!((answer.raw("required"), answer.raw("balance")), ("2000.00".into(), "0.00".into()));
    assert_eq!(shop.stock(product).await, 10);

    shop.charge(poor, "2000").await.is(200);
    let order = shop.order(poor, product, 2).await.is(201);
    assert_eq!(order.raw("userPointBalance"), "0.00");
    shop.assert_audit_is_clean().await;
}

async fn an_order_comes_to_1000_at_least(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let (almost, free) = (shop.product_named("a", "999.99", 9).await, shop.product_named("b", "0", 9).await);
    let answer = shop.order(buyer, almost, 1).await;
    answer.problem(400, "AMOUNT_BELOW_MINIMUM");
    assert_eq!((answer.raw("minimum"), answer.raw("amount")), ("1000.00".into(), "999.99".into()));
    shop.order(buyer, free, 9).await.problem(400, "AMOUNT_BELOW_MINIMUM");
    assert_eq!((shop.stock(almost).await, shop.stock(free).await), (9, 9));
    let exact = shop.product_named("c", "0.01", 1_000).await;
    let items = json!([{"productId": almost, "qty": 1}, {"productId": exact, "qty": 1}]);
    let order = shop.post("/orders").by(buyer).json(json!({"items": items})).await.is(201);
    assert_eq!(order.raw("totalAmount"), "1000.00");
}

async fn an_order_that_comes_to_another_sum_than_expected_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = |expected: &str| {
        let body =
            format!(r#"{{"items":[{{"productId":"{product}","qty":2}}],"expectedAmount":{expected}}}"#);
        shop.post("/orders").by(buyer).body(body)
    };
    let answer = order("1999.99").await;
    answer.problem(409, "CONFLICT");
    assert_eq!((answer.raw("amount"), answer.raw("expectedAmount")), ("2000.00".into(), "1999.99".into()));
    for wrong in ["\"2000\"", "2000.001", "true"] {
        order(wrong).await.invalid(&["/expectedAmount"]);
    }
    assert_eq!(shop.stock(product).await, 10);
    order("2e3").await.is(201);
    order("null").await.is(201);
}

async fn a_sum_that_cannot_be_represented_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let (dear, more) =
        (shop.product_named("a", "9999999999999.99", 1_000).await, shop.product_named("b", "0.01", 9).await);
    shop.order(buyer, dear, 2).await.problem(400, "VALIDATION_ERROR");
    shop.order(buyer, dear, 1_000).await.problem(400, "VALIDATION_ERROR");
    let items = json!([{"productId": dear, "qty": 1}, {"productId": more, "qty": 1}]);
    shop.post("/orders").by(buyer).json(json!({"items": items})).await.problem(400, "VALIDATION_ERROR");
    let answer = shop.order(buyer, dear, 1).await;
    answer.problem(409, "INSUFFICIENT_BALANCE");
    assert_eq!(answer.raw("required"), "9999999999999.99");
    assert_eq!((shop.stock(dear).await, shop.stock(more).await), (1_000, 9));
}

/// ADR-012: what was settled is copied.
async fn a_snapshot_outlives_what_it_was_taken_of(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product_named("tea", "1000", 10).await;
    let placed = shop.order(buyer, product, 1).await.is(201).json();
    let change = json!({"name": "other", "price": 5_000, "status": "INACTIVE"});
    shop.patch(&format!("/products/{product}")).by(shop.admin).json(change).await.is(200);
    let path = format!("/orders/{}", placed["orderId"].as_str().unwrap());
    let shown = shop.get(&path).by(buyer).await.ok();
    assert_eq!(shown["items"], placed["items"]);
    assert_eq!(shown["totalAmount"], 1_000.0);
}

async fn a_coupon_that_nobody_has_issued_is_not_valid(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let items = json!([{"productId": product, "qty": 1}]);
    let order =
        |code: Value| shop.post("/orders").by(buyer).json(json!({"items": items, "couponCode": code}));
    order(json!("WELCOME10")).await.problem(400, "COUPON_INVALID");
    order(json!("")).await.invalid(&["/couponCode"]);
    order(json!("x".repeat(65))).await.invalid(&["/couponCode"]);
    order(json!(10)).await.invalid(&["/couponCode"]);
    assert_eq!(shop.stock(product).await, 10);
    order(Value::Null).await.is(201);
}

async fn quantities_are_whole_and_within_1_to_1000(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let product = shop.product(10, 5_000).await;
    let order = |qty: &str| {
        let body = format!(
            r#"{{"items":[{{"productId":"{product}","qty":100}},{{"productId":"{product}","qty":{qty}}}]}}"#
        );
        shop.post("/orders").by(buyer).body(body)
    };
    for qty in [
        "0",
        "-1",
        "1001",
        "1.5",
        "1.0",
        "1e2",
        "\"1\"",
        "null",
        "9223372036854775808",
        "4294967297",
        "1e400",
    ] {
        order(qty).await.invalid(&["/items/1/qty"]);
    }
    assert_eq!(shop.stock(product).await, 5_000);
    order("900").await.is(201);
    shop.order(buyer, product, 1_000).await.is(201);
    assert_eq!(shop.stock(product).await, 3_000);
}

async fn an_order_has_1_to_100_items(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(1_000_000).await;
    let new = |number: usize| json!({"name": format!("product {number}"), "price": 1_000, "stock": 5});
    let body = json!({"products": (0..100).map(new).collect::<Vec<_>>()});
    let created = shop.post("/products:bulk").by(shop.admin).json(body).await.is(201).json();
    let mut items: Vec<Value> = created["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| json!({"productId": result["product"]["id"], "qty": 1}))
        .collect();
    let order = |items: &[Value]| shop.post("/orders").by(buyer).json(json!({"items": items}));
    order(&[]).await.invalid(&["/items"]);
    items.push(items[0].clone());
    order(&items).await.invalid(&["/items"]);
    items.pop();
    let placed = order(&items).await.is(201);
    assert_eq!(
        (placed.raw("totalAmount"), placed.json()["items"].as_array().unwrap().len()),
        ("100000.00".into(), 100)
    );
    shop.assert_audit_is_clean().await;
}

async fn members_that_are_not_the_buyers_to_choose_are_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, other) = (shop.buyer(10_000).await, shop.buyer(10_000).await);
    let product = shop.product(1_000, 10).await;
    for (member, value) in [
        ("status", json!("PAID")),
        ("price", json!(0.01)),
        ("userId", json!(other)),
        ("user_id", json!(other)),
        ("orderId", json!(NOBODY)),
        ("totalAmount", json!(1)),
        ("paidAmount", json!(0)),
        ("discountAmount", json!(999)),
        ("createdAt", json!("2020-01-01T00:00:00Z")),
        ("role", json!("ADMIN")),
    ] {
        let mut body = json!({"items": [{"productId": product, "qty": 1}]});
        body[member] = value.clone();
        shop.post("/orders").by(buyer).json(body).await.invalid(&[&format!("/{member}")]);
        let body = json!({"items": [{"productId": product, "qty": 1, member: value}]});
        shop.post("/orders").by(buyer).json(body).await.invalid(&[&format!("/items/0/{member}")]);
    }
    for (payment, pointer) in
        [(json!("FREE"), "/payment"), (json!("point"), "/payment"), (json!(1), "/payment")]
    {
        let body = json!({"items": [{"productId": product, "qty": 1}], "payment": payment});
        shop.post("/orders").by(buyer).json(body).await.invalid(&[pointer]);
    }
    for (items, pointer) in [
        (json!([{"productId": product}]), "/items/0"),
        (json!([{"qty": 1}]), "/items/0"),
        (json!([{"productId": "tea", "qty": 1}]), "/items/0/productId"),
        (json!([1]), "/items/0"),
        (json!([[product, 1]]), "/items/0"),
        (json!("x"), "/items"),
        // As if there were none.
        (Value::Null, "/items"),
    ] {
        shop.post("/orders").by(buyer).json(json!({"items": items})).await.invalid(&[pointer]);
    }
    assert_eq!((shop.stock(product).await, shop.balance(other).await), (10, "10000.00".into()));
}
