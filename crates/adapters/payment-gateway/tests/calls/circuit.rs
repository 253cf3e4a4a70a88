//! A gateway that fails again and again is left alone, and found again; and what is measured of it.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use payment::PaymentGateway;
use payment_gateway::TimeLimits;
use tokio::time::Instant;

use crate::doubles::{LONG, card_charge, card_refund, charge_json, client, payment_id, word};
use crate::gateway::{Act, Gateway, answer};

fn failing() -> Act {
    answer("500 Internal Server Error", "")
}

fn well() -> Act {
    answer("201 Created", &charge_json("SUCCEEDED"))
}

#[tokio::test]
async fn after_five_failures_in_a_row_nothing_is_sent() {
    let gateway = Gateway::doing(vec![failing()]).await;
    let client = client(gateway.base(), LONG);
    for _ in 0..5 {
        assert_eq!(word(&client.charge(&card_charge()).await), "unknown");
    }
    assert_eq!(word(&client.charge(&card_charge()).await), "not sent");
    assert_eq!(word(&client.refund(&card_refund()).await), "not sent");
    assert_eq!(word(&client.find(payment_id(), None).await), "not sent");
    assert_eq!(gateway.requests().len(), 5);
}

#[tokio::test]
async fn failures_that_are_not_in_a_row_and_refusals_leave_the_circuit_closed() {
    let refused = || answer("422 Unprocessable Content", r#"{"error":"nothing_left"}"#);
    let declined = || answer("201 Created", &charge_json("DECLINED"));
    let missing = || answer("404 Not Found", r#"{"error":"charge_not_found"}"#);
    for interlude in [refused, declined, missing] {
        let mut acts = vec![failing(); 4];
        acts.push(interlude());
        acts.extend(vec![failing(); 4]);
        acts.extend(vec![interlude(); 7]);
        let count = acts.len();
        let gateway = Gateway::doing(acts).await;
        let client = client(gateway.base(), LONG);
        for _ in 0..count {
            drop(client.find(payment_id(), None).await);
        }
        assert_eq!(gateway.requests().len(), count);
    }
}

#[tokio::test]
async fn after_a_pause_one_call_tries_and_closes_the_circuit() {
    let pause = Duration::from_millis(200);
    let mut acts = vec![failing(); 5];
    acts.extend([failing(), well()]);
    let gateway = Gateway::doing(acts).await;
    let client = client(gateway.base(), TimeLimits { pause, ..LONG });
    for _ in 0..5 {
        drop(client.charge(&card_charge()).await);
    }
    let opened = Instant::now();
    // The first that tries fails too, which begins the pause anew; the second closes the circuit.
    while client.charge(&card_charge()).await.is_err() {
        assert!(opened.elapsed() < Duration::from_secs(30));
        tokio::task::yield_now().await;
    }
    assert!(opened.elapsed() >= 2 * pause, "{:?}", opened.elapsed());
    assert_eq!(gateway.requests().len(), 7, "one tries at a time");
    for _ in 0..3 {
        client.charge(&card_charge()).await.unwrap();
    }
}

#[test]
fn what_happens_is_measured() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let mut acts = vec![well(), answer("422 Unprocessable Content", "")];
            acts.extend(vec![failing(); 5]);
            let gateway = Gateway::doing(acts).await;
            let client = client(gateway.base(), LONG);
            for _ in 0..7 {
                drop(client.charge(&card_charge()).await);
            }
            drop(client.find(payment_id(), None).await);
        });
    });
    let text = recorder.handle().render();
    for line in [
        r#"jumun_gateway_requests_total{operation="charge",outcome="captured"} 1"#,
        r#"jumun_gateway_requests_total{operation="charge",outcome="refused"} 1"#,
        r#"jumun_gateway_requests_total{operation="charge",outcome="unknown"} 5"#,
        r#"jumun_gateway_requests_total{operation="find",outcome="circuit_open"} 1"#,
        r#"jumun_gateway_request_duration_seconds_count{operation="charge"} 7"#,
        "jumun_gateway_circuit_open 1",
    ] {
        assert!(text.lines().any(|present| present == line), "{line} in {text}");
    }
    assert!(!text.contains("canary"), "{text}");
}
