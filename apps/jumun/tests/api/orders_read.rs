//! Showing and listing orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::UserId;
use serde_json::{Value, json};
use testkit::{Backend, Scenario, TestDatabase, scenarios};

use crate::support::{Answer, NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_list_shows_the_callers_orders_newest_first,
        a_list_is_filtered_as_asked,
        wrong_parameters_of_a_list_are_refused,
        an_order_that_the_caller_has_is_not_sent_again,
        the_history_tells_each_status_and_who_changed_it,
        an_order_of_another_user_looks_like_one_that_does_not_exist,
    ]
}

async fn a_list_shows_the_callers_orders_newest_first(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, other) = (shop.buyer(10_000).await, shop.buyer(10_000).await);
    let product = shop.product(1_000, 10).await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(place(&shop, buyer, product).await);
        shop.order(other, product, 1).await.is(201);
    }
    placed.reverse();

    let mut found = Vec::new();
    let mut next = Some(String::new());
    let mut pages = 0;
    while let Some(cursor) = next {
        let parameter = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let page = shop.get(&format!("/orders?size=2{parameter}")).by(buyer).await.ok();
        for order in page["content"].as_array().unwrap() {
            let path = format!("/orders/{}", order["orderId"].as_str().unwrap());
            assert_eq!(shop.get(&path).by(buyer).await.ok(), *order);
            found.push(order["orderId"].as_str().unwrap().to_owned());
        }
        next = page["nextCursor"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!((pages, found), (3, placed));
    assert_eq!(shop.orders(shop.admin).await, [""; 0]);
}

async fn a_list_is_filtered_as_asked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = shop.order(buyer, product, 1).await.is(201).json();
    let created = order["createdAt"].as_str().unwrap();
    let past = "2020-01-01T00:00:00Z";
    let future = "2999-01-01T00:00:00Z";
    for (query, count) in [
        ("status=PAID".to_owned(), 1),
        ("status=PENDING".to_owned(), 0),
        ("status=CANCELLED".to_owned(), 0),
        ("status=REFUNDED".to_owned(), 0),
        (format!("from={created}"), 1),
        (format!("from={future}"), 0),
        (format!("to={future}"), 1),
        (format!("to={past}"), 0),
        (format!("from={past}&to={future}&status=PAID&size=100"), 1),
        (format!("from={future}&to={past}"), 0),
        ("from=2020-01-01T09:00:00%2B09:00".to_owned(), 1),
    ] {
        let page = shop.get(&format!("/orders?{query}")).by(buyer).await.ok();
        assert_eq!(page["content"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(page["nextCursor"], Value::Null);
    }
    // Ranges are half-open: an order is in the range that begins with it and not in one that ends with it.
    let noon = match shop.database().backend {
        Backend::Sqlite => "2026-03-01T03:00:00+00:00",
        Backend::MySql => "2026-03-01 03:00:00",
    };
    shop.database().execute(&format!("UPDATE orders SET created_at = '{noon}'")).await;
    for (query, count) in [("from=2026-03-01T03:00:00Z", 1), ("to=2026-03-01T03:00:00Z", 0)] {
        let page = shop.get(&format!("/orders?{query}")).by(buyer).await.ok();
        assert_eq!(page["content"].as_array().unwrap().len(), count, "{query}");
    }
}

async fn wrong_parameters_of_a_list_are_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.user().await;
    for (query, pointer) in [
        ("status=paid", "/status"),
        ("status=", "/status"),
        ("from=yesterday", "/from"),
        ("from=2026-03-01", "/from"),
        ("to=2026-02-30T00:00:00Z", "/to"),
        // What one database or the other could not compare with.
        ("from=%2B262142-01-01T00:00:00Z", "/from"),
        ("from=10000-01-01T00:00:00Z", "/from"),
        ("to=0999-12-31T23:59:59Z", "/to"),
        ("to=-0001-01-01T00:00:00Z", "/to"),
        ("to=2016-12-31T23:59:60Z", "/to"),
        ("cursor=jjO_cgnMAAD_____________________", "/cursor"),
        ("cursor=f_____________________________x", "/cursor"),
        ("size=0", "/size"),
        ("size=101", "/size"),
        ("cursor=x", "/cursor"),
        ("cursor=", "/cursor"),
        ("cursor=%F0%9F%8D%B5", "/cursor"),
        ("cursor=_____________________________w", "/cursor"),
        ("userId=00000000-0000-7000-8000-000000000001", "/userId"),
        ("page=1", "/page"),
    ] {
        shop.get(&format!("/orders?{query}")).by(buyer).await.invalid(&[pointer]);
    }
}

async fn an_order_that_the_caller_has_is_not_sent_again(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let path = format!("/orders/{}", place(&shop, buyer, product).await);
    let shown = shop.get(&path).by(buyer).await.is(200);
    let tag = shown.header("etag").unwrap().to_owned();
    let again = shop.get(&path).by(buyer).header("If-None-Match", &tag).await.is(304);
    assert_eq!((again.text.as_str(), again.header("etag")), ("", Some(tag.as_str())));
    let other = shop.get(&path).by(buyer).header("If-None-Match", "\"other\"").await.is(200);
    assert_eq!(other.text, shown.text);
    // A tag opens no doors.
    let stranger = shop.user().await;
    shop.get(&path).by(stranger).header("If-None-Match", "*").await.problem(404, "NOT_FOUND");
}

async fn the_history_tells_each_status_and_who_changed_it(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = shop.order(buyer, product, 1).await.is(201).json();
    let (id, at) = (&order["orderId"], &order["createdAt"]);
    let path = format!("/orders/{}/history", id.as_str().unwrap());
    let payments = shop.get(&format!("/orders/{}/payments", id.as_str().unwrap())).by(buyer).await.ok();
    assert_eq!(payments["content"][0]["status"], "SUCCESS");
    let expected = json!({"orderId": id, "history": [
        {"status": "PENDING", "changedBy": buyer, "changedAt": at},
        {"from": "PENDING", "status": "PAID", "changedBy": buyer, "changedAt": at},
    ], "payments": payments["content"], "refunds": []});
    assert_eq!(shop.get(&path).by(buyer).await.ok(), expected);
    assert_eq!(shop.get(&path).by(shop.admin).await.ok(), expected);
}

async fn an_order_of_another_user_looks_like_one_that_does_not_exist(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (owner, other) = (shop.buyer(10_000).await, shop.buyer(10_000).await);
    let product = shop.product(1_000, 10).await;
    let id = place(&shop, owner, product).await;
    for suffix in ["", "/history"] {
        let hidden = shop.get(&format!("/orders/{id}{suffix}")).by(other).await;
        let missing = shop.get(&format!("/orders/{NOBODY}{suffix}")).by(other).await;
        assert_eq!(without_names(&hidden, &id), without_names(&missing, NOBODY));
        let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(names(&hidden), names(&missing));
        shop.get(&format!("/orders/{id}{suffix}")).by(shop.admin).await.is(200);
        shop.get(&format!("/orders/{NOBODY}{suffix}")).by(shop.admin).await.problem(404, "NOT_FOUND");
        shop.get(&format!("/orders/x{suffix}")).by(owner).await.invalid(&["/id"]);
    }
}

/// Returns the body of a 404 without what is different in any two of them.
fn without_names(answer: &Answer, id: &str) -> Value {
    let problem = answer.problem(404, "NOT_FOUND").to_string().replace(id, "ID");
    let mut problem: Value = serde_json::from_str(&problem).unwrap();
    for member in ["traceId", "timestamp"] {
        problem[member] = Value::Null;
    }
    problem
}

async fn place(shop: &Shop, buyer: UserId, product: kernel::ProductId) -> String {
    let order = shop.order(buyer, product, 1).await.is(201).json();
    order["orderId"].as_str().unwrap().to_owned()
}
