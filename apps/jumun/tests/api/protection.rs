//! What answers say to browsers and caches, and what is shown to strangers.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Method;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Answer, NOBODY, Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        every_kind_of_answer_has_its_headers,
        another_origin_is_permitted_nothing,
        documents_are_shown_only_where_that_is_wanted,
    ]
}

const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Returns the headers of an answer, those that differ each time by their names alone.
fn headers(answer: &Answer) -> BTreeMap<&str, &str> {
    let named = answer.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let varying = ["content-length", "date", "x-request-id", "etag", "location"];
    named.map(|(name, value)| (name, if varying.contains(&name) { "…" } else { value })).collect()
}

/// Golden: a header that is new, gone or different is a decision.
async fn every_kind_of_answer_has_its_headers(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = shop.order(buyer, product, 1).await.is(201).json()["orderId"].clone();
    let order = format!("/orders/{}", order.as_str().unwrap());
    let tag = shop.get(&order).by(buyer).await.header("etag").unwrap().to_owned();
    let problem = "application/problem+json";
    let get = |path: &str| shop.call(Method::GET, path);
    let csp = ("content-security-policy", DATA);
    let (kept, unkept) = (("cache-control", "private, no-cache"), ("cache-control", "no-store"));
    let (json, tagged) = (("content-type", "application/json"), ("etag", "…"));
    let html = ("content-type", "text/html");
    let page = [("content-security-policy", PAGE), ("x-frame-options", "DENY")];
    for (what, answer, expected) in [
        ("a list", shop.get("/products").await.is(200), vec![csp, unkept, json, ("vary", "accept-encoding")]),
        ("a product", shop.get(&format!("/products/{product}")).await.is(200), vec![csp, kept, json, tagged]),
        ("an order", shop.get(&order).by(buyer).await.is(200), vec![csp, kept, json, tagged]),
        (
            "an order that is known",
            shop.get(&order).by(buyer).header("If-None-Match", &tag).await.is(304),
            vec![csp, kept, tagged],
        ),
        ("a wallet", shop.get("/wallets").by(buyer).await.is(200), vec![csp, unkept, json]),
        (
            "a new order",
            shop.order(buyer, product, 1).await.is(201),
            vec![csp, unkept, json, ("location", "…")],
        ),
        (
            "nobody",
            shop.get("/wallets").await.is(401),
            vec![csp, unkept, ("content-type", problem), ("www-authenticate", "X-User-Id realm=\"jumun\"")],
        ),
        (
            "nothing",
            shop.get(&format!("/orders/{NOBODY}")).by(buyer).await.is(404),
            vec![csp, unkept, ("content-type", problem)],
        ),
        ("no path", get("/nothing").await.is(404), vec![csp, unkept, ("content-type", problem)]),
        ("health", get("/health/live").await.is(200), vec![csp, unkept, json]),
        ("the page", get("/docs/").await.is(200), [vec![html], page.to_vec()].concat()),
    ] {
        let always = [("content-length", "…"), ("date", "…"), ("x-request-id", "…")];
        let always = always.into_iter().filter(|(name, _)| answer.status != 304 || *name != "content-length");
        let expected = expected.into_iter().chain(always).chain([("x-content-type-options", "nosniff")]);
        let mut found = headers(&answer);
        // The files of Swagger UI have tags of their own making.
        if what == "the page" {
            found.remove("etag");
        }
        assert_eq!(found, expected.collect(), "{what}");
    }
}

async fn another_origin_is_permitted_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.user().await;
    for path in ["/api/v1/products", "/api/v1/wallets", "/health/live", "/metrics", "/openapi.json", "/docs/"]
    {
        let ask = |method| shop.call(method, path).header("Origin", "https://evil.example");
        let preflight = ask(Method::OPTIONS)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "X-User-Id, Authorization")
            .await;
        assert!(matches!(preflight.status, 404 | 405), "{path} {}", preflight.status);
        for answer in [preflight, ask(Method::GET).by(buyer).await.is(200)] {
            let permits = |name: &str| name.starts_with("access-control-") || name == "server";
            assert!(!answer.headers.keys().any(|name| permits(name.as_str())), "{:?}", answer.headers);
        }
    }
}

async fn documents_are_shown_only_where_that_is_wanted(database: Arc<TestDatabase>) {
    let shop = Shop::open_with(database, Setup { hidden: true, ..Setup::default() }).await;
    for path in ["/openapi.json", "/docs", "/docs/", "/docs/index.html", "/docs/swagger-ui.css"] {
        for method in [Method::GET, Method::POST] {
            shop.call(method, path).await.problem(404, "NOT_FOUND");
        }
    }
    shop.get("/products").await.is(200);
}
