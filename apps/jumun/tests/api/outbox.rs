//! Events on their whole way: from a request, through the outbox and a worker, to the data platform.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, eventually, scenarios};
use tokio::time::Instant;

use crate::support::{Delivery, Platform, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        the_events_of_an_order_arrive_in_order_with_its_trace,
        a_change_of_stock_arrives,
        a_platform_that_fails_never_slows_an_order_down,
        what_was_delivered_is_delivered_again_if_asked,
    ]
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn the_events_of_an_order_arrive_in_order_with_its_trace(database: Arc<TestDatabase>) {
    let shop = Shop::open(database.clone()).await;
    let platform = Platform::start();
    let delivery = Delivery::start(&shop, &platform);
    let buyer = shop.buyer(100_000).await;
    let product = shop.product_named("tea", "19900.00", 10).await;
    let order = shop.order(buyer, product, 2).header("traceparent", PARENT).await.is(201).json();
    let id = order["orderId"].as_str().unwrap();

    let events = platform.arrived(id, 2).await;
    for (event, (kind, sequence)) in
        events.iter().zip([("OrderPlaced", "0000000001"), ("OrderPaid", "0000000002")])
    {
        assert_eq!((&event["type"], &event["sequence"]), (&json!(kind), &json!(sequence)));
        assert_eq!((&event["specversion"], &event["partitionkey"]), (&json!("1.0"), &json!(id)));
        assert_eq!(event["traceparent"].as_str().unwrap()[3..35], *TRACE);
        assert_ne!(event["traceparent"], PARENT, "our part of the trace has a span of its own");
        assert_eq!((&event["data"]["orderId"], &event["data"]["userId"]), (&json!(id), &json!(buyer)));
        assert_eq!(event["deliveries"], 1);
    }
    assert_eq!(events[0]["data"]["totalAmount"], 39_800.0);
    assert_eq!(events[1]["data"]["paidAmount"], 39_800.0);

    jumun::worker::measure_outbox(&database.database, &local::SystemClock).await;
    eventually("the outbox is measured", || async {
        let metrics = shop.call(Method::GET, "/metrics").await.is(200).text;
        let measured = |name: &str| metrics.lines().any(|line| line.starts_with(name));
        let names = [
            r#"jumun_outbox_deliveries_total{outcome="sent"} "#,
            "jumun_outbox_waiting ",
            "jumun_outbox_dead ",
            "jumun_outbox_lag_seconds ",
        ];
        names.into_iter().all(measured).then_some(())
    })
    .await;
    let settled = sent(&shop, 2).await;
    for (entry, event) in settled.iter().rev().zip(&events) {
        assert_eq!((&entry["id"], &entry["attempts"]), (&event["id"], &json!(1)));
        assert!(entry["sentAt"].is_string(), "{entry}");
    }
    delivery.finish().await;
    shop.assert_audit_is_clean().await;
}

async fn a_change_of_stock_arrives(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let platform = Platform::start();
    let delivery = Delivery::start(&shop, &platform);
    let product = shop.product(1_000, 10).await;
    let path = format!("/products/{product}/stock");
    for delta in [5, -3] {
        let body = json!({"delta": delta, "reason": "재고 조사"});
        shop.post(&path).by(shop.admin).header("traceparent", PARENT).json(body).await.is(200);
    }
    let events = platform.arrived(&product.to_string(), 2).await;
    for (event, (delta, stock)) in events.iter().zip([(5, 15), (-3, 12)]) {
        assert_eq!(event["type"], "StockAdjusted");
        let expected = json!({"productId": product, "delta": delta, "stock": stock, "reason": "재고 조사"});
        assert_eq!(event["data"], expected);
        assert_eq!(event["traceparent"].as_str().unwrap()[3..35], *TRACE);
    }
    delivery.finish().await;
}

async fn a_platform_that_fails_never_slows_an_order_down(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let platform = Platform::start();
    platform.set_faults(json!({"errorRate": 1, "status": 503, "delayMs": 2_500})).await;
    let delivery = Delivery::start(&shop, &platform);
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let begun = Instant::now();
    let order = shop.order(buyer, product, 1).await.is(201).json();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let id = order["orderId"].as_str().unwrap();

    let failed = eventually("the first event fails", || async {
        let page = shop.get("/admin/outbox?status=FAILED").by(shop.admin).await.ok();
        page["content"].as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!(failed["type"], "OrderPlaced");
    assert_eq!(failed["lastError"], "the receiver answered 503");
    assert!(failed["attempts"].as_u64().unwrap() >= 1);
    assert_eq!(platform.arrivals(id).await, [Value::Null; 0]);
    // What waits has not been tried before its time.
    let waiting = shop.get("/admin/outbox?status=PENDING").by(shop.admin).await.ok();
    assert_eq!(waiting["content"][0]["type"], "OrderPaid");
    assert_eq!(waiting["content"][0]["attempts"], 0);

    platform.set_faults(json!({})).await;
    // Due at once, without its pause. It may have become due by itself in between: then it is sent as well.
    let path = format!("/admin/outbox/{}/retry", failed["id"].as_str().unwrap());
    let status = shop.post(&path).by(shop.admin).await.status;
    assert!(matches!(status, 202 | 404), "{status}");
    let events = platform.arrived(id, 2).await;
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["OrderPlaced", "OrderPaid"]);
    assert_eq!(events[0]["id"], failed["id"]);
    sent(&shop, 2).await;
    delivery.finish().await;
    shop.assert_audit_is_clean().await;
}

async fn what_was_delivered_is_delivered_again_if_asked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let platform = Platform::start();
    let delivery = Delivery::start(&shop, &platform);
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let order = shop.order(buyer, product, 1).await.is(201).json();
    let id = order["orderId"].as_str().unwrap();
    let first = platform.arrived(id, 2).await;
    sent(&shop, 2).await;

    let mut range = json!({"from": "2020-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z", "dryRun": true});
    let replay = |range: &Value| shop.post("/admin/outbox:replay").by(shop.admin).json(range.clone());
    assert_eq!(replay(&range).await.ok()["matched"], 2);
    range["dryRun"] = json!(false);
    assert_eq!(replay(&range).await.ok()["replayed"], 2);
    let again = eventually("the events arrive again", || async {
        let events = platform.arrivals(id).await;
        events.iter().all(|event| event["deliveries"] == 2).then_some(events)
    })
    .await;
    let ids = |events: &[Value]| events.iter().map(|event| event["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&first));
    sent(&shop, 2).await;
    delivery.finish().await;
}

/// Waits until so many events are settled as sent, and returns them, the newest first.
async fn sent(shop: &Shop, count: usize) -> Vec<Value> {
    eventually("the events are settled", || async {
        let page = shop.get("/admin/outbox?status=SENT").by(shop.admin).await.ok();
        let events = page["content"].as_array().unwrap().clone();
        (events.len() == count).then_some(events)
    })
    .await
}
