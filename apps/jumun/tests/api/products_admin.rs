//! Products as administrators change them.

use std::sync::Arc;

use serde_json::json;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_created_product_is_for_sale_at_once,
        what_cannot_be_a_product_is_refused,
        a_product_is_changed_member_by_member,
        a_change_of_what_has_changed_since_is_refused,
        what_cannot_be_changed_is_refused,
        stock_is_added_and_taken,
        stock_never_falls_below_zero,
        a_change_of_stock_without_sense_is_refused,
        the_shop_is_run_by_administrators_only,
    ]
}

async fn a_created_product_is_for_sale_at_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    // The total of the list is remembered until something changes.
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 0);
    let body = r#"{"name":"  Oolong tea ","price":19900,"stock":7}"#;
    let answer = shop.post("/products").by(shop.admin).body(body).await.is(201);
    let created = answer.json();
    let id = created["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/api/v1/products/{id}").as_str()));
    assert_eq!((&created["name"], answer.raw("price").as_str()), (&json!("Oolong tea"), "19900.00"));

    let shown = shop.get(&format!("/products/{id}")).await.is(200);
    assert_eq!(shown.text, answer.text);
    let list = shop.get("/products").await.ok();
    assert_eq!((&list["totalElements"], &list["content"][0]), (&json!(1), &created));
    shop.assert_audit_is_clean().await;
}

async fn what_cannot_be_a_product_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let long = "x".repeat(201);
    for (body, pointers) in [
        (r#"{"name":"","price":1,"stock":1}"#.to_owned(), ["/name"].as_slice()),
        (r#"{"name":"   ","price":1,"stock":1}"#.to_owned(), &["/name"]),
        (r#"{"name":"a\u0000b","price":1,"stock":1}"#.to_owned(), &["/name"]),
        (format!(r#"{{"name":"{long}","price":1,"stock":1}}"#), &["/name"]),
        (r#"{"name":"x","price":-0.01,"stock":1}"#.to_owned(), &["/price"]),
        (r#"{"name":"x","price":1.001,"stock":1}"#.to_owned(), &["/price"]),
        (r#"{"name":"x","price":"1","stock":1}"#.to_owned(), &["/price"]),
        (r#"{"name":"x","price":10000000000000,"stock":1}"#.to_owned(), &["/price"]),
        (r#"{"name":"x","price":1,"stock":-1}"#.to_owned(), &["/stock"]),
        (r#"{"name":"x","price":1,"stock":1.5}"#.to_owned(), &["/stock"]),
        (r#"{"name":"x","price":1,"stock":1000000001}"#.to_owned(), &["/stock"]),
        (r#"{"name":"","price":1,"stock":1000000001}"#.to_owned(), &["/name", "/stock"]),
        (r#"{"name":"x","price":1}"#.to_owned(), &[""]),
        (r#"{"name":"x","price":1,"stock":1,"status":"INACTIVE"}"#.to_owned(), &["/status"]),
        (r#"{"name":"x","price":1,"stock":1,"stock":2}"#.to_owned(), &[""]),
    ] {
        shop.post("/products").by(shop.admin).body(body).await.invalid(pointers);
    }
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 0);
}

async fn a_product_is_changed_member_by_member(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product_named("tea", "1000.00", 7).await;
    let path = format!("/products/{product}");
    for (change, name, price, status) in [
        (r#"{"name":"green tea"}"#, "green tea", "1000.00", "ACTIVE"),
        (r#"{"price":0}"#, "green tea", "0.00", "ACTIVE"),
        (r#"{"status":"INACTIVE"}"#, "green tea", "0.00", "INACTIVE"),
        (r#"{"name":"tea","price":9999999999999.99,"status":"ACTIVE"}"#, "tea", "9999999999999.99", "ACTIVE"),
    ] {
        let before = shop.get(&path).by(shop.admin).await.is(200);
        let changed = shop.patch(&path).by(shop.admin).body(change).await.is(200);
        let shown = changed.json();
        assert_eq!(
            (&shown["name"], &shown["status"], &shown["stock"]),
            (&json!(name), &json!(status), &json!(7))
        );
        assert_eq!(changed.raw("price"), price);
        let after = shop.get(&path).by(shop.admin).await.is(200);
        assert_eq!(
            (after.text.as_str(), after.header("etag")),
            (changed.text.as_str(), changed.header("etag"))
        );
        assert_ne!(before.header("etag"), after.header("etag"));
    }
}

async fn a_change_of_what_has_changed_since_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 7).await;
    let path = format!("/products/{product}");
    let seen = shop.get(&path).await.header("etag").unwrap().to_owned();
    let change =
        |tag: &str| shop.patch(&path).by(shop.admin).header("If-Match", tag).json(json!({"name": "other"}));

    let changed = change(&seen).await.is(200);
    let current = changed.header("etag").unwrap().to_owned();
    // A weak tag never proves that nothing has changed (RFC 9110, section 13.1.1).
    for stale in [seen.as_str(), "\"x\"", "", &format!("W/{current}")] {
        change(stale).await.problem(412, "PRECONDITION_FAILED");
    }
    assert_eq!(shop.get(&path).await.header("etag"), Some(current.as_str()));
    change(&format!("{seen}, {current}")).await.is(200);
    change("*").await.is(200);

    // A sale changes what was seen, too.
    let seen = shop.get(&path).await.header("etag").unwrap().to_owned();
    let buyer = shop.buyer(1_000).await;
    shop.order(buyer, product, 1).await.is(201);
    change(&seen).await.problem(412, "PRECONDITION_FAILED");
}

async fn what_cannot_be_changed_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 7).await;
    let path = format!("/products/{product}");
    for (body, pointer) in [
        ("{}", ""),
        (r#"{"name":null}"#, ""),
        (r#"{"name":""}"#, "/name"),
        (r#"{"price":-1}"#, "/price"),
        (r#"{"price":"1"}"#, "/price"),
        (r#"{"status":"active"}"#, "/status"),
        (r#"{"status":"DELETED"}"#, "/status"),
        (r#"{"stock":1}"#, "/stock"),
        (r#"{"id":"00000000-0000-7000-8000-000000000101"}"#, "/id"),
    ] {
        shop.patch(&path).by(shop.admin).body(body).await.invalid(&[pointer]);
    }
    let change = json!({"name": "x"});
    shop.patch(&format!("/products/{NOBODY}")).by(shop.admin).json(change).await.problem(404, "NOT_FOUND");
}

async fn stock_is_added_and_taken(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 10).await;
    let path = format!("/products/{product}/stock");
    for (delta, left) in [(5, 15), (-14, 1), (-1, 0), (1_000_000_000, 1_000_000_000)] {
        let body = json!({"delta": delta, "reason": "counted"});
        let answer = shop.post(&path).by(shop.admin).json(body).await.ok();
        assert_eq!((&answer["stock"], &answer["soldOut"]), (&json!(left), &json!(left == 0)));
        assert_eq!(shop.stock(product).await, left);
    }
    let events = shop.get("/admin/events").by(shop.admin).await.ok();
    let told: Vec<_> =
        events["content"].as_array().unwrap().iter().map(|event| &event["data"]["delta"]).collect();
    assert_eq!(told, [5, -14, -1, 1_000_000_000]);
    shop.assert_audit_is_clean().await;
}

async fn stock_never_falls_below_zero(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 10).await;
    let path = format!("/products/{product}/stock");
    let body = json!({"delta": -11, "reason": "counted"});
    let problem = shop.post(&path).by(shop.admin).json(body).await.problem(409, "OUT_OF_STOCK");
    let facts = (&problem["productId"], &problem["requested"], &problem["available"]);
    assert_eq!(facts, (&json!(product), &json!(11), &json!(10)));
    assert_eq!(shop.stock(product).await, 10);
    shop.assert_audit_is_clean().await;
}

async fn a_change_of_stock_without_sense_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 10).await;
    let path = format!("/products/{product}/stock");
    let long = "x".repeat(201);
    for (body, pointer) in [
        (r#"{"delta":0,"reason":"x"}"#.to_owned(), "/delta"),
        (r#"{"delta":1.5,"reason":"x"}"#.to_owned(), "/delta"),
        (r#"{"delta":"1","reason":"x"}"#.to_owned(), "/delta"),
        (r#"{"delta":1000000001,"reason":"x"}"#.to_owned(), "/delta"),
        (r#"{"delta":-9223372036854775808,"reason":"x"}"#.to_owned(), "/delta"),
        (r#"{"delta":9223372036854775808,"reason":"x"}"#.to_owned(), "/delta"),
        (r#"{"delta":1}"#.to_owned(), ""),
        (r#"{"delta":1,"reason":""}"#.to_owned(), "/reason"),
        (r#"{"delta":1,"reason":"  "}"#.to_owned(), "/reason"),
        (format!(r#"{{"delta":1,"reason":"{long}"}}"#), "/reason"),
        (r#"{"reason":"x"}"#.to_owned(), ""),
        (r#"{"delta":1,"reason":"x","stock":5}"#.to_owned(), "/stock"),
    ] {
        shop.post(&path).by(shop.admin).body(body).await.invalid(&[pointer]);
    }
    let too_many = json!({"delta": 1_000_000_000, "reason": "x"});
    shop.post(&path).by(shop.admin).json(too_many.clone()).await.problem(400, "VALIDATION_ERROR");
    let path = format!("/products/{NOBODY}/stock");
    shop.post(&path).by(shop.admin).json(too_many).await.problem(404, "NOT_FOUND");
    assert_eq!(shop.stock(product).await, 10);
}

async fn the_shop_is_run_by_administrators_only(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 10).await;
    let user = shop.user().await;
    let new = json!({"name": "x", "price": 1000, "stock": 1});
    let calls = || {
        [
            shop.post("/products").json(new.clone()),
            shop.post("/products:bulk").json(json!({"products": [new]})),
            shop.patch(&format!("/products/{product}")).json(json!({"price": 1})),
            shop.post(&format!("/products/{product}/stock")).json(json!({"delta": 1, "reason": "x"})),
        ]
    };
    for call in calls() {
        call.by(user).await.problem(403, "FORBIDDEN");
    }
    for call in calls() {
        let answer = call.await;
        answer.problem(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.contains("realm=")));
    }
    // A role is the user's, whatever the request claims.
    for (header, value) in [("X-User-Role", "ADMIN"), ("X-Role", "ADMIN"), ("Authorization", "Bearer ADMIN")]
    {
        let call = shop.post("/products").by(user).header(header, value).json(new.clone());
        call.await.problem(403, "FORBIDDEN");
    }
    let list = shop.get("/products").await.ok();
    assert_eq!((&list["totalElements"], &list["content"][0]["stock"]), (&json!(1), &json!(10)));
}
