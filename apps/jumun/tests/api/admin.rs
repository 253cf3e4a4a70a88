//! Administration: the outbox as it is seen, the feed of events, the audit.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        the_outbox_shows_each_event_and_how_far_it_has_come,
        the_feed_tells_everything_in_its_order,
        only_what_failed_is_sent_again,
        a_replay_is_tried_before_it_is_done,
        a_replay_that_makes_no_sense_is_refused,
        the_audit_names_what_is_broken,
        administration_is_for_administrators,
    ]
}

async fn the_outbox_shows_each_event_and_how_far_it_has_come(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product_named("tea", "1000.50", 10).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{trace}-b7ad6b7169203331-01");
    let order = shop.order(buyer, product, 2).header("traceparent", parent).await.is(201).json();

    let answer = shop.get("/admin/outbox").by(shop.admin).await.is(200);
    assert!(answer.text.contains(r#""paidAmount":2001.00"#), "{}", answer.text);
    let outbox = answer.json();
    assert_eq!(outbox["nextCursor"], Value::Null);
    let [paid, placed] = outbox["content"].as_array().unwrap().as_slice() else { panic!("{outbox:#}") };
    for (event, kind, sequence) in [(placed, "OrderPlaced", 1), (paid, "OrderPaid", 2)] {
        assert_eq!(event["type"], kind);
        assert_eq!(event["sequence"], sequence);
        assert_eq!((&event["aggregateType"], &event["aggregateId"]), (&json!("order"), &order["orderId"]));
        assert_eq!((&event["status"], &event["attempts"]), (&json!("PENDING"), &json!(0)));
        assert_eq!(event["occurredAt"], order["createdAt"]);
        assert_eq!((event.get("sentAt"), event.get("lastError")), (None, None));
        assert_eq!(event["traceparent"].as_str().unwrap()[3..35], *trace);
        assert_eq!((&event["data"]["orderId"], &event["data"]["userId"]), (&order["orderId"], &json!(buyer)));
    }
    assert_eq!(placed["data"]["items"][0]["qty"], 2);

    shop.database().execute("UPDATE outbox SET status = 'DEAD' WHERE event_type = 'OrderPaid'").await;
    for (query, kinds) in [
        ("status=DEAD", ["OrderPaid"].as_slice()),
        ("status=PENDING", &["OrderPlaced"]),
        ("status=SENT", &[]),
        ("status=FAILED", &[]),
        ("size=1", &["OrderPaid"]),
    ] {
        let page = shop.get(&format!("/admin/outbox?{query}")).by(shop.admin).await.ok();
        assert_eq!(types(&page), kinds, "{query}");
    }
    let first = shop.get("/admin/outbox?size=1").by(shop.admin).await.ok();
    let path = format!("/admin/outbox?size=1&cursor={}", first["nextCursor"].as_str().unwrap());
    let second = shop.get(&path).by(shop.admin).await.ok();
    assert_eq!((types(&second), &second["nextCursor"]), (vec!["OrderPlaced"], &Value::Null));
    for (query, pointer) in [
        ("status=dead", "/status"),
        ("cursor=x", "/cursor"),
        ("size=0", "/size"),
        ("size=101", "/size"),
        ("type=OrderPaid", "/type"),
    ] {
        shop.get(&format!("/admin/outbox?{query}")).by(shop.admin).await.invalid(&[pointer]);
    }
}

async fn the_feed_tells_everything_in_its_order(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    shop.order(buyer, product, 1).await.is(201);
    let stock = json!({"delta": 1, "reason": "delivery"});
    shop.post(&format!("/products/{product}/stock")).by(shop.admin).json(stock).await.is(200);
    shop.order(buyer, product, 1).await.is(201);

    let all = ["OrderPlaced", "OrderPaid", "StockAdjusted", "OrderPlaced", "OrderPaid"];
    let feed = shop.get("/admin/events").by(shop.admin).await.ok();
    assert_eq!(types(&feed), all);
    let mut found = Vec::new();
    let mut next = Some(String::new());
    while let Some(after) = next {
        let parameter = if after.is_empty() { String::new() } else { format!("&after={after}") };
        let page = shop.get(&format!("/admin/events?size=2{parameter}")).by(shop.admin).await.ok();
        found.extend(page["content"].as_array().unwrap().clone());
        next = page["nextCursor"].as_str().map(str::to_owned);
    }
    assert_eq!(json!(found), feed["content"]);

    // Whoever keeps the id of the last event can go on from there.
    let third = feed["content"][2]["id"].as_str().unwrap();
    let rest = shop.get(&format!("/admin/events?after={third}")).by(shop.admin).await.ok();
    assert_eq!(types(&rest), all[3..]);
    let last = feed["content"][4]["id"].as_str().unwrap();
    let nothing = shop.get(&format!("/admin/events?after={last}")).by(shop.admin).await.ok();
    assert_eq!(nothing, json!({"content": [], "nextCursor": null}));
    for (query, pointer) in
        [("after=x", "/after"), ("after=", "/after"), ("cursor=x", "/cursor"), ("size=0", "/size")]
    {
        shop.get(&format!("/admin/events?{query}")).by(shop.admin).await.invalid(&[pointer]);
    }
}

async fn only_what_failed_is_sent_again(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    shop.order(buyer, product, 1).await.is(201);
    let feed = shop.get("/admin/events").by(shop.admin).await.ok();
    let id = feed["content"][0]["id"].as_str().unwrap().to_owned();
    let retry = |id: &str| shop.post(&format!("/admin/outbox/{id}/retry")).by(shop.admin);

    retry(&id).await.problem(404, "NOT_FOUND");
    retry(NOBODY).await.problem(404, "NOT_FOUND");
    retry("x").await.invalid(&["/id"]);
    for status in ["DEAD", "FAILED"] {
        let broken = format!(
            "UPDATE outbox SET status = '{status}', attempts = 10, next_attempt_at = NULL WHERE sequence = 1"
        );
        shop.database().execute(&broken).await;
        let answer = retry(&id).await.is(202);
        assert_eq!(answer.text, "");
        let event = shop.get("/admin/events?size=1").by(shop.admin).await.ok()["content"][0].clone();
        assert_eq!((&event["status"], &event["attempts"]), (&json!("PENDING"), &json!(0)), "{status}");
        retry(&id).await.problem(404, "NOT_FOUND");
    }
}

async fn a_replay_is_tried_before_it_is_done(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    for _ in 0..2 {
        shop.order(buyer, product, 1).await.is(201);
    }
    let sent = "UPDATE outbox SET status = 'SENT', sent_at = occurred_at, next_attempt_at = NULL";
    shop.database().execute(&format!("{sent} WHERE event_type = 'OrderPaid'")).await;
    let replay = |body: Value| shop.post("/admin/outbox:replay").by(shop.admin).json(body);
    let (past, future) = ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z");

    for (body, matched) in [
        (json!({"from": past, "to": future, "dryRun": true}), 2),
        (json!({"from": past, "to": future, "type": "OrderPaid", "dryRun": true}), 2),
        (json!({"from": past, "to": future, "type": "OrderPlaced", "dryRun": true}), 0),
        (json!({"from": past, "to": "2020-01-02T00:00:00Z", "dryRun": true}), 0),
    ] {
        let expected = json!({"matched": matched, "replayed": 0, "dryRun": true});
        assert_eq!(replay(body.clone()).await.ok(), expected, "{body}");
    }
    let page = shop.get("/admin/outbox?status=SENT").by(shop.admin).await.ok();
    assert_eq!(types(&page), ["OrderPaid", "OrderPaid"]);
    let ids = |page: &Value| -> Vec<Value> {
        page["content"].as_array().unwrap().iter().map(|event| event["id"].clone()).collect()
    };
    let before = ids(&shop.get("/admin/events").by(shop.admin).await.ok());

    let real = json!({"from": past, "to": future});
    assert_eq!(replay(real.clone()).await.ok(), json!({"matched": 2, "replayed": 2, "dryRun": false}));
    let after = shop.get("/admin/events").by(shop.admin).await.ok();
    assert_eq!(ids(&after), before);
    assert!(after["content"].as_array().unwrap().iter().all(|event| event["status"] == "PENDING"));
    assert_eq!(replay(real).await.ok(), json!({"matched": 0, "replayed": 0, "dryRun": false}));
    shop.assert_audit_is_clean().await;
}

async fn a_replay_that_makes_no_sense_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (past, future) = ("2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z");
    for (body, pointer) in [
        (json!({"from": future, "to": past}), "/to"),
        (json!({"from": past, "to": past}), "/to"),
        (json!({"from": past}), ""),
        (json!({"to": past}), ""),
        (json!({"from": "yesterday", "to": future}), "/from"),
        (json!({"from": past, "to": 5}), "/to"),
        (json!({"from": "0999-12-31T23:59:59Z", "to": future}), "/from"),
        (json!({"from": "2016-12-31T23:59:60Z", "to": future}), "/from"),
        (json!({"from": past, "to": "+10000-01-01T00:00:00Z"}), "/to"),
        (json!({"from": past, "to": future, "dryRun": "yes"}), "/dryRun"),
        (json!({"from": past, "to": future, "dry_run": true}), "/dry_run"),
    ] {
        shop.post("/admin/outbox:replay").by(shop.admin).json(body).await.invalid(&[pointer]);
    }
}

async fn the_audit_names_what_is_broken(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    shop.order(buyer, product, 1).await.is(201);
    let checks = shop.assert_audit_is_clean().await.json()["checks"].as_array().unwrap().len();
    assert!(checks >= 10, "{checks}");

    shop.database().execute("UPDATE products SET stock = stock + 1").await;
    let report = shop.get("/admin/audit").by(shop.admin).await.ok();
    assert_eq!(report["clean"], false);
    let broken: Vec<_> =
        report["checks"].as_array().unwrap().iter().filter(|check| check["violations"] != 0).collect();
    let [broken] = broken.as_slice() else { panic!("{report:#}") };
    assert_eq!((&broken["violations"], &broken["offenders"]), (&json!(1), &json!([product])));
    assert!(broken["rule"].as_str().unwrap().contains("stock"), "{broken}");
}

async fn administration_is_for_administrators(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    for path in ["/admin/outbox", "/admin/events", "/admin/audit"] {
        shop.get(path).by(user).await.problem(403, "FORBIDDEN");
        shop.get(path).await.problem(401, "UNAUTHORIZED");
    }
    for path in ["/admin/outbox:replay".to_owned(), format!("/admin/outbox/{NOBODY}/retry")] {
        shop.post(&path).by(user).json(json!({})).await.problem(403, "FORBIDDEN");
        shop.post(&path).json(json!({})).await.problem(401, "UNAUTHORIZED");
    }
}

fn types(page: &Value) -> Vec<&str> {
    page["content"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect()
}
