//! Health, metrics and documentation.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Answer, NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_living_process_says_so,
        a_head_is_answered_as_a_get_without_its_body,
        readiness_names_each_dependency,
        metrics_have_their_names,
        the_document_is_what_the_code_says,
        the_documentation_needs_nothing_from_the_internet,
    ]
}

async fn get(shop: &Shop, path: &str) -> Answer {
    shop.call(Method::GET, path).await
}

async fn a_living_process_says_so(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    assert_eq!(get(&shop, "/health/live").await.ok(), json!({"status": "UP", "dependencies": []}));
}

async fn a_head_is_answered_as_a_get_without_its_body(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (path, status) in
        [("/health/ready", 200), ("/api/v1/products", 200), ("/api/v1/wallets", 401), ("/none", 404)]
    {
        let answer = shop.call(Method::HEAD, path).await.is(status);
        assert_eq!(answer.text, "", "{path}");
    }
}

async fn readiness_names_each_dependency(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for path in ["/health/ready", "/actuator/health"] {
        let health = get(&shop, path).await.ok();
        assert_eq!(health["status"], "UP");
        let [dependency] = health["dependencies"].as_array().unwrap().as_slice() else { panic!("{health}") };
        assert_eq!((&dependency["name"], &dependency["status"]), (&json!("database"), &json!("UP")));
        assert!(dependency["latencyMs"].is_u64(), "{dependency}");
    }
}

async fn metrics_have_their_names(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    shop.order(buyer, product, 1).await.is(201);
    shop.get(&format!("/orders/{NOBODY}")).by(buyer).await.problem(404, "NOT_FOUND");
    shop.get(&format!("/nothing/{NOBODY}")).await.problem(404, "NOT_FOUND");
    shop.order(buyer, product, 10).await.problem(409, "OUT_OF_STOCK");
    let answer = get(&shop, "/metrics").await.is(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        r#"jumun_http_requests_total{method="POST",route="/api/v1/orders",status="201"} "#,
        r#"jumun_http_requests_total{method="GET",route="/api/v1/orders/{id}",status="404"} "#,
        r#"jumun_http_requests_total{method="GET",route="unmatched",status="404"} "#,
        r#"jumun_http_request_duration_seconds_bucket{method="POST",route="/api/v1/orders",le="0.005"} "#,
        r#"jumun_rejections_total{code="NOT_FOUND"} "#,
        r#"jumun_rejections_total{code="OUT_OF_STOCK"} "#,
        r#"jumun_orders_total{status="PAID"} "#,
        r#"jumun_transactions_total{name="place_orders",outcome="committed"} "#,
        r#"jumun_transaction_retries_total{name="place_orders"} "#,
        r#"jumun_transaction_duration_seconds_bucket{name="place_orders",le="+Inf"} "#,
        "# TYPE jumun_http_requests_total counter",
        "# TYPE jumun_http_request_duration_seconds histogram",
    ] {
        assert!(answer.text.contains(line), "{line}\n{}", answer.text);
    }
    // What callers choose is no label.
    assert!(!answer.text.contains(NOBODY) && !answer.text.contains(&buyer.to_string()));
}

async fn the_document_is_what_the_code_says(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let document = get(&shop, "/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document, json!(jumun::http::openapi()));
    // Every reference leads somewhere.
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads elsewhere"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect_references(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| collect_references(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, references)),
        _ => {}
    }
}

async fn the_documentation_needs_nothing_from_the_internet(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let moved = get(&shop, "/docs").await.is(308);
    assert_eq!(moved.header("location"), Some("/docs/"));
    let page = get(&shop, "/docs/").await.is(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"), "{:?}", page.headers);
    let mut assets: Vec<_> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.text.split(attribute).skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assets.sort_unstable();
    assert!(assets.iter().any(|asset| asset.ends_with("swagger-initializer.js")), "{assets:?}");
    for asset in assets {
        assert!(!asset.contains("//"), "{asset}");
        let path = format!("/docs/{}", asset.trim_start_matches("./"));
        let answer = get(&shop, &path).await.is(200);
        let media = answer.header("content-type").unwrap();
        let expected = match asset.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "image/png",
        };
        assert!(media.starts_with(expected), "{asset} is {media}");
        if asset.ends_with("css") {
            assert!(!answer.text.contains("url(http") && !answer.text.contains("@import"), "{asset}");
        }
    }
    let initializer = get(&shop, "/docs/swagger-initializer.js").await.is(200);
    assert!(initializer.text.contains("\"/openapi.json\""), "{}", initializer.text);
    assert!(!initializer.text.contains("http"), "{}", initializer.text);
    // Left to itself the page shows a badge of validator.swagger.io.
    assert!(initializer.text.contains("\"validatorUrl\": \"none\""), "{}", initializer.text);
    get(&shop, "/docs/nothing.js").await.problem(404, "NOT_FOUND");
    get(&shop, "/docs/..%2f..%2fCargo.toml").await.problem(404, "NOT_FOUND");
}
