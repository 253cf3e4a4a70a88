//! Many products at once.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Call, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        each_product_has_its_result,
        one_that_is_wrong_holds_back_all,
        ones_that_are_wrong_are_skipped_if_asked,
        a_list_holds_1_to_1000_products,
        what_is_no_list_is_refused,
        a_repeated_list_is_created_once,
    ]
}

async fn each_product_has_its_result(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let body = json!({"products": [product("a"), product("b")]});
    let answer = bulk(&shop, body).await.is(201).json();
    assert_eq!((&answer["created"], &answer["rejected"]), (&json!(2), &json!(0)));
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        let result = &answer["results"][index];
        assert_eq!((&result["index"], &result["status"]), (&json!(index), &json!("CREATED")));
        assert_eq!(result["product"]["name"], name);
        let path = format!("/products/{}", result["product"]["id"].as_str().unwrap());
        assert_eq!(shop.get(&path).await.ok(), result["product"]);
    }
    shop.assert_audit_is_clean().await;
}

async fn one_that_is_wrong_holds_back_all(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let wrong = json!([
        product("a"),
        {"name": "", "price": -1, "stock": 1},
        {"name": "c", "price": 1, "stock": 1, "status": "INACTIVE"},
        {"name": "d", "price": 1.001, "stock": 1},
        ["e", 1, 1],
        {"name": "f", "price": -1, "stock": 1},
    ]);
    let pointers =
        ["/products/1/name", "/products/2/status", "/products/3/price", "/products/4", "/products/5/price"];
    for on_error in [None, Some("reject")] {
        let mut body = json!({"products": wrong});
        if let Some(on_error) = on_error {
            body["onError"] = json!(on_error);
        }
        bulk(&shop, body).await.invalid(&pointers);
    }
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 0);
}

async fn ones_that_are_wrong_are_skipped_if_asked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let products = json!([product("a"), {"name": "b", "price": -1, "stock": 1}, {"name": "c"}, product("d")]);
    let body = json!({"onError": "skip", "products": products});
    let answer = bulk(&shop, body).await.is(201).json();
    assert_eq!((&answer["created"], &answer["rejected"]), (&json!(2), &json!(2)));
    let results = answer["results"].as_array().unwrap();
    let states: Vec<_> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["CREATED", "REJECTED", "REJECTED", "CREATED"]);
    for result in &results[1..3] {
        assert_eq!(result["error"], "VALIDATION_ERROR");
        assert!(result["message"].as_str().is_some_and(|message| !message.is_empty()), "{result}");
        assert_eq!(result.get("product"), None);
    }
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 2);

    let nothing = json!({"onError": "skip", "products": [{}, 1, null]});
    let answer = bulk(&shop, nothing).await.is(201).json();
    assert_eq!((&answer["created"], &answer["rejected"]), (&json!(0), &json!(3)));
    shop.assert_audit_is_clean().await;
}

async fn a_list_holds_1_to_1000_products(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let many = |count: usize| {
        let products: Vec<_> = (0..count).map(|number| product(&format!("product {number}"))).collect();
        json!({"products": products})
    };
    bulk(&shop, many(0)).await.invalid(&["/products"]);
    bulk(&shop, many(1_001)).await.invalid(&["/products"]);
    let answer = bulk(&shop, many(1_000)).await.is(201).json();
    assert_eq!((&answer["created"], answer["results"].as_array().unwrap().len()), (&json!(1_000), 1_000));
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 1_000);
    shop.assert_audit_is_clean().await;
}

async fn what_is_no_list_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (body, pointer) in [
        (json!({}), ""),
        (json!([]), ""),
        (json!({"products": {}}), "/products"),
        (json!({"products": [], "onError": "ignore"}), "/onError"),
        (json!({"products": [product("a")], "dryRun": true}), "/dryRun"),
    ] {
        bulk(&shop, body).await.invalid(&[pointer]);
    }
}

/// White space and the order of members make no difference, within each product as well.
async fn a_repeated_list_is_created_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let send = |body: &'static str| shop.post("/products:bulk").by(shop.admin).key("list").body(body);
    let first = send(r#"{"onError":"skip","products":[{"name":"a","price":1000,"stock":1},{"name":""}]}"#);
    let first = first.await.is(201);
    for same in [
        r#"{"onError":"skip","products":[{"name":"a","price":1000,"stock":1},{"name":""}]}"#,
        r#" { "products" : [ { "stock": 1, "price": 1000.00, "name": "a" }, {"name":""} ], "onError":"skip" } "#,
    ] {
        let again = send(same).await.is(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.text, first.text);
    }
    let other = r#"{"onError":"skip","products":[{"name":"b","price":1000,"stock":1},{"name":""}]}"#;
    send(other).await.problem(409, "CONFLICT");
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 1);
}

fn bulk(shop: &Shop, body: Value) -> Call {
    shop.post("/products:bulk").by(shop.admin).json(body)
}

fn product(name: &str) -> Value {
    json!({"name": name, "price": 1_000, "stock": 1})
}
