//! Who may call what: every operation of the document, one after the other.

use std::sync::Arc;

use serde_json::json;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Answer, NOBODY, Operation, Shop, operations};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        every_operation_needs_a_caller_unless_it_is_open,
        a_caller_who_is_nobody_is_refused_before_anything_is_read,
        an_administrators_operation_is_refused_to_users_before_anything_is_read,
        the_document_and_the_server_know_the_same_operations,
    ]
}

/// What needs no caller, by the contract.
const OPEN: [&str; 13] = [
    "GET /actuator/health",
    "GET /api/v1/coupons",
    "GET /api/v1/coupons/{code}",
    "GET /api/v1/products",
    "GET /api/v1/products/popular",
    "GET /api/v1/products/popular/weekly",
    "GET /api/v1/products/top",
    "GET /api/v1/products/{id}",
    "GET /api/v1/stats/popular-products",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "POST /api/v1/users",
];

/// What is for administrators, by the contract.
const ADMINISTRATORS: [&str; 10] = [
    "GET /api/v1/admin/audit",
    "GET /api/v1/admin/events",
    "GET /api/v1/admin/outbox",
    "PATCH /api/v1/products/{id}",
    "POST /api/v1/admin/outbox/{id}/retry",
    "POST /api/v1/admin/outbox:replay",
    "POST /api/v1/coupons",
    "POST /api/v1/products",
    "POST /api/v1/products/{id}/stock",
    "POST /api/v1/products:bulk",
];

fn is_open(operation: &Operation) -> bool {
    OPEN.contains(&operation.name().as_str())
}

async fn every_operation_needs_a_caller_unless_it_is_open(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let mut open = Vec::new();
    for operation in operations() {
        let name = operation.name();
        let answer = shop.call(operation.method.clone(), &operation.path()).json(json!({})).await;
        if answer.status == 401 {
            assert_challenged(&answer);
            assert_eq!(operation.description["security"], json!([{"caller": []}]), "{name}");
            assert!(operation.promises("401"), "{name}");
        } else {
            assert!(answer.status < 500, "{name}: {}", answer.text);
            assert_eq!(operation.description.get("security"), None, "{name}");
            open.push(name);
        }
    }
    open.sort();
    assert_eq!(open, OPEN);
}

/// Whether the rest of the request is valid must not make a difference.
async fn a_caller_who_is_nobody_is_refused_before_anything_is_read(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for operation in operations().iter().filter(|operation| !is_open(operation)) {
        let wrong = operation.template.replace("{id}", "no-id");
        for path in [operation.path(), format!("{wrong}?unknown=1")] {
            let call = shop.call(operation.method.clone(), &path).header("X-User-Id", NOBODY).key("");
            assert_challenged(&call.body("{").await);
        }
    }
}

async fn an_administrators_operation_is_refused_to_users_before_anything_is_read(
    database: Arc<TestDatabase>,
) {
    let shop = Shop::open(database).await;
    let mut refused = Vec::new();
    for operation in operations().iter().filter(|operation| !is_open(operation)) {
        // A user of its own each time: the server has not met this one.
        let user = shop.user().await;
        let wrong = operation.template.replace("{id}", "no-id");
        let call = shop.call(operation.method.clone(), &format!("{wrong}?unknown=1")).by(user).key("");
        let answer = call.body("{").await;
        if answer.status == 403 {
            answer.problem(403, "FORBIDDEN");
            refused.push(operation.name());
        }
        assert_eq!(operation.promises("403"), answer.status == 403, "{}: {}", operation.name(), answer.text);
    }
    refused.sort();
    assert_eq!(refused, ADMINISTRATORS);
}

async fn the_document_and_the_server_know_the_same_operations(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for operation in operations() {
        let call = shop.call(operation.method.clone(), &operation.path()).by(shop.admin);
        let answer = call.json(json!({})).await;
        assert_ne!(answer.status, 405, "{}", operation.name());
        // What is not found is a thing, not a route.
        assert!(!answer.text.contains("there is nothing here"), "{}", operation.name());
        let promised = operation.promises(&answer.status.to_string());
        assert!(promised, "{} answered {}: {}", operation.name(), answer.status, answer.text);
    }
}

#[track_caller]
fn assert_challenged(answer: &Answer) {
    answer.problem(401, "UNAUTHORIZED");
    assert!(answer.header("www-authenticate").is_some_and(|text| text.contains("realm=")), "{answer:?}");
}
