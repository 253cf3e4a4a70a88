//! What the gateway writes, letter by letter, and what it refuses.

use reqwest::{Method, StatusCode};

use super::site::Site;

const CHARGE: &str = r#"{"amount":12345.00,"currency":"KRW","cardToken":"tok_ok","orderId":"o-1"}"#;

async fn post(site: &Site, key: Option<&str>, body: &str) -> (StatusCode, String) {
    site.call(Method::POST, "/v1/payments", key, body.to_owned()).await
}

#[tokio::test]
async fn amounts_keep_their_decimals() {
    let site = Site::new();
    let (status, charge) = post(&site, Some("k-1"), CHARGE).await;
    assert_eq!(status, StatusCode::CREATED);
    let (head, tail) = charge.split_once(r#"","key":"#).unwrap();
    assert!(head.starts_with(r#"{"id":"pay_"#), "{charge}");
    assert_eq!(tail, r#""k-1","status":"SUCCEEDED","amount":12345.00,"refundedAmount":0.00}"#);
    assert_eq!(site.get("/v1/payments?key=k-1").await, (StatusCode::OK, charge.clone()));
    assert_eq!(site.get("/v1/payments").await, (StatusCode::OK, format!(r#"{{"content":[{charge}]}}"#)));
}

#[tokio::test]
async fn what_is_not_as_documented_is_refused_and_takes_nothing() {
    let site = Site::new();
    let long = "k".repeat(256);
    for (key, body, expected) in [
        (None, CHARGE.to_owned(), (400, "missing_idempotency_key")),
        (Some(""), CHARGE.to_owned(), (400, "missing_idempotency_key")),
        (Some(long.as_str()), CHARGE.to_owned(), (400, "missing_idempotency_key")),
        (Some("k"), "{".to_owned(), (400, "invalid_request")),
        (Some("k"), CHARGE.replace("12345.00", "\"12345.00\""), (400, "invalid_request")),
        (Some("k"), CHARGE.replace("12345.00", "1.001"), (400, "invalid_request")),
        (Some("k"), CHARGE.replace("orderId", "order"), (400, "invalid_request")),
        (Some("k"), CHARGE.replace("12345.00", "0"), (422, "invalid_amount")),
        (Some("k"), CHARGE.replace("12345.00", "-5"), (422, "invalid_amount")),
        (Some("k"), CHARGE.replace("KRW", "USD"), (422, "unsupported_currency")),
    ] {
        let (status, text) = post(&site, key, &body).await;
        let (expected_status, code) = expected;
        assert_eq!((status.as_u16(), text), (expected_status, format!(r#"{{"error":"{code}"}}"#)), "{body}");
    }
    assert!(site.charges().await.is_empty());
    let missing = (StatusCode::NOT_FOUND, r#"{"error":"charge_not_found"}"#.to_owned());
    assert_eq!(site.get("/v1/payments?key=k").await, missing);
    assert_eq!(site.get("/v1/payments/pay_1/refunds").await, missing);
    assert_eq!(site.get("/v1/payments?id=1").await.0, StatusCode::BAD_REQUEST);
}
