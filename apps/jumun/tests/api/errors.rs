//! The form of every error, and what goes with every answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Operation, Shop, operations};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_message_is_in_the_callers_language,
        a_trace_is_continued,
        a_trace_is_begun_where_there_is_none,
        a_request_id_is_returned,
        what_is_not_there_is_not_found,
        a_method_that_a_path_does_not_know_is_refused,
        a_path_is_told_as_it_was_sent,
        no_operation_takes_a_parameter_that_it_does_not_know,
    ]
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

async fn no_operation_takes_a_parameter_that_it_does_not_know(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    // Who is not the gateway is told that first, see the notices.
    let asked = |operation: &&Operation| {
        operation.template.starts_with("/api/") && !operation.template.contains("/webhooks/")
    };
    for operation in operations().iter().filter(asked) {
        let path = format!("{}?nobodyKnowsMe=1", operation.path());
        let call = shop.call(operation.method.clone(), &path).by(shop.admin);
        call.json(json!({})).await.invalid(&["/nobodyKnowsMe"]);
    }
}

async fn a_message_is_in_the_callers_language(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let product = shop.product(1_000, 3).await;
    for (language, message) in [
        (None, format!("only 3 of product {product} left, 4 requested")),
        (Some("en-US,en;q=0.9,ko;q=0.8"), format!("only 3 of product {product} left, 4 requested")),
        (Some("fr"), format!("only 3 of product {product} left, 4 requested")),
        (Some("ko"), "재고가 부족합니다. 요청 4개, 재고 3개".to_owned()),
        (Some("ko-KR,ko;q=0.9,en;q=0.8"), "재고가 부족합니다. 요청 4개, 재고 3개".to_owned()),
    ] {
        let call = shop.order(buyer, product, 4);
        let call =
            if let Some(language) = language { call.header("Accept-Language", language) } else { call };
        let problem = call.await.problem(409, "OUT_OF_STOCK");
        assert_eq!(problem["message"], message, "{language:?}");
        // The detail is for developers and their searches, whoever calls.
        assert_eq!(problem["detail"], format!("only 3 of product {product} left, 4 requested"));
        assert_eq!(problem["title"], "Conflict");
    }
    let korean = |path: &str| shop.get(path).header("Accept-Language", "ko");
    for (answer, status, code, message) in [
        (korean("/wallets").await, 401, "UNAUTHORIZED", "인증이 필요합니다."),
        (korean("/admin/audit").by(buyer).await, 403, "FORBIDDEN", "관리자만 사용할 수 있습니다."),
        (
            korean(&format!("/orders/{NOBODY}")).by(buyer).await,
            404,
            "NOT_FOUND",
            "요청한 대상을 찾을 수 없습니다.",
        ),
        (korean("/products?size=0").await, 400, "VALIDATION_ERROR", "요청 값이 올바르지 않습니다."),
        (korean("/nothing").await, 404, "NOT_FOUND", "요청한 대상을 찾을 수 없습니다."),
        (
            shop.order(buyer, shop.product(6_000, 1).await, 1).header("Accept-Language", "ko").await,
            409,
            "INSUFFICIENT_BALANCE",
            "포인트 잔액이 부족합니다. 필요 6000.00원, 잔액 5000.00원",
        ),
    ] {
        assert_eq!(answer.problem(status, code)["message"], message);
    }
}

async fn a_trace_is_continued(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for flags in ["00", "01"] {
        let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
        let problem = shop.get("/wallets").header("traceparent", &parent).await.problem(401, "UNAUTHORIZED");
        assert_eq!(problem["traceId"], TRACE);
    }
    // A later version is read as far as version 00 defines it.
    let parent = format!("cc-{TRACE}-b7ad6b7169203331-01-what-the-future-brings");
    let problem = shop.get("/nothing").header("traceparent", parent).await.problem(404, "NOT_FOUND");
    assert_eq!(problem["traceId"], TRACE);
}

async fn a_trace_is_begun_where_there_is_none(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let mut seen = Vec::new();
    for parent in [
        None,
        Some("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        Some("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"),
        Some("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        Some("0af7651916cd43dd8448eb211c80319c"),
        Some("\u{e9}"),
    ] {
        let call = shop.get("/wallets");
        let call = if let Some(parent) = parent { call.header("traceparent", parent) } else { call };
        let problem = call.await.problem(401, "UNAUTHORIZED");
        let trace = problem["traceId"].as_str().unwrap().to_owned();
        assert_ne!(trace, TRACE, "{parent:?}");
        assert!(!seen.contains(&trace) && trace.bytes().any(|b| b != b'0'), "{parent:?}");
        seen.push(trace);
    }
}

async fn a_request_id_is_returned(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let longest = "r".repeat(128);
    for id in ["request-7", "a/b:c;d", &longest] {
        for (path, status) in [("/products", 200), ("/wallets", 401), ("/nothing", 404)] {
            let answer = shop.get(path).header("X-Request-Id", id).await.is(status);
            assert_eq!(answer.header("x-request-id"), Some(id), "{path}");
        }
    }
    // What could harm a log is replaced.
    let long = "r".repeat(129);
    for id in [None, Some(""), Some("two words"), Some("\u{e9}"), Some(&long)] {
        let call = shop.get("/products");
        let call = if let Some(id) = id { call.header("X-Request-Id", id) } else { call };
        let answer = call.await.is(200);
        let given = answer.header("x-request-id").unwrap();
        assert!(given.parse::<uuid::Uuid>().is_ok(), "{id:?}: {given}");
    }
    let answer = shop.get("/products").await.is(200);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

async fn what_is_not_there_is_not_found(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/products",
        "/api/v1/product",
        "/api/v1/products/",
        "/api/v1/products/x/y",
        "/api/v1//products",
        "/api/v1/orders/x/tips",
        "/health",
        "/metrics/",
        "/openapi.yaml",
        "/%2e%2e/etc/passwd",
        "/.env",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            shop.call(method, path).by(shop.admin).await.problem(404, "NOT_FOUND");
        }
    }
}

async fn a_method_that_a_path_does_not_know_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let mut paths: BTreeMap<String, Vec<Method>> = BTreeMap::new();
    for operation in operations() {
        paths.entry(operation.path()).or_default().push(operation.method);
    }
    for path in ["/openapi.json", "/docs"] {
        paths.insert(path.to_owned(), vec![Method::GET]);
    }
    let all = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for (path, known) in paths {
        let allowed: Vec<_> =
            all.iter().filter(|method| known.contains(method)).map(Method::as_str).collect();
        let others = all.iter().filter(|method| !known.contains(method)).cloned();
        for method in others.chain(["PURGE".parse().unwrap()]) {
            let answer = shop.call(method.clone(), &path).by(shop.admin).json(json!({})).await;
            answer.problem(405, "METHOD_NOT_ALLOWED");
            assert_eq!(answer.header("allow"), Some(allowed.join(", ").as_str()), "{method} {path}");
        }
    }
}

async fn a_path_is_told_as_it_was_sent(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    // `problem` compares the path of each error with that of its request.
    for path in
        ["/api/v1/%ED%82%A4", "/api/v1/%22%3Cscript%3E", "/api/v1/a%2Fb", "/api/v1/x%0d%0aSet-Cookie:a"]
    {
        let answer = shop.call(Method::GET, &format!("{path}?secret=1")).await;
        let problem = answer.problem(404, "NOT_FOUND");
        assert!(!problem.to_string().contains("secret"));
        assert_eq!(answer.header("set-cookie"), None);
    }
}
