//! Payments of orders that wait for them.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Backend, Scenario, TestDatabase, Turn, scenarios};

use crate::support::{NOBODY, Shop, card, id_in, instant};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        an_order_is_paid_with_points,
        an_order_is_paid_by_card_and_points,
        a_declined_card_leaves_the_order_waiting,
        a_gateway_that_says_nothing_is_asked_later,
        a_charge_of_which_nobody_has_heard_is_given_up,
        a_gateway_that_cannot_be_reached_is_no_attempt,
        what_cannot_be_paid_is_refused,
        members_of_a_payment_are_checked,
        points_leave_something_for_the_card,
        payments_are_their_buyers_and_the_administrators,
        the_payments_of_a_user_are_read_page_by_page,
    ]
}

async fn an_order_is_paid_with_points(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(50_000).await;
    let tea = shop.product(12_345, 10).await;
    let order = shop.waiting(buyer, tea, 2).await;
    let pay = || shop.pay(buyer, &order, json!({"method": "POINT"}));
    let paid = pay().key("k").await.is(201);
    let payment = paid.json();
    let id = id_in(&payment, "paymentId");
    assert!(instant(&payment["createdAt"]) == instant(&payment["settledAt"]));
    let shown = format!(
        r#"{{"paymentId":"{id}","orderId":"{order}","userId":"{buyer}","status":"SUCCESS","method":"POINT","amount":24690.00,"pointAmount":24690.00,"cardAmount":0.00,"createdAt":{},"settledAt":{}}}"#,
        payment["createdAt"], payment["settledAt"],
    );
    assert_eq!(paid.text, shown);
    let location = paid.header("location").unwrap();
    assert_eq!(location, format!("/api/v1/payments/{id}"));
    assert_eq!(shop.call(Method::GET, location).by(buyer).await.is(200).text, shown);

    let order_now = shop.get(&format!("/orders/{order}")).by(buyer).await.is(200);
    assert_eq!(
        (order_now.raw("status"), order_now.raw("paidAmount")),
        (r#""PAID""#.into(), "24690.00".into())
    );
    assert_eq!(order_now.json().get("expiresAt"), None);
    let user = buyer.to_string();
    assert_eq!(shop.history(&order).await, [("PENDING".into(), user.clone()), ("PAID".into(), user)]);
    assert_eq!(shop.balance(buyer).await, "25310.00");
    assert_eq!(shop.ledger(buyer).await[0], ("PAYMENT".into(), -24_690.0, json!(order)));
    assert_eq!((shop.sold(tea, 1).await, shop.stock(tea).await, shop.cards.calls()), (2, 8, 0));

    let again = pay().key("k").await.is(201);
    assert_eq!((again.text.as_str(), again.header("idempotency-replayed")), (shown.as_str(), Some("true")));
    assert_eq!(again.header("location"), paid.header("location"));
    pay().await.problem(409, "ALREADY_PAID");
    let message = pay().key("new").header("Accept-Language", "ko").await.problem(409, "ALREADY_PAID");
    assert_eq!(message["message"], "이미 결제된 주문입니다.");
    assert_eq!(shop.balance(buyer).await, "25310.00");
    shop.assert_audit_is_clean().await;
}

async fn an_order_is_paid_by_card_and_points(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let tea = shop.product(10_000, 10).await;
    for (with, points, by_card, balance) in [
        (json!({"method": "CARD", "cardToken": "tok_ok"}), "0.00", "20000.00", "5000.00"),
        (json!({"method": "CARD", "cardToken": "tok_ok", "usePoint": 0}), "0.00", "20000.00", "5000.00"),
        (
            json!({"method": "CARD", "cardToken": "tok_ok", "usePoint": 4_999.99}),
            "4999.99",
            "15000.01",
            "0.01",
        ),
    ] {
        let order = shop.waiting(buyer, tea, 2).await;
        let paid = shop.pay(buyer, &order, with).await.is(201);
        assert_eq!((paid.raw("status"), paid.raw("method")), (r#""SUCCESS""#.into(), r#""CARD""#.into()));
        assert_eq!(paid.raw("amount"), "20000.00");
        assert_eq!((paid.raw("pointAmount"), paid.raw("cardAmount")), (points.into(), by_card.into()));
        assert_eq!(
            (shop.balance(buyer).await, shop.status_of(&order).await),
            (balance.into(), "PAID".into())
        );
        assert!(!paid.text.contains("tok_"), "{}", paid.text);
    }
    assert_eq!((shop.cards.kept().to_string(), shop.cards.calls()), ("55000.01".to_owned(), 3));
    shop.assert_audit_is_clean().await;
}

async fn a_declined_card_leaves_the_order_waiting(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    shop.cards.script([Turn::Declined]);
    let pay = |key: &str| shop.pay(buyer, &order, card(3_000)).key(key).header("Accept-Language", "ko");
    let declined = pay("k").await;
    let problem = declined.problem(402, "PAYMENT_DECLINED");
    assert_eq!(problem["declineCode"], "insufficient_funds");
    assert_eq!(problem["message"], "카드 결제가 거절되었습니다.");
    assert_eq!(declined.header("idempotency-replayed"), None);
    let id = id_in(&problem, "paymentId");
    for _ in 0..2 {
        let again = pay("k").await;
        again.problem(402, "PAYMENT_DECLINED");
        assert_eq!((&again.text, again.header("idempotency-replayed")), (&declined.text, Some("true")));
    }
    assert_eq!(shop.cards.calls(), 1);
    let payment = shop.payment(&id).await;
    assert_eq!((&payment["status"], &payment["failureReason"]), (&json!("FAILED"), &json!("DECLINED")));
    assert_eq!((&payment["declineCode"], &payment["method"]), (&json!("insufficient_funds"), &json!("CARD")));
    assert_eq!((shop.status_of(&order).await, shop.stock(tea).await), ("PENDING".into(), 9));
    let held = [("REFUND".into(), 3_000.0, json!(order)), ("PAYMENT".into(), -3_000.0, json!(order))];
    assert_eq!((&shop.ledger(buyer).await[..2], shop.balance(buyer).await), (&held[..], "5000.00".into()));
    assert_eq!(shop.sold(tea, 1).await, 0);
    shop.assert_audit_is_clean().await;

    // Another card will do.
    let paid = pay("other").await.is(201).json();
    let path = format!("/orders/{order}/payments");
    let both = shop.get(&path).by(buyer).await.ok();
    assert_eq!(both, json!({"content": [payment, paid], "nextCursor": null}));
    for (status, shown) in [("FAILED", json!([payment])), ("SUCCESS", json!([paid])), ("PENDING", json!([]))]
    {
        let filtered = shop.get(&format!("{path}?status={status}")).by(buyer).await.ok();
        assert_eq!(filtered["content"], shown, "{status}");
    }
    assert_eq!(shop.sold(tea, 2).await, 1);
    shop.assert_audit_is_clean().await;
}

async fn a_gateway_that_says_nothing_is_asked_later(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    shop.cards.script([Turn::Lost]);
    let pay = || shop.pay(buyer, &order, card(3_000)).key("k");
    let pending = pay().await.is(202);
    let payment = pending.json();
    let id = id_in(&payment, "paymentId");
    assert_eq!((&payment["status"], payment.get("settledAt")), (&json!("PENDING"), None));
    assert_eq!(pending.header("location"), Some(format!("/api/v1/payments/{id}").as_str()));
    assert_eq!(
        (shop.balance(buyer).await, shop.status_of(&order).await),
        ("2000.00".into(), "PENDING".into())
    );
    let problem = shop.pay(buyer, &order, card(0)).await.problem(409, "CONFLICT");
    assert_eq!(problem["paymentId"], json!(id));
    shop.pay(buyer, &order, json!({"method": "POINT"})).await.problem(409, "CONFLICT");
    shop.give_back(buyer, &id, "refund", json!({"reason": "x"})).await.problem(409, "CONFLICT");
    shop.assert_audit_is_clean().await;

    assert_eq!(shop.settlement.payments.run_once().await.unwrap(), 1);
    assert_eq!(shop.settlement.payments.run_once().await.unwrap(), 0);
    let settled = shop.payment(&id).await;
    assert_eq!((&settled["status"], &settled["cardAmount"]), (&json!("SUCCESS"), &json!(7_000.0)));
    instant(&settled["settledAt"]);
    assert_eq!((shop.status_of(&order).await, shop.cards.calls()), ("PAID".into(), 1));
    // The key tells what it told then; where it leads to is the present.
    let again = pay().await.is(202);
    assert_eq!(
        (again.text.as_str(), again.header("idempotency-replayed")),
        (pending.text.as_str(), Some("true"))
    );
    assert_eq!(again.header("location"), pending.header("location"));
    shop.assert_audit_is_clean().await;
}

async fn a_charge_of_which_nobody_has_heard_is_given_up(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    shop.cards.script([Turn::Silent]);
    let id = shop.paid(buyer, &order, card(5_000), 202).await;
    let past = match shop.database().backend {
        Backend::Sqlite => "2026-03-01T03:00:00+00:00",
        Backend::MySql => "2026-03-01 03:00:00",
    };
    shop.database().execute(&format!("UPDATE payments SET created_at = '{past}'")).await;
    assert_eq!(shop.settlement.payments.run_once().await.unwrap(), 1);
    let payment = shop.payment(&id).await;
    assert_eq!(
        (&payment["status"], &payment["failureReason"]),
        (&json!("FAILED"), &json!("UNKNOWN_TO_GATEWAY"))
    );
    assert_eq!(
        (shop.balance(buyer).await, shop.status_of(&order).await),
        ("5000.00".into(), "PENDING".into())
    );
    shop.assert_audit_is_clean().await;
    shop.paid(buyer, &order, card(0), 201).await;
    shop.assert_audit_is_clean().await;
}

async fn a_gateway_that_cannot_be_reached_is_no_attempt(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    shop.cards.script([Turn::Unreachable, Turn::Unreachable]);
    let pay = || shop.pay(buyer, &order, card(5_000)).key("k");
    for _ in 0..2 {
        let refused = pay().await;
        refused.problem(503, "SERVICE_UNAVAILABLE");
        assert_eq!(
            (refused.header("retry-after"), refused.header("idempotency-replayed")),
            (Some("1"), None)
        );
        assert_eq!(
            (shop.balance(buyer).await, shop.status_of(&order).await),
            ("5000.00".into(), "PENDING".into())
        );
    }
    shop.assert_audit_is_clean().await;
    let paid = pay().await.is(201);
    assert_eq!(paid.header("idempotency-replayed"), None);
    let attempts = shop.get(&format!("/orders/{order}/payments")).by(buyer).await.ok();
    let attempts = attempts["content"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    assert_eq!(attempts[0]["failureReason"], "GATEWAY_UNREACHABLE");
    shop.assert_audit_is_clean().await;
}

async fn what_cannot_be_paid_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, stranger) = (shop.buyer(5_000).await, shop.buyer(50_000).await);
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    for (with, required) in [(json!({"method": "POINT"}), "10000.00"), (card(5_001), "5001.00")] {
        let poor = shop.pay(buyer, &order, with.clone()).await;
        poor.problem(409, "INSUFFICIENT_BALANCE");
        assert_eq!((poor.raw("required"), poor.raw("balance")), (required.into(), "5000.00".into()));
        for other in [stranger, shop.admin] {
            shop.pay(other, &order, with.clone()).await.problem(404, "NOT_FOUND");
        }
        shop.pay(buyer, NOBODY, with).await.problem(404, "NOT_FOUND");
    }
    shop.post("/payments")
        .json(json!({"orderId": order, "method": "POINT"}))
        .await
        .problem(401, "UNAUTHORIZED");
    shop.post(&format!("/orders/{order}/cancel")).by(buyer).await.is(200);
    shop.pay(buyer, &order, card(0)).await.problem(409, "CONFLICT");
    let late = shop.waiting(buyer, tea, 1).await;
    shop.let_time_pass().await;
    shop.pay(buyer, &late, card(0)).await.problem(409, "CONFLICT");
    shop.settlement.checkout.expire_orders().await.unwrap();
    shop.pay(buyer, &late, card(0)).await.problem(409, "CONFLICT");
    let paid = id_in(&shop.order(stranger, tea, 1).await.is(201).json(), "orderId");
    shop.pay(stranger, &paid, card(0)).await.problem(409, "ALREADY_PAID");
    assert_eq!((shop.cards.calls(), shop.balance(buyer).await), (0, "5000.00".into()));
    shop.assert_audit_is_clean().await;
}

async fn members_of_a_payment_are_checked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(50_000).await;
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    let by_card = |token: Value| json!({"orderId": order, "method": "CARD", "cardToken": token});
    for (body, pointer) in [
        (json!({"orderId": order, "method": "CARD"}), "/cardToken"),
        (json!({"orderId": order, "method": "POINT", "cardToken": "tok_ok"}), "/cardToken"),
        (json!({"orderId": order, "method": "POINT", "usePoint": 1}), "/usePoint"),
        (by_card(json!("")), "/cardToken"),
        (by_card(json!("tok ok")), "/cardToken"),
        (by_card(json!("토큰")), "/cardToken"),
        (by_card(json!("t".repeat(256))), "/cardToken"),
        (by_card(json!(1)), "/cardToken"),
        (by_card(Value::Null), "/cardToken"),
        (json!({"orderId": order, "method": "CASH"}), "/method"),
        (json!({"orderId": order, "method": "point"}), "/method"),
        (json!({"orderId": "1", "method": "POINT"}), "/orderId"),
        (json!({"orderId": order, "method": "POINT", "amount": 1}), "/amount"),
        (json!({"orderId": order, "method": "POINT", "userId": NOBODY}), "/userId"),
        (json!({"orderId": order}), ""),
        (json!({"method": "POINT"}), ""),
    ] {
        let refused = shop.post("/payments").by(buyer).json(body.clone()).await;
        let problem = refused.problem(400, "VALIDATION_ERROR");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
        // What stands for a card is repeated nowhere.
        assert!(!refused.text.contains("tok_ok"), "{}", refused.text);
    }
    let wrong = shop.post("/payments?dryRun=1").by(buyer).json(json!({"orderId": order, "method": "POINT"}));
    wrong.await.invalid(&["/dryRun"]);
    for path in ["/payments/x", "/orders/x/payments", "/users/x/payments"] {
        shop.get(path).by(buyer).await.invalid(&["/id"]);
    }
    shop.get(&format!("/payments/{NOBODY}?expand=1")).by(buyer).await.invalid(&["/expand"]);
    assert_eq!((shop.cards.calls(), shop.status_of(&order).await), (0, "PENDING".into()));
}

async fn points_leave_something_for_the_card(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(50_000).await;
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    for points in ["-0.01", "-1", "10000", "10000.01", "9999999999999.99", "0.001", "1e20", "\"1\"", "true"] {
        let body =
            format!(r#"{{"orderId":"{order}","method":"CARD","cardToken":"tok_ok","usePoint":{points}}}"#);
        let refused = shop.post("/payments").by(buyer).body(body).await;
        let problem = refused.problem(400, "VALIDATION_ERROR");
        assert_eq!(problem["errors"][0]["pointer"], "/usePoint", "{points}");
    }
    assert_eq!((shop.cards.calls(), shop.balance(buyer).await), (0, "50000.00".into()));
    let body = format!(r#"{{"orderId":"{order}","method":"CARD","cardToken":"t","usePoint":9999.99}}"#);
    let paid = shop.post("/payments").by(buyer).body(body).await.is(201);
    assert_eq!((paid.raw("pointAmount"), paid.raw("cardAmount")), ("9999.99".into(), "0.01".into()));
    shop.assert_audit_is_clean().await;
}

async fn payments_are_their_buyers_and_the_administrators(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, stranger) = (shop.buyer(50_000).await, shop.user().await);
    let tea = shop.product(10_000, 10).await;
    let order = shop.waiting(buyer, tea, 1).await;
    let id = shop.paid(buyer, &order, card(0), 201).await;
    for path in
        [format!("/payments/{id}"), format!("/orders/{order}/payments"), format!("/users/{buyer}/payments")]
    {
        let own = shop.get(&path).by(buyer).await.ok();
        assert_eq!(shop.get(&path).by(shop.admin).await.ok(), own, "{path}");
        shop.get(&path).by(stranger).await.problem(404, "NOT_FOUND");
        shop.get(&path).await.problem(401, "UNAUTHORIZED");
    }
    for path in [format!("/payments/{NOBODY}"), format!("/orders/{NOBODY}/payments")] {
        shop.get(&path).by(shop.admin).await.problem(404, "NOT_FOUND");
    }
    // An order that was paid when it was placed has its payment too.
    let at_once = id_in(&shop.order(buyer, tea, 1).await.is(201).json(), "orderId");
    let list = shop.get(&format!("/orders/{at_once}/payments")).by(buyer).await.ok();
    let only = &list["content"][0];
    assert_eq!(
        (&only["status"], &only["method"], &only["amount"]),
        (&json!("SUCCESS"), &json!("POINT"), &json!(10_000.0))
    );
}

async fn the_payments_of_a_user_are_read_page_by_page(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, other) = (shop.buyer(50_000).await, shop.buyer(50_000).await);
    let tea = shop.product(1_000, 10).await;
    shop.order(other, tea, 1).await.is(201);
    let mut made = Vec::new();
    for place in 0..5 {
        let order = shop.waiting(buyer, tea, 1).await;
        let declined = place % 2 == 1;
        shop.cards.script([if declined { Turn::Declined } else { Turn::Answered }]);
        made.insert(0, shop.paid(buyer, &order, card(0), if declined { 402 } else { 201 }).await);
    }
    let path = format!("/users/{buyer}/payments");
    for (filter, expected) in [
        ("", made.clone()),
        ("&status=SUCCESS", vec![made[0].clone(), made[2].clone(), made[4].clone()]),
        ("&status=FAILED", vec![made[1].clone(), made[3].clone()]),
        ("&status=REVERSED", vec![]),
    ] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = shop.get(&format!("{path}?size=2{filter}{cursor}")).by(buyer).await.ok();
            found.extend(page["content"].as_array().unwrap().iter().map(|one| id_in(one, "paymentId")));
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, expected, "{filter}");
    }
    for (query, pointer) in [
        ("status=PAID", "/status"),
        ("status=", "/status"),
        ("size=0", "/size"),
        ("size=101", "/size"),
        ("cursor=x", "/cursor"),
        ("page=1", "/page"),
    ] {
        shop.get(&format!("{path}?{query}")).by(buyer).await.invalid(&[pointer]);
    }
    let order = &shop.orders(buyer).await[0];
    for (query, pointer) in [("status=PAID", "/status"), ("size=1", "/size")] {
        shop.get(&format!("/orders/{order}/payments?{query}")).by(buyer).await.invalid(&[pointer]);
    }
    shop.assert_audit_is_clean().await;
}
