//! Giving payments back.

use std::sync::Arc;

use kernel::{ProductId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Backend, Scenario, TestDatabase, Turn, scenarios};

use super::coupons::terms;
use crate::support::{NOBODY, Shop, card, id_in, instant};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_refund_is_answered_in_full,
        what_was_paid_comes_back_in_parts_as_the_preview_says,
        a_full_refund_gives_the_coupon_back,
        a_gateway_that_says_nothing_is_asked_again,
        a_refund_that_the_gateway_refuses_is_none,
        what_is_not_there_is_not_given_back,
        a_payment_is_given_back_within_seven_days,
        only_what_was_paid_is_given_back,
        members_of_a_refund_are_checked,
        refunds_are_their_buyers_and_the_administrators,
    ]
}

fn reason() -> Value {
    json!({"reason": "too small"})
}

fn some(items: &[(ProductId, u32)]) -> Value {
    let items: Vec<_> = items.iter().map(|(id, qty)| json!({"productId": id, "qty": qty})).collect();
    json!({"reason": "too small", "items": items})
}

/// A buyer with 10,000.00 left, who paid 20,000.00 by card and so many points on top of what is left.
async fn paid(shop: &Shop, points: i64) -> (UserId, ProductId, String, String) {
    let buyer = shop.buyer(10_000 + points).await;
    let tea = shop.product(10_000, 5).await;
    let order = shop.waiting(buyer, tea, 2).await;
    let payment = shop.paid(buyer, &order, card(points), 201).await;
    (buyer, tea, order, payment)
}

/// Returns what a refund and its preview have in common.
fn sums(body: &Value) -> Value {
    let mut sums = json!({});
    for member in ["paymentId", "items", "amount", "pointAmount", "cardAmount"] {
        sums[member] = body[member].clone();
    }
    sums
}

async fn a_refund_is_answered_in_full(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    let refund = || shop.give_back(buyer, &payment, "refund", json!({"reason": " 사이즈 "})).key("k");
    let made = refund().await.is(201);
    let body = made.json();
    let id = id_in(&body, "refundId");
    instant(&body["createdAt"]);
    instant(&body["settledAt"]);
    let shown = format!(
        r#"{{"refundId":"{id}","paymentId":"{payment}","orderId":"{order}","status":"SUCCESS","reason":"사이즈","items":[{{"productId":"{tea}","qty":2,"amount":20000.00}}],"amount":20000.00,"pointAmount":5000.00,"cardAmount":15000.00,"requestedBy":"{buyer}","createdAt":{},"settledAt":{}}}"#,
        body["createdAt"], body["settledAt"],
    );
    assert_eq!(made.text, shown);
    let location = made.header("location").unwrap();
    assert_eq!(location, format!("/api/v1/refunds/{id}"));
    assert_eq!(shop.call(Method::GET, location).by(buyer).await.is(200).text, shown);
    let all = shop.get(&format!("/payments/{payment}/refunds")).by(buyer).await.is(200).text;
    assert_eq!(all, format!(r#"{{"content":[{shown}],"nextCursor":null}}"#));
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("REFUNDED".into(), 5));
    assert_eq!(
        (shop.balance(buyer).await, shop.cards.kept().to_string()),
        ("15000.00".into(), "0.00".into())
    );
    assert_eq!(shop.ledger(buyer).await[0], ("REFUND".into(), 5_000.0, json!(order)));
    // The attempt stays what it was.
    assert_eq!(shop.payment(&payment).await["status"], "SUCCESS");

    let again = refund().await.is(201);
    assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (shown.as_str(), Some("true")));
    assert_eq!(again.header("location"), made.header("location"));
    shop.give_back(buyer, &payment, "refund", reason()).key("k").await.problem(409, "CONFLICT");
    for what in ["refund", "refund:preview"] {
        let call = shop.give_back(buyer, &payment, what, reason()).header("Accept-Language", "ko");
        assert_eq!(call.await.problem(409, "ALREADY_REFUNDED")["message"], "이미 환불되었습니다.");
    }
    shop.assert_audit_is_clean().await;
}

/// 7,777.77 of 32,097.30 was paid with points, with a tenth off.
async fn what_was_paid_comes_back_in_parts_as_the_preview_says(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let dear = shop.product_named("dear", "11111.11", 5).await;
    let cheap = shop.product_named("cheap", "1166.67", 5).await;
    shop.create_coupon(terms("TENTH", 10)).await.is(201);
    shop.claim("TENTH", buyer).await.is(200);
    let items = json!([{"productId": dear, "qty": 3}, {"productId": cheap, "qty": 2}]);
    let body = json!({"items": items, "couponCode": "TENTH", "payment": "LATER"});
    let order = id_in(&shop.post("/orders").by(buyer).json(body).await.is(201).json(), "orderId");
    let with = json!({"method": "CARD", "cardToken": "tok_ok", "usePoint": 7_777.77});
    let payment = shop.paid(buyer, &order, with, 201).await;
    let total = shop.cards.kept();
    assert_eq!(shop.balance(buyer).await, "2222.23");
    assert_eq!((shop.sold(dear, 1).await, shop.sold(cheap, 1).await), (3, 2));
    let mut given = Vec::new();
    for (days, (body, full)) in [
        (some(&[(dear, 1)]), false),
        (some(&[(cheap, 1), (dear, 1)]), false),
        (some(&[(cheap, 1)]), false),
        (reason(), true),
    ]
    .into_iter()
    .enumerate()
    {
        let preview = shop.give_back(buyer, &payment, "refund:preview", body.clone()).await.is(200);
        let promised = preview.json();
        assert_eq!((&promised["full"], promised.as_object().unwrap().len()), (&json!(full), 6));
        // It has done nothing.
        let before = shop.get(&format!("/payments/{payment}/refunds")).by(buyer).await.ok();
        assert_eq!(before["content"].as_array().unwrap().len(), days);
        let refund = shop.give_back(buyer, &payment, "refund", body).await.is(201);
        assert_eq!(sums(&refund.json()), sums(&promised));
        for member in ["items", "amount", "pointAmount", "cardAmount"] {
            assert_eq!(refund.raw(member), preview.raw(member));
        }
        given.insert(0, refund.json());
        let status = if full { "REFUNDED" } else { "PARTIALLY_REFUNDED" };
        assert_eq!(shop.status_of(&order).await, status);
        shop.assert_audit_is_clean().await;
    }
    assert!(total > shop.cards.kept());
    assert_eq!(
        (shop.cards.kept().to_string(), shop.balance(buyer).await),
        ("0.00".into(), "10000.00".into())
    );
    assert_eq!((shop.stock(dear).await, shop.stock(cheap).await), (5, 5));
    assert_eq!((shop.sold(dear, 2).await, shop.sold(cheap, 2).await), (0, 0));
    let all = shop.get(&format!("/payments/{payment}/refunds")).by(buyer).await.ok();
    assert_eq!(all["content"], json!(given));
    let statuses: Vec<_> = shop.history(&order).await.into_iter().map(|(status, _)| status).collect();
    let partly = "PARTIALLY_REFUNDED";
    assert_eq!(statuses, ["PENDING", "PAID", partly, partly, partly, "REFUNDED"]);
    let found = shop.get("/orders?status=REFUNDED").by(buyer).await.ok();
    assert_eq!(found["content"][0]["orderId"], json!(order));
}

async fn a_full_refund_gives_the_coupon_back(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let tea = shop.product(10_000, 5).await;
    shop.create_coupon(terms("TENTH", 10)).await.is(201);
    shop.claim("TENTH", buyer).await.is(200);
    let body = json!({"items": [{"productId": tea, "qty": 2}], "couponCode": "TENTH"});
    let order = id_in(&shop.post("/orders").by(buyer).json(body).await.is(201).json(), "orderId");
    let payments = shop.get(&format!("/orders/{order}/payments")).by(buyer).await.ok();
    let payment = id_in(&payments["content"][0], "paymentId");
    for (body, coupon, balance, sold) in
        [(some(&[(tea, 1)]), "USED", "91000.00", 1), (some(&[(tea, 1)]), "CLAIMED", "100000.00", 0)]
    {
        let refund = shop.give_back(buyer, &payment, "refund", body).await.is(201);
        assert_eq!((refund.raw("pointAmount"), refund.raw("cardAmount")), ("9000.00".into(), "0.00".into()));
        let held = shop.get(&format!("/users/{buyer}/coupons")).by(buyer).await.ok();
        let piece = &held["coupons"][0];
        assert_eq!((&piece["status"], piece.get("usedAt").is_some()), (&json!(coupon), coupon == "USED"));
        assert_eq!(
            (shop.balance(buyer).await, shop.sold(tea, 1 + sold).await),
            (balance.into(), u64::from(sold))
        );
        shop.assert_audit_is_clean().await;
    }
    assert_eq!(shop.cards.calls(), 0);
}

async fn a_gateway_that_says_nothing_is_asked_again(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    shop.cards.script([Turn::Lost]);
    let refund = || shop.give_back(buyer, &payment, "refund", some(&[(tea, 1)])).key("k");
    let pending = refund().await.is(202);
    let body = pending.json();
    let id = id_in(&body, "refundId");
    assert_eq!((&body["status"], body.get("settledAt")), (&json!("PENDING"), None));
    assert_eq!(pending.header("location"), Some(format!("/api/v1/refunds/{id}").as_str()));
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("PAID".into(), 3));
    // What is on its way is not given back once more.
    let problem = shop.give_back(buyer, &payment, "refund", some(&[(tea, 2)])).await.problem(409, "CONFLICT");
    assert_eq!((&problem["requested"], &problem["refundable"]), (&json!(2), &json!(1)));
    shop.assert_audit_is_clean().await;
    assert_eq!(shop.settlement.refunds.run_once().await.unwrap(), 1);
    assert_eq!(shop.settlement.refunds.run_once().await.unwrap(), 0);
    let settled = shop.get(&format!("/refunds/{id}")).by(buyer).await.ok();
    assert_eq!((&settled["status"], sums(&settled)), (&json!("SUCCESS"), sums(&body)));
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("PARTIALLY_REFUNDED".into(), 4));
    assert_eq!(
        (shop.balance(buyer).await, shop.cards.kept().to_string()),
        ("12500.00".into(), "7500.00".into())
    );
    let again = refund().await.is(202);
    assert_eq!(
        (again.text.as_str(), again.header("idempotency-replayed")),
        (pending.text.as_str(), Some("true"))
    );
    shop.assert_audit_is_clean().await;
}

async fn a_refund_that_the_gateway_refuses_is_none(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    shop.cards.script([Turn::Declined]);
    let refund = |key: &str| shop.give_back(buyer, &payment, "refund", reason()).key(key);
    let refused = refund("k").await;
    let id = id_in(&refused.problem(409, "CONFLICT"), "refundId");
    let again = refund("k").await;
    again.problem(409, "CONFLICT");
    assert_eq!((&again.text, again.header("idempotency-replayed")), (&refused.text, Some("true")));
    let shown = shop.get(&format!("/refunds/{id}")).by(buyer).await.ok();
    assert_eq!(shown["status"], "FAILED");
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("PAID".into(), 3));
    shop.assert_audit_is_clean().await;
    refund("other").await.is(201);
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("REFUNDED".into(), 5));
    shop.assert_audit_is_clean().await;
}

async fn what_is_not_there_is_not_given_back(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    let other = shop.product(1_000, 5).await;
    for what in ["refund", "refund:preview"] {
        let give_back = |items: &[(ProductId, u32)]| shop.give_back(buyer, &payment, what, some(items));
        let problem = give_back(&[(tea, 3)]).await.problem(409, "CONFLICT");
        assert_eq!((&problem["productId"], &problem["requested"]), (&json!(tea), &json!(3)));
        assert_eq!(problem["refundable"], 2);
        give_back(&[(tea, 2), (tea, 1)]).await.problem(409, "CONFLICT");
        let foreign = give_back(&[(tea, 1), (other, 1)]).await;
        foreign.invalid(&["/items"]);
        assert_eq!(foreign.problem(400, "VALIDATION_ERROR")["productId"], json!(other));
    }
    shop.give_back(buyer, &payment, "refund", some(&[(tea, 1), (tea, 1)])).await.is(201);
    for what in ["refund", "refund:preview"] {
        shop.give_back(buyer, &payment, what, some(&[(tea, 1)])).await.problem(409, "ALREADY_REFUNDED");
    }
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("REFUNDED".into(), 5));
    shop.assert_audit_is_clean().await;
}

async fn a_payment_is_given_back_within_seven_days(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    let past = match shop.database().backend {
        Backend::Sqlite => "2026-03-01T03:00:00+00:00",
        Backend::MySql => "2026-03-01 03:00:00",
    };
    shop.database().execute(&format!("UPDATE payments SET settled_at = '{past}'")).await;
    for caller in [buyer, shop.admin] {
        for what in ["refund", "refund:preview"] {
            let late = shop.give_back(caller, &payment, what, reason()).header("Accept-Language", "ko").await;
            let problem = late.problem(400, "REFUND_WINDOW_CLOSED");
            assert_eq!(problem["refundableUntil"], "2026-03-08T03:00:00Z");
            assert_eq!(problem["message"], "환불 가능 기간(결제 후 7일)이 지났습니다.");
        }
    }
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("PAID".into(), 3));
    assert_eq!(shop.cards.calls(), 1);
    shop.assert_audit_is_clean().await;
}

async fn only_what_was_paid_is_given_back(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let tea = shop.product(10_000, 5).await;
    let order = shop.waiting(buyer, tea, 1).await;
    shop.cards.script([Turn::Declined, Turn::Silent]);
    for status in [402, 202] {
        let payment = shop.paid(buyer, &order, card(0), status).await;
        for what in ["refund", "refund:preview"] {
            shop.give_back(buyer, &payment, what, reason()).await.problem(409, "CONFLICT");
        }
    }
    assert_eq!(shop.cards.calls(), 2);
    shop.assert_audit_is_clean().await;
}

async fn members_of_a_refund_are_checked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    let item = |qty: Value| json!({"reason": "x", "items": [{"productId": tea, "qty": qty}]});
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"reason": ""}), "/reason"),
        (json!({"reason": "  "}), "/reason"),
        (json!({"reason": "x".repeat(201)}), "/reason"),
        (json!({"reason": "a\u{7}b"}), "/reason"),
        (json!({"reason": 1}), "/reason"),
        (json!({"reason": "x", "amount": 1}), "/amount"),
        (json!({"reason": "x", "items": []}), "/items"),
        (json!({"reason": "x", "items": "all"}), "/items"),
        (json!({"reason": "x", "items": vec![json!({"productId": tea, "qty": 1}); 101]}), "/items"),
        (json!({"reason": "x", "items": [{"productId": tea}]}), "/items/0"),
        (json!({"reason": "x", "items": [{"productId": "tea", "qty": 1}]}), "/items/0/productId"),
        (json!({"reason": "x", "items": [{"productId": tea, "qty": 1, "amount": 1}]}), "/items/0/amount"),
        (item(json!(0)), "/items/0/qty"),
        (item(json!(-1)), "/items/0/qty"),
        (item(json!(1_001)), "/items/0/qty"),
        (item(json!(1.5)), "/items/0/qty"),
    ] {
        for what in ["refund", "refund:preview"] {
            let problem = shop.give_back(buyer, &payment, what, body.clone()).await;
            let problem = problem.problem(400, "VALIDATION_ERROR");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{what} {body}");
        }
    }
    for what in ["refund", "refund:preview"] {
        shop.give_back(buyer, "x", what, reason()).await.invalid(&["/id"]);
        shop.give_back(buyer, &payment, &format!("{what}?force=1"), reason()).await.invalid(&["/force"]);
    }
    shop.get("/refunds/x").by(buyer).await.invalid(&["/id"]);
    shop.get(&format!("/payments/{payment}/refunds?size=1")).by(buyer).await.invalid(&["/size"]);
    assert_eq!((shop.status_of(&order).await, shop.cards.calls()), ("PAID".into(), 1));
}

async fn refunds_are_their_buyers_and_the_administrators(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = paid(&shop, 5_000).await;
    let stranger = shop.user().await;
    for what in ["refund", "refund:preview"] {
        shop.give_back(stranger, &payment, what, reason()).await.problem(404, "NOT_FOUND");
        shop.give_back(buyer, NOBODY, what, reason()).await.problem(404, "NOT_FOUND");
        shop.post(&format!("/payments/{payment}/{what}")).json(reason()).await.problem(401, "UNAUTHORIZED");
    }
    shop.give_back(shop.admin, &payment, "refund:preview", reason()).await.is(200);
    let refund = shop.give_back(shop.admin, &payment, "refund", some(&[(tea, 1)])).await.is(201).json();
    assert_eq!(refund["requestedBy"], json!(shop.admin));
    // It goes to the buyer, whoever asked for it.
    assert_eq!(
        (shop.balance(buyer).await, shop.balance(shop.admin).await),
        ("12500.00".into(), "0.00".into())
    );
    let last = shop.history(&order).await.pop().unwrap();
    assert_eq!(last, ("PARTIALLY_REFUNDED".into(), shop.admin.to_string()));
    let id = id_in(&refund, "refundId");
    for path in [format!("/refunds/{id}"), format!("/payments/{payment}/refunds")] {
        let own = shop.get(&path).by(buyer).await.ok();
        assert_eq!(shop.get(&path).by(shop.admin).await.ok(), own);
        shop.get(&path).by(stranger).await.problem(404, "NOT_FOUND");
        shop.get(&path).await.problem(401, "UNAUTHORIZED");
    }
    for path in [format!("/refunds/{NOBODY}"), format!("/payments/{NOBODY}/refunds")] {
        shop.get(&path).by(shop.admin).await.problem(404, "NOT_FOUND");
    }
    shop.assert_audit_is_clean().await;
}
