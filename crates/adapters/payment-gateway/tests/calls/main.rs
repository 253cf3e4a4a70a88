//! What the client puts on the wire, and what it makes of the answers.

#![cfg(test)]

mod circuit;
mod doubles;
mod gateway;
mod troubles;

use kernel::{Money, TraceContext};
use payment::{CardCharge, CardRefund, ChargeState, GatewayCharge, PaymentGateway};
use payment_gateway::{PaymentGatewayClient, SetupError};

use doubles::{
    LONG, TRACEPARENT, card_charge, card_refund, charge_json, client, ids, payment_id, refund_json, word,
};
use gateway::{Gateway, answer};

/// Sends the charge to a gateway that answers like this once, and returns what came of it in a word.
async fn charged(status: &str, body: &str) -> String {
    let gateway = Gateway::doing(vec![answer(status, body)]).await;
    let result = client(gateway.base(), LONG).charge(&card_charge()).await;
    gateway.only_request();
    word(&result)
}

async fn found(status: &str, body: &str) -> String {
    let gateway = Gateway::doing(vec![answer(status, body)]).await;
    let result = client(gateway.base(), LONG).find(payment_id(), None).await;
    gateway.only_request();
    if matches!(result, Ok(None)) { "none".to_owned() } else { word(&result) }
}

async fn refunded(status: &str, body: &str) -> String {
    let gateway = Gateway::doing(vec![answer(status, body)]).await;
    let result = client(gateway.base(), LONG).refund(&card_refund()).await;
    gateway.only_request();
    word(&result)
}

/// Fails the test unless a request has the header and is a child span of the trace of the request.
fn assert_traced(request: &str) {
    let header = request.lines().find_map(|line| line.strip_prefix("traceparent: ")).unwrap();
    let (call, origin): (TraceContext, TraceContext) =
        (header.parse().unwrap(), TRACEPARENT.parse().unwrap());
    assert_eq!(call.trace_id(), origin.trace_id());
    assert_ne!(call, origin);
}

#[tokio::test]
async fn a_charge_goes_out_with_its_key_and_its_amount_untouched() {
    let gateway = Gateway::doing(vec![answer("201 Created", &charge_json("SUCCEEDED"))]).await;

    let charge = client(gateway.base(), LONG).charge(&card_charge()).await.unwrap();

    let expected =
        GatewayCharge { id: "pay_1".to_owned(), amount: Money::won(12_345), state: ChargeState::Captured };
    assert_eq!(charge, expected);
    let request = gateway.only_request();
    assert!(request.starts_with("POST /pay/v1/payments HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/json\r\n"), "{request}");
    assert!(request.contains("\r\nidempotency-key: 00000000-0000-0000-0000-000000000001\r\n"), "{request}");
    assert!(!request.to_lowercase().contains("authorization"), "{request}");
    assert_traced(&request);
    let body = concat!(
        r#"{"amount":12345.00,"currency":"KRW","cardToken":"tok_canary_4242","#,
        r#""orderId":"00000000-0000-0000-0000-000000000002"}"#
    );
    assert!(request.ends_with(&format!("\r\n\r\n{body}")), "{request}");
}

#[tokio::test]
async fn a_refund_goes_out_below_its_charge() {
    let gateway = Gateway::doing(vec![answer("201 Created", &refund_json())]).await;

    client(gateway.base(), LONG).refund(&card_refund()).await.unwrap();

    let request = gateway.only_request();
    assert!(request.starts_with("POST /pay/v1/payments/pay_1/refunds HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nidempotency-key: 00000000-0000-0000-0000-000000000003\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"amount\":10.00}"), "{request}");
    assert_traced(&request);
}

#[tokio::test]
async fn a_charge_is_asked_for_by_its_key() {
    let gateway = Gateway::doing(vec![answer("200 OK", &charge_json("PENDING"))]).await;
    let client = client(gateway.base(), LONG);

    let found = client.find(payment_id(), Some(TRACEPARENT.parse().unwrap())).await.unwrap();

    assert_eq!(found.unwrap().state, ChargeState::Pending);
    let request = gateway.only_request();
    let line = "GET /pay/v1/payments?key=00000000-0000-0000-0000-000000000001 HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
    assert_traced(&request);

    client.find(payment_id(), None).await.unwrap();
    assert!(!gateway.requests()[1].contains("traceparent"));
}

#[tokio::test]
async fn each_state_of_a_charge_is_understood() {
    let declined = r#"DECLINED","declineCode":"insufficient_funds"#;
    let hostile = r#"DECLINED","declineCode":"<script>alert(1)</script>"#;
    let telltale = r#"DECLINED","declineCode":"bad_tok_canary_4242"#;
    let code = |code: &str| ChargeState::Declined { code: code.to_owned() };
    for (status, word, state) in [
        ("200 OK", "SUCCEEDED", ChargeState::Captured),
        ("202 Accepted", "PENDING", ChargeState::Pending),
        ("201 Created", declined, code("insufficient_funds")),
        ("201 Created", "DECLINED", code("declined")),
        ("201 Created", hostile, code("declined")),
        ("201 Created", telltale, code("declined")),
    ] {
        let gateway = Gateway::doing(vec![answer(status, &charge_json(word))]).await;
        let charge = client(gateway.base(), LONG).charge(&card_charge()).await.unwrap();
        assert_eq!(charge.state, state, "{word}");
    }
}

#[tokio::test]
async fn only_some_statuses_say_that_nothing_was_done() {
    let body = r#"{"error":"card_not_supported"}"#;
    for (status, expected) in [
        ("400 Bad Request", "not sent"),
        ("401 Unauthorized", "not sent"),
        ("403 Forbidden", "not sent"),
        ("404 Not Found", "not sent"),
        ("409 Conflict", "unknown"),
        ("422 Unprocessable Content", "refused: card_not_supported"),
        ("304 Not Modified", "unknown"),
        ("402 Payment Required", "unknown"),
        ("408 Request Timeout", "unknown"),
        ("425 Too Early", "unknown"),
        ("429 Too Many Requests", "unknown"),
        ("499 Client Closed Request", "unknown"),
        ("500 Internal Server Error", "unknown"),
        ("502 Bad Gateway", "unknown"),
        ("503 Service Unavailable", "unknown"),
    ] {
        // 304 has no body on the wire.
        let body = if status.starts_with("304") { "" } else { body };
        assert_eq!(charged(status, body).await, expected, "{status}");
        assert_eq!(refunded(status, body).await, expected, "{status}");
        let asked = if status.starts_with("404") { "unknown" } else { expected };
        assert_eq!(found(status, body).await, asked, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_without_a_plain_code_is_named_by_its_status() {
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(65));
    for body in [
        "",
        "<html>no</html>",
        "{}",
        r#"{"error":42}"#,
        r#"{"error":"no money"}"#,
        r#"{"error":"tok_canary_4242"}"#,
        &long,
    ] {
        assert_eq!(charged("422 Unprocessable Content", body).await, "refused: http_422", "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_as_documented_decides_nothing() {
    let good = charge_json("SUCCEEDED");
    for body in [
        String::new(),
        "{".to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}}}"),
        format!("[{good}]"),
        format!(r#"["pay_1","{}","SUCCEEDED",12345.00,null]"#, payment_id()),
        charge_json("tok_canary_4242"),
        charge_json("succeeded"),
        good.replace("\"id\"", "\"tok_canary_4242\""),
        good.replace("\"pay_1\"", "\"\""),
        good.replace("\"pay_1\"", "\"..\""),
        good.replace("\"pay_1\"", "{\"tok_canary_4242\":1}"),
        good.replace("pay_1", &"p".repeat(65)),
        good.replace("000000000001", "000000000002"),
        good.replace("\"key\"", "\"other\""),
        good.replace("12345.00", "\"12345.00\""),
        good.replace("12345.00", "\"tok_canary_4242\""),
        good.replace("12345.00", "null"),
        good.replace("12345.00", "0.00"),
        good.replace("12345.00", "-12345.00"),
        good.replace("12345.00", "12345.001"),
        good.replace("12345.00", "1e400"),
        good.replace("\"amount\":", "\"amount\":1.00,\"amount\":"),
    ] {
        assert_eq!(charged("201 Created", &body).await, "unknown", "{body}");
        assert_eq!(found("200 OK", &body).await, "unknown", "{body}");
    }
    let good = refund_json();
    for body in [
        String::new(),
        good.replace("SUCCEEDED", "PENDING"),
        good.replace("\"id\"", "\"other\""),
        good.replace("000000000003", "000000000004"),
        good.replace("10.00", "9.99"),
        good.replace("10.00", "\"10.00\""),
    ] {
        assert_eq!(refunded("201 Created", &body).await, "unknown", "{body}");
    }
}

#[tokio::test]
async fn only_the_gateway_says_that_there_is_no_charge() {
    assert_eq!(found("404 Not Found", r#"{"error":"charge_not_found"}"#).await, "none");
    for body in ["", "<html>404</html>", "{}", r#"{"error":"not_found"}"#, r#"["charge_not_found"]"#] {
        assert_eq!(found("404 Not Found", body).await, "unknown", "{body}");
    }
}

#[tokio::test]
async fn what_is_no_id_of_a_charge_is_not_put_into_an_address() {
    let gateway = Gateway::doing(vec![answer("201 Created", &refund_json())]).await;
    let client = client(gateway.base(), LONG);
    for charge_id in ["", "..", "pay 1", &"p".repeat(65)] {
        let refund = CardRefund { charge_id: charge_id.to_owned(), ..card_refund() };
        assert_eq!(word(&client.refund(&refund).await), "refused: invalid_charge_id");
    }
    assert!(gateway.requests().is_empty());
    let refund = CardRefund { charge_id: "../x?y#z".to_owned(), ..card_refund() };
    client.refund(&refund).await.unwrap();
    let request = gateway.only_request();
    assert!(request.starts_with("POST /pay/v1/payments/..%2Fx%3Fy%23z/refunds HTTP/1.1\r\n"), "{request}");
}

#[tokio::test]
async fn a_repeated_call_is_the_same_letter_by_letter_but_for_its_span() {
    let gateway = Gateway::doing(vec![answer("201 Created", &charge_json("SUCCEEDED"))]).await;
    let client = client(gateway.base(), LONG);
    let charge = CardCharge { trace: None, ..card_charge() };
    for _ in 0..2 {
        client.charge(&charge).await.unwrap();
    }
    let requests = gateway.requests();
    assert_eq!(requests[0], requests[1]);
}

#[test]
fn an_address_is_checked_at_once_and_shown() {
    let base = "http://127.0.0.1:8081/pay".parse().unwrap();
    assert_eq!(
        format!("{:?}", client(base, LONG)),
        r#"PaymentGatewayClient { endpoint: "http://127.0.0.1:8081/pay/v1/payments", .. }"#
    );
    let refused = PaymentGatewayClient::new("ftp://gateway".parse().unwrap(), LONG, ids());
    assert!(matches!(refused, Err(SetupError::InvalidAddress)));
}
