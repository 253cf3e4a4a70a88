//! Orders that wait for their payment: what they hold, and how they are given up.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::UserId;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, fixtures, scenarios};

use super::coupons::terms;
use crate::support::{Shop, id_in, instant};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        an_order_that_is_paid_later_holds_what_it_needs,
        an_order_that_is_paid_later_is_refused_like_any_other,
        an_order_of_a_cart_can_be_paid_later,
        a_waiting_order_is_given_up,
        only_who_sees_a_waiting_order_gives_it_up,
        an_order_is_given_up_as_the_caller_saw_it,
        what_does_not_wait_is_not_given_up,
        an_order_that_is_not_paid_in_time_expires,
    ]
}

/// A buyer with 100,000.00 and a piece of a coupon of a tenth.
async fn holder(shop: &Shop) -> UserId {
    let buyer = shop.buyer(100_000).await;
    shop.create_coupon(terms("TENTH", 10)).await.is(201);
    shop.claim("TENTH", buyer).await.is(200);
    buyer
}

async fn coupon_of(shop: &Shop, user: UserId) -> Value {
    shop.get(&format!("/users/{user}/coupons")).by(user).await.ok()["coupons"][0]["status"].clone()
}

/// The types of the events so far, the first first.
async fn events(shop: &Shop) -> Vec<String> {
    let page = shop.get("/admin/events?size=100").by(shop.admin).await.ok();
    let events = page["content"].as_array().unwrap().iter();
    events.map(|event| id_in(event, "type")).filter(|kind| kind.starts_with("Order")).collect()
}

async fn an_order_that_is_paid_later_holds_what_it_needs(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = holder(&shop).await;
    let tea = shop.product_named("tea", "12345", 10).await;
    let body = json!({"items": [{"productId": tea, "qty": 2}], "couponCode": "TENTH", "payment": "LATER",
        "expectedAmount": 22_221});
    let place = || shop.post("/orders").by(buyer).key("later").json(body.clone());
    let placed = place().await.is(201);
    let order = placed.json();
    let id = id_in(&order, "orderId");
    let (created, expires) = (instant(&order["createdAt"]), instant(&order["expiresAt"]));
    assert_eq!(expires - created, TimeDelta::from_std(fixtures::PAYMENT_WINDOW).unwrap());
    let shown = format!(
        r#"{{"orderId":"{id}","status":"PENDING","totalAmount":24690.00,"discountAmount":2469.00,"paidAmount":0.00,"appliedCoupon":{{"code":"TENTH"}},"items":[{{"productId":"{tea}","name":"tea","unitPrice":12345.00,"qty":2,"subtotal":24690.00}}],BALANCE"createdAt":{},"expiresAt":{}}}"#,
        order["createdAt"], order["expiresAt"],
    );
    assert_eq!(placed.text, shown.replace("BALANCE", r#""userPointBalance":100000.00,"#));
    let path = format!("/orders/{id}");
    assert_eq!(placed.header("location"), Some(format!("/api/v1{path}").as_str()));

    assert_eq!(shop.get(&path).by(buyer).await.is(200).text, shown.replace("BALANCE", ""));
    let list = shop.get("/orders?status=PENDING").by(buyer).await.ok();
    assert_eq!(list["content"][0], shop.get(&path).by(buyer).await.ok());
    assert_eq!((shop.stock(tea).await, coupon_of(&shop, buyer).await), (8, json!("USED")));
    assert_eq!((shop.balance(buyer).await, shop.ledger(buyer).await.len()), ("100000.00".into(), 1));
    assert_eq!(shop.history(&id).await, [("PENDING".to_owned(), buyer.to_string())]);
    assert_eq!((events(&shop).await, shop.sold(tea, 1).await), (vec!["OrderPlaced".to_owned()], 0));
    let payments = shop.get(&format!("{path}/payments")).by(buyer).await.ok();
    assert_eq!(payments, json!({"content": [], "nextCursor": null}));

    let again = place().await.is(201);
    assert_eq!((again.text, again.headers.get("idempotency-replayed").is_some()), (placed.text, true));
    assert_eq!((shop.stock(tea).await, shop.orders(buyer).await.len()), (8, 1));
    shop.assert_audit_is_clean().await;
}

async fn an_order_that_is_paid_later_is_refused_like_any_other(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let poor = shop.user().await;
    let (tea, cheap) = (shop.product(1_000, 3).await, shop.product(999, 3).await);
    let problem = shop.order_later(poor, tea, 4).await.problem(409, "OUT_OF_STOCK");
    assert_eq!((&problem["requested"], &problem["available"]), (&json!(4), &json!(3)));
    shop.order_later(poor, cheap, 1).await.problem(400, "AMOUNT_BELOW_MINIMUM");
    shop.order_later(poor, tea, 0).await.invalid(&["/items/0/qty"]);
    let with = |member: &str, value: Value| {
        let mut body = json!({"items": [{"productId": tea, "qty": 1}], "payment": "LATER"});
        body[member] = value;
        shop.post("/orders").by(poor).json(body)
    };
    with("couponCode", json!("TENTH")).await.problem(400, "COUPON_INVALID");
    let problem = with("expectedAmount", json!(999)).await.problem(409, "CONFLICT");
    assert_eq!(problem["amount"], 1_000.0);
    for member in ["expiresAt", "cardToken", "usePoint"] {
        with(member, json!("x")).await.invalid(&[&format!("/{member}")]);
    }
    assert_eq!((shop.stock(tea).await, shop.orders(poor).await), (3, vec![]));
    // Nobody needs money to order.
    let placed = shop.order_later(poor, tea, 3).await.is(201);
    assert_eq!(placed.raw("userPointBalance"), "0.00");
    shop.order_later(poor, tea, 1).await.problem(409, "OUT_OF_STOCK");
    shop.assert_audit_is_clean().await;
}

async fn an_order_of_a_cart_can_be_paid_later(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.user().await;
    let tea = shop.product(1_000, 3).await;
    let path = format!("/cart/items/{tea}");
    shop.api(reqwest::Method::PUT, &path).by(buyer).json(json!({"qty": 2})).await.is(200);
    let body = json!({"fromCart": true, "payment": "LATER"});
    let placed = shop.post("/orders").by(buyer).json(body).await.is(201).json();
    assert_eq!((&placed["status"], &placed["items"][0]["qty"]), (&json!("PENDING"), &json!(2)));
    assert_eq!(shop.get("/cart").by(buyer).await.ok()["items"], json!([]));
    shop.assert_audit_is_clean().await;
}

async fn a_waiting_order_is_given_up(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = holder(&shop).await;
    let tea = shop.product(10_000, 10).await;
    let place = || {
        let items = json!([{"productId": tea, "qty": 2}]);
        let body = json!({"items": items, "couponCode": "TENTH", "payment": "LATER"});
        shop.post("/orders").by(buyer).json(body)
    };
    let id = id_in(&place().await.is(201).json(), "orderId");
    let path = format!("/orders/{id}/cancel");
    let cancel = |key: &str| shop.post(&path).by(buyer).key(key);
    let cancelled = cancel("k").await.is(200);
    let order = cancelled.json();
    assert_eq!((&order["status"], &order["orderId"]), (&json!("CANCELLED"), &json!(id)));
    for absent in ["expiresAt", "userPointBalance"] {
        assert_eq!(order.get(absent), None);
    }
    assert_eq!(
        (cancelled.raw("discountAmount"), cancelled.raw("paidAmount")),
        ("2000.00".into(), "0.00".into())
    );
    assert_eq!((cancelled.header("location"), cancelled.header("idempotency-replayed")), (None, None));
    assert_eq!(shop.get(&format!("/orders/{id}")).by(buyer).await.ok(), order);
    assert_eq!((shop.stock(tea).await, coupon_of(&shop, buyer).await), (10, json!("CLAIMED")));
    let user = buyer.to_string();
    assert_eq!(shop.history(&id).await, [("PENDING".into(), user.clone()), ("CANCELLED".into(), user)]);
    assert_eq!(events(&shop).await, ["OrderPlaced", "OrderCancelled"]);

    let again = cancel("k").await.is(200);
    assert_eq!(
        (again.text.as_str(), again.header("idempotency-replayed")),
        (cancelled.text.as_str(), Some("true"))
    );
    cancel("other").await.problem(409, "CONFLICT");
    shop.post(&path).by(buyer).await.problem(409, "CONFLICT");
    shop.assert_audit_is_clean().await;
    // What came back can be ordered again.
    place().await.is(201);
    assert_eq!((shop.stock(tea).await, coupon_of(&shop, buyer).await), (8, json!("USED")));
    shop.assert_audit_is_clean().await;
}

async fn only_who_sees_a_waiting_order_gives_it_up(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (buyer, stranger) = (shop.user().await, shop.user().await);
    let tea = shop.product(1_000, 10).await;
    let id = shop.waiting(buyer, tea, 2).await;
    let path = format!("/orders/{id}/cancel");
    shop.post(&path).await.problem(401, "UNAUTHORIZED");
    shop.post(&path).by(stranger).await.problem(404, "NOT_FOUND");
    shop.post("/orders/x/cancel").by(buyer).await.invalid(&["/id"]);
    shop.post(&path).by(buyer).json(json!({"why": "x"})).await.problem(400, "VALIDATION_ERROR");
    shop.post(&format!("{path}?force=1")).by(buyer).await.invalid(&["/force"]);
    shop.post(&path).by(buyer).key("").await.invalid(&["Idempotency-Key"]);
    assert_eq!(shop.status_of(&id).await, "PENDING");
    shop.post(&path).by(shop.admin).json(json!({})).await.is(200);
    let who = [("PENDING".into(), buyer.to_string()), ("CANCELLED".into(), shop.admin.to_string())];
    assert_eq!((shop.history(&id).await, shop.stock(tea).await), (who.to_vec(), 10));
    shop.assert_audit_is_clean().await;
}

async fn an_order_is_given_up_as_the_caller_saw_it(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.user().await;
    let tea = shop.product(1_000, 10).await;
    let id = shop.waiting(buyer, tea, 2).await;
    let tag = shop.get(&format!("/orders/{id}")).by(buyer).await.header("etag").unwrap().to_owned();
    let cancel = |tag: &str| shop.post(&format!("/orders/{id}/cancel")).by(buyer).header("If-Match", tag);
    cancel("\"other\"").await.problem(412, "PRECONDITION_FAILED");
    cancel(&format!("W/{tag}")).await.problem(412, "PRECONDITION_FAILED");
    assert_eq!((shop.status_of(&id).await, shop.stock(tea).await), ("PENDING".into(), 8));
    cancel(&tag).await.is(200);
    cancel(&tag).await.problem(412, "PRECONDITION_FAILED");
    cancel("*").await.problem(409, "CONFLICT");
    let now = shop.get(&format!("/orders/{id}")).by(buyer).await;
    assert_ne!(now.header("etag"), Some(tag.as_str()));
    shop.assert_audit_is_clean().await;
}

async fn what_does_not_wait_is_not_given_up(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let tea = shop.product(1_000, 10).await;
    let id = id_in(&shop.order(buyer, tea, 1).await.is(201).json(), "orderId");
    let cancel = || shop.post(&format!("/orders/{id}/cancel")).by(buyer).header("Accept-Language", "ko");
    let problem = cancel().await.problem(409, "CONFLICT");
    assert_eq!(problem["message"], "현재 상태에서는 처리할 수 없는 요청입니다.");
    assert_eq!((shop.status_of(&id).await, shop.stock(tea).await), ("PAID".into(), 9));
    // A paid order does not expire either.
    assert_eq!(shop.settlement.checkout.expire_orders().await.unwrap(), 0);
    shop.assert_audit_is_clean().await;
}

async fn an_order_that_is_not_paid_in_time_expires(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = holder(&shop).await;
    let tea = shop.product(10_000, 10).await;
    let items = json!([{"productId": tea, "qty": 2}]);
    let body = json!({"items": items, "couponCode": "TENTH", "payment": "LATER"});
    let id = id_in(&shop.post("/orders").by(buyer).json(body).await.is(201).json(), "orderId");
    let expire = async || shop.settlement.checkout.expire_orders().await.unwrap();
    assert_eq!((expire().await, shop.stock(tea).await), (0, 8));

    shop.let_time_pass().await;
    let fresh = shop.waiting(buyer, tea, 1).await;
    // From the last moment on nobody pays it, whether or not anybody has taken note.
    let with = || json!({"method": "POINT"});
    shop.pay(buyer, &id, with()).await.problem(409, "CONFLICT");
    assert_eq!((expire().await, expire().await), (1, 0));
    let order = shop.get(&format!("/orders/{id}")).by(buyer).await.ok();
    assert_eq!((&order["status"], order.get("expiresAt")), (&json!("EXPIRED"), None));
    assert_eq!((shop.stock(tea).await, coupon_of(&shop, buyer).await), (9, json!("CLAIMED")));
    let who = [("PENDING".into(), buyer.to_string()), ("EXPIRED".into(), "SYSTEM".into())];
    assert_eq!(shop.history(&id).await, who);
    assert_eq!(events(&shop).await, ["OrderPlaced", "OrderPlaced", "OrderExpired"]);
    shop.pay(buyer, &id, with()).await.problem(409, "CONFLICT");
    shop.post(&format!("/orders/{id}/cancel")).by(buyer).await.problem(409, "CONFLICT");
    assert_eq!(shop.balance(buyer).await, "100000.00");
    shop.assert_audit_is_clean().await;
    shop.pay(buyer, &fresh, with()).await.is(201);
    shop.assert_audit_is_clean().await;
}
