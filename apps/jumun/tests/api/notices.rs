//! What the payment gateway tells on its own account.

use std::sync::Arc;
use std::time::Duration;

use kernel::{ProductId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, Turn, scenarios};

use crate::support::{Answer, NOBODY, Shop, card, charge, id_in, sign};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_notice_settles_a_payment_once,
        a_notice_of_a_failure_settles_too,
        a_notice_that_is_not_believed_says_nothing,
        a_notice_that_cannot_be_read_is_refused,
        what_a_notice_says_must_fit,
        money_that_comes_too_late_goes_back,
    ]
}

const HOOK: &str = "/api/v1/webhooks/payment-gateway";

/// A payment of 10,000.00, half of it by card, of which the gateway has said nothing yet.
async fn pending(shop: &Shop) -> (UserId, ProductId, String, String) {
    let buyer = shop.buyer(5_000).await;
    let tea = shop.product(10_000, 5).await;
    let order = shop.waiting(buyer, tea, 1).await;
    shop.cards.script([Turn::Pending]);
    let payment = shop.paid(buyer, &order, card(5_000), 202).await;
    (buyer, tea, order, payment)
}

async fn a_notice_settles_a_payment_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = pending(&shop).await;
    let succeeded = charge(&payment, "SUCCEEDED", 5_000);
    for id in ["msg_1", "msg_1", "msg_2"] {
        let heard = shop.notice(id, "payment.succeeded", &succeeded).await.is(204);
        assert_eq!((heard.text.as_str(), heard.header("content-type")), ("", None));
    }
    let shown = shop.payment(&payment).await;
    assert_eq!((&shown["status"], &shown["amount"]), (&json!("SUCCESS"), &json!(10_000.0)));
    let user = buyer.to_string();
    assert_eq!(shop.history(&order).await, [("PENDING".into(), user.clone()), ("PAID".into(), user)]);
    assert_eq!((shop.balance(buyer).await, shop.sold(tea, 1).await), ("0.00".into(), 1));
    let events = shop.get("/admin/events?size=100").by(shop.admin).await.ok();
    let paid = events["content"].as_array().unwrap().iter().filter(|event| event["type"] == "OrderPaid");
    assert_eq!(paid.count(), 1);
    // It cannot be undone by other words: a person has to look.
    let failed = charge(&payment, "DECLINED", 5_000);
    shop.notice("msg_3", "payment.failed", &failed).await.problem(409, "CONFLICT");
    assert_eq!(shop.payment(&payment).await, shown);
    shop.assert_audit_is_clean().await;
}

async fn a_notice_of_a_failure_settles_too(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, tea, order, payment) = pending(&shop).await;
    let mut declined = charge(&payment, "DECLINED", 5_000);
    declined["declineCode"] = json!("lost_card");
    shop.notice("msg_1", "payment.failed", &declined).await.is(204);
    let shown = shop.payment(&payment).await;
    assert_eq!((&shown["status"], &shown["declineCode"]), (&json!("FAILED"), &json!("lost_card")));
    assert_eq!(
        (shop.balance(buyer).await, shop.status_of(&order).await),
        ("5000.00".into(), "PENDING".into())
    );
    assert_eq!(shop.stock(tea).await, 4);
    shop.assert_audit_is_clean().await;
    shop.paid(buyer, &order, card(0), 201).await;
    shop.assert_audit_is_clean().await;
}

#[track_caller]
fn assert_not_believed(answer: &Answer) {
    answer.problem(401, "UNAUTHORIZED");
    assert_eq!(answer.header("www-authenticate"), Some(r#"Signature realm="payment-gateway""#));
}

async fn a_notice_that_is_not_believed_says_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (_, _, order, payment) = pending(&shop).await;
    let body = json!({"type": "payment.succeeded", "timestamp": "2026-03-01T03:00:00Z",
        "data": charge(&payment, "SUCCEEDED", 5_000)})
    .to_string();
    let (at, signature) = sign("msg_1", Duration::ZERO, &body);
    let (_, other) = sign("msg_2", Duration::ZERO, &body);
    let headers = [("webhook-id", "msg_1"), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    let send = |headers: &[(&str, &str)], body: &str| {
        let call = shop.call(Method::POST, HOOK).body(body.to_owned());
        headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    };
    for place in 0..3 {
        let mut missing = headers.to_vec();
        let (name, value) = missing.remove(place);
        assert_not_believed(&send(&missing, &body).await);
        // There twice, even if it is the same.
        missing.extend([(name, value), (name, value)]);
        assert_not_believed(&send(&missing, &body).await);
    }
    for wrong in [other.as_str(), "", "v1,", "v1,AAAA", signature.trim_start_matches("v1,")] {
        let headers = [headers[0], headers[1], ("webhook-signature", wrong)];
        assert_not_believed(&send(&headers, &body).await);
    }
    for wrong in ["", "0", "x", "-1", "9999999999999", &format!("{at}.5")] {
        let headers = [headers[0], ("webhook-timestamp", wrong), headers[2]];
        assert_not_believed(&send(&headers, &body).await);
    }
    assert_not_believed(&send(&headers, &body.replace("5000", "5001")).await);
    assert_not_believed(&send(&headers, "").await);
    for seconds in [301, 3_600] {
        assert_not_believed(&shop.signed("old", Duration::from_secs(seconds), body.clone()).await);
    }
    // Who the caller says to be is of no interest, an administrator included.
    assert_not_believed(&shop.call(Method::POST, HOOK).by(shop.admin).body(body.clone()).await);
    assert_eq!(shop.status_of(&order).await, "PENDING");
    shop.assert_audit_is_clean().await;

    // With another signature beside it, as while keys are changed, it is believed.
    let both = format!("v1a,AAAA {other} {signature}");
    send(&[headers[0], headers[1], ("webhook-signature", &both)], &body).await.is(204);
    assert_eq!(shop.status_of(&order).await, "PAID");
    shop.assert_audit_is_clean().await;
}

async fn a_notice_that_cannot_be_read_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (_, _, order, payment) = pending(&shop).await;
    let at = "2026-03-01T03:00:00Z";
    let with = |data: Value| json!({"type": "payment.succeeded", "timestamp": at, "data": data}).to_string();
    let mut nameless = charge(&payment, "SUCCEEDED", 5_000);
    nameless["key"] = json!("x");
    for body in [
        String::new(),
        "{".into(),
        "[]".into(),
        "null".into(),
        json!({"type": "payment.succeeded"}).to_string(),
        json!({"type": "payment.succeeded", "timestamp": at}).to_string(),
        json!({"type": "payment.succeeded", "timestamp": "x", "data": {}}).to_string(),
        with(json!({})),
        with(nameless),
        with(charge(&payment, "SETTLED", 5_000)),
        with(charge(&payment, "SUCCEEDED", 0)),
        // The type says one thing and the charge another.
        with(charge(&payment, "DECLINED", 5_000)),
        with(charge(&payment, "PENDING", 5_000)),
    ] {
        let refused = shop.signed("msg_1", Duration::ZERO, body.clone()).await;
        assert_eq!(refused.status, 400, "{body}: {}", refused.text);
        refused.problem(400, "VALIDATION_ERROR");
    }
    assert_eq!(shop.status_of(&order).await, "PENDING");
    // Its id has not been used up.
    shop.notice("msg_1", "payment.succeeded", &charge(&payment, "SUCCEEDED", 5_000)).await.is(204);
    assert_eq!(shop.status_of(&order).await, "PAID");
    shop.assert_audit_is_clean().await;
}

async fn what_a_notice_says_must_fit(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (_, _, order, payment) = pending(&shop).await;
    let unknown = charge(NOBODY, "SUCCEEDED", 5_000);
    shop.notice("msg_1", "payment.succeeded", &unknown).await.problem(404, "NOT_FOUND");
    let other_sum = charge(&payment, "SUCCEEDED", 4_999);
    shop.notice("msg_2", "payment.succeeded", &other_sum).await.problem(409, "CONFLICT");
    // What we have no use for is confirmed, or it would be sent for ever.
    for data in [json!({}), json!("x"), charge(&payment, "SUCCEEDED", 5_000)] {
        shop.notice("msg_3", "payment.created", &data).await.is(204);
    }
    assert_eq!(shop.status_of(&order).await, "PENDING");
    shop.assert_audit_is_clean().await;
}

async fn money_that_comes_too_late_goes_back(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for expires in [false, true] {
        let (buyer, tea, order, payment) = pending(&shop).await;
        if expires {
            shop.let_time_pass().await;
            assert_eq!(shop.settlement.checkout.expire_orders().await.unwrap(), 1);
        } else {
            shop.post(&format!("/orders/{order}/cancel")).by(buyer).await.is(200);
        }
        assert_eq!(shop.stock(tea).await, 5);
        shop.assert_audit_is_clean().await;
        let captured = shop.cards.capture(kernel::PaymentId::from_uuid(payment.parse().unwrap()));
        let mut succeeded = charge(&payment, "SUCCEEDED", 5_000);
        succeeded["id"] = json!(captured.id);
        let id = format!("msg_{expires}");
        for _ in 0..2 {
            shop.notice(&id, "payment.succeeded", &succeeded).await.is(204);
        }
        let shown = shop.payment(&payment).await;
        assert_eq!(
            (&shown["status"], &shown["failureReason"]),
            (&json!("REVERSED"), &json!("ORDER_NOT_PAYABLE"))
        );
        assert_eq!(shop.balance(buyer).await, "5000.00");
        let refunds = async || {
            shop.get(&format!("/payments/{payment}/refunds")).by(buyer).await.ok()["content"].clone()
        };
        let waiting = refunds().await;
        assert_eq!(
            (&waiting[0]["status"], &waiting[0]["requestedBy"]),
            (&json!("PENDING"), &json!("SYSTEM"))
        );
        assert_eq!((&waiting[0]["cardAmount"], &waiting[0]["items"]), (&json!(5_000.0), &json!([])));
        shop.assert_audit_is_clean().await;
        assert_eq!(shop.settlement.refunds.run_once().await.unwrap(), 1);
        let back = refunds().await;
        assert_eq!((back.as_array().unwrap().len(), &back[0]["status"]), (1, &json!("SUCCESS")));
        let one = shop.get(&format!("/refunds/{}", id_in(&back[0], "refundId"))).by(buyer).await.ok();
        assert_eq!((one, shop.cards.kept().to_string()), (back[0].clone(), "0.00".to_owned()));
        let status = if expires { "EXPIRED" } else { "CANCELLED" };
        assert_eq!((shop.status_of(&order).await, shop.sold(tea, 1).await), (status.into(), 0));
        let attempts = shop.get(&format!("/orders/{order}/payments?status=REVERSED")).by(buyer).await.ok();
        assert_eq!(attempts["content"][0], shown);
        shop.give_back(buyer, &payment, "refund", json!({"reason": "x"})).await.problem(409, "CONFLICT");
        shop.assert_audit_is_clean().await;
    }
}
