//! Requests that are sent again.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use testkit::{Scenario, TestDatabase, eventually, scenarios};

use crate::support::Shop;

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_repetition_is_answered_letter_by_letter_and_does_nothing,
        every_post_that_moves_something_honours_a_key,
        a_body_counts_as_it_is_understood,
        a_key_names_one_request_of_one_caller,
        keys_are_compared_byte_by_byte,
        what_is_no_key_is_refused,
        a_rejected_request_can_be_sent_again,
        of_twins_at_the_same_moment_one_has_an_effect,
    ]
}

async fn a_repetition_is_answered_letter_by_letter_and_does_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = || shop.order(buyer, product, 2).key("order-1");
    let first = order().await.is(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    // What has changed since makes no difference.
    shop.withdraw(product).await;
    shop.charge(buyer, "5000").await.is(200);
    for _ in 0..3 {
        let again = order().await.is(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text, first.text);
        for name in ["location", "content-type"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    }
    assert_eq!((shop.stock(product).await, shop.orders(buyer).await.len()), (8, 1));
    assert_eq!(shop.balance(buyer).await, "13000.00");
    shop.assert_audit_is_clean().await;
}

async fn every_post_that_moves_something_honours_a_key(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let product = shop.product(1_000, 10).await;
    let new = json!({"name": "x", "price": 1_000, "stock": 1});
    let stock = format!("/products/{product}/stock");
    let points = format!("/users/{user}/points/charge");
    for (key, path, caller, body, status) in [
        ("a", "/wallets/charge", user, json!({"amount": 1_000}), 200),
        ("b", points.as_str(), user, json!({"amount": 1_000}), 200),
        ("c", points.as_str(), shop.admin, json!({"amount": 1_000}), 200),
        ("d", "/products", shop.admin, new.clone(), 201),
        ("e", "/products:bulk", shop.admin, json!({"products": [new]}), 201),
        ("f", stock.as_str(), shop.admin, json!({"delta": 5, "reason": "x"}), 200),
        ("g", "/orders", user, json!({"items": [{"productId": product, "qty": 1}]}), 201),
    ] {
        let send = || shop.post(path).by(caller).key(key).json(body.clone());
        let first = send().await.is(status);
        let again = send().await.is(status);
        assert_eq!(
            (again.text, again.headers.get("location")),
            (first.text, first.headers.get("location")),
            "{path}"
        );
        assert_eq!(again.headers["idempotency-replayed"], "true", "{path}");
    }
    assert_eq!((shop.balance(user).await, shop.stock(product).await), ("2000.00".into(), 14));
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 3);
    shop.assert_audit_is_clean().await;
}

async fn a_body_counts_as_it_is_understood(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = |body: String| shop.post("/orders").by(buyer).key("k").body(body);
    let first = order(format!(r#"{{"items":[{{"productId":"{product}","qty":1}}],"expectedAmount":1000}}"#));
    let first = first.await.is(201);
    for same in [
        format!(
            " {{ \"items\" : [ {{ \"productId\" : \"{product}\" ,\n\t\"qty\" : 1 }} ], \"expectedAmount\":1000 }} "
        ),
        format!(r#"{{"expectedAmount":1e3,"items":[{{"qty":1,"productId":"{product}"}}]}}"#),
        format!(
            r#"{{"payment":"POINT","couponCode":null,"expectedAmount":1000.00,"items":[{{"productId":"{product}","qty":1}}]}}"#
        ),
    ] {
        let again = order(same).await.is(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text, first.text);
    }
    assert_eq!(shop.orders(buyer).await.len(), 1);
}

async fn a_key_names_one_request_of_one_caller(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, other) = (shop.buyer(10_000).await, shop.buyer(10_000).await);
    let product = shop.product(1_000, 10).await;
    shop.order(buyer, product, 1).key("k").await.is(201);

    let problem = shop.order(buyer, product, 2).key("k").await.problem(409, "CONFLICT");
    assert!(problem["detail"].as_str().unwrap().contains("idempotency key"), "{problem}");
    let charge = json!({"amount": 1_000});
    shop.post("/wallets/charge").by(buyer).key("k").json(charge.clone()).await.problem(409, "CONFLICT");
    let path = format!("/users/{buyer}/points/charge");
    shop.post("/wallets/charge").by(buyer).key("c").json(charge.clone()).await.is(200);
    shop.post(&path).by(buyer).key("c").json(charge).await.problem(409, "CONFLICT");
    // The administrator's keys are the administrator's, whosoever wallet it is.
    shop.post(&path).by(shop.admin).key("c").json(json!({"amount": 1_000})).await.is(200);

    let theirs = shop.order(other, product, 1).key("k").await.is(201);
    assert_eq!(theirs.header("idempotency-replayed"), None);
    assert_eq!((shop.orders(buyer).await.len(), shop.orders(other).await.len()), (1, 1));
    assert_eq!(shop.balance(buyer).await, "11000.00");
    shop.assert_audit_is_clean().await;
}

async fn keys_are_compared_byte_by_byte(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let longest = "k".repeat(255);
    let keys =
        ["k", "K", "k-", "k k", "1", "01", "'; DROP TABLE orders; --", "%", "_", &longest, &longest[1..]];
    for (place, key) in keys.into_iter().enumerate() {
        let charged = shop.charge(user, "1000").key(key).await.is(200);
        assert_eq!(charged.raw("balance"), format!("{}000.00", place + 1), "{key}");
    }
    for key in keys {
        let again = shop.charge(user, "1000").key(key).await.is(200);
        assert_eq!(again.header("idempotency-replayed"), Some("true"), "{key}");
    }
    assert_eq!(shop.balance(user).await, format!("{}000.00", keys.len()));
}

async fn what_is_no_key_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    for key in [
        b"".to_vec(),
        vec![b'k'; 256],
        "키".as_bytes().to_vec(),
        b"k\xe9".to_vec(),
        b"k\tk".to_vec(),
        b"\xff".to_vec(),
    ] {
        shop.charge(user, "1000").key(&key).await.invalid(&["Idempotency-Key"]);
    }
    shop.charge(user, "1000").key("k").key("k").await.invalid(&["Idempotency-Key"]);
    shop.charge(user, "1000").key("k").key("other").await.invalid(&["Idempotency-Key"]);
    assert_eq!(shop.balance(user).await, "0.00");
}

async fn a_rejected_request_can_be_sent_again(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.user().await;
    let product = shop.product(1_000, 1).await;
    let order = || shop.order(buyer, product, 1).key("k");
    for _ in 0..2 {
        let rejected = order().await;
        rejected.problem(409, "INSUFFICIENT_BALANCE");
        assert_eq!(rejected.header("idempotency-replayed"), None);
    }
    shop.charge(buyer, "1000").await.is(200);
    let placed = order().await.is(201);
    assert_eq!(placed.header("idempotency-replayed"), None);
    // Now that there is an order, there is neither stock nor money for another one.
    assert_eq!(order().await.is(201).text, placed.text);
    shop.order(buyer, product, 1).key("other").await.problem(409, "OUT_OF_STOCK");
    // A request that was never understood has not used its key either.
    shop.charge(buyer, "1").key("c").await.invalid(&["/amount"]);
    shop.charge(buyer, "1000").key("c").await.is(200);
    shop.assert_audit_is_clean().await;
}

async fn of_twins_at_the_same_moment_one_has_an_effect(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let product = shop.product(1_000, 100).await;
    let answers = join_all((0..50).map(|_| shop.order(buyer, product, 1).key("twin").into_future())).await;
    let mut bodies = BTreeSet::new();
    let mut fresh = 0;
    for answer in &answers {
        if answer.status == 409 {
            answer.problem(409, "REQUEST_IN_PROGRESS");
            assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
        } else {
            assert_eq!(answer.status, 201, "{}", answer.text);
            fresh += usize::from(answer.header("idempotency-replayed").is_none());
            bodies.insert(answer.text.clone());
        }
    }
    assert!(fresh <= 1, "{fresh} twins had an effect");
    let settled = eventually("the first of the twins is answered", || async {
        Some(shop.order(buyer, product, 1).key("twin").await).filter(|answer| answer.status != 409)
    })
    .await
    .is(201);
    bodies.insert(settled.text.clone());
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(shop.orders(buyer).await, [settled.json()["orderId"].as_str().unwrap()]);
    assert_eq!((shop.stock(product).await, shop.balance(buyer).await), (99, "99000.00".into()));
    shop.assert_audit_is_clean().await;
}
