//! Coupons: creating, showing, claiming.

use std::sync::Arc;

use kernel::UserId;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Call, Shop, instant};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        an_administrator_creates_a_coupon_that_everybody_sees,
        terms_that_make_no_sense_are_refused,
        a_code_is_taken_once,
        coupons_are_listed_page_by_page,
        a_claim_gets_a_piece_and_only_one,
        the_last_piece_is_the_last,
        a_claim_outside_the_period_is_refused,
        a_claim_is_answered_again_under_its_key,
        the_coupons_of_a_user_are_its_own,
    ]
}

/// The terms of a coupon of 10 % with so many pieces.
pub(crate) fn terms(code: &str, quantity: u32) -> Value {
    json!({"code": code, "name": "A coupon", "type": "PERCENT", "value": 10, "quantity": quantity,
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2120-01-01T00:00:00Z"})
}

/// Returns the terms with some members replaced or added.
pub(crate) fn but(mut terms: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        terms[name] = value.clone();
    }
    terms
}

impl Shop {
    pub(crate) fn create_coupon(&self, terms: Value) -> Call {
        self.post("/coupons").by(self.admin).json(terms)
    }

    pub(crate) fn claim(&self, code: &str, user: UserId) -> Call {
        self.post(&format!("/coupons/{code}/claim")).by(user)
    }
}

async fn an_administrator_creates_a_coupon_that_everybody_sees(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 1).await;
    let all = but(
        terms("ALL-1_a", 1_000),
        &json!({"minOrderAmount": 5_000, "maxDiscountAmount": 1_234.5, "productIds": [product, product]}),
    );
    let created = shop.create_coupon(all.clone()).await.is(201);
    let coupon = created.json();
    assert_eq!(coupon["code"], "ALL-1_a");
    assert_eq!((&coupon["quantity"], &coupon["remaining"]), (&json!(1_000), &json!(1_000)));
    assert_eq!((&coupon["startsAt"], &coupon["endsAt"]), (&all["startsAt"], &all["endsAt"]));
    assert_eq!(coupon["productIds"], json!([product]));
    assert_eq!(created.raw("value"), "10.00");
    assert_eq!(
        (created.raw("minOrderAmount"), created.raw("maxDiscountAmount")),
        ("5000.00".into(), "1234.50".into())
    );
    instant(&coupon["createdAt"]);
    // Nobody must be somebody to look.
    assert_eq!(shop.get("/coupons/ALL-1_a").await.ok(), coupon);
    assert_eq!(shop.get("/coupons").await.ok(), json!({"content": [coupon], "nextCursor": null}));
    for missing in ["ALL-1_A", "nothing", "a%20b", "%F0%9F%8E%81"] {
        shop.get(&format!("/coupons/{missing}")).await.problem(404, "NOT_FOUND");
    }
    let plain = shop.create_coupon(terms("PLAIN", 1)).await.is(201).json();
    for absent in ["minOrderAmount", "maxDiscountAmount", "productIds"] {
        assert_eq!(plain.get(absent), None);
    }
}

async fn terms_that_make_no_sense_are_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    shop.post("/coupons").json(terms("A", 1)).await.problem(401, "UNAUTHORIZED");
    shop.post("/coupons").by(user).json(terms("A", 1)).await.problem(403, "FORBIDDEN");
    for (changes, pointers) in [
        (json!({"code": ""}), &["/code"][..]),
        (json!({"code": "x".repeat(65)}), &["/code"]),
        (json!({"code": "a b"}), &["/code"]),
        (json!({"name": " "}), &["/name"]),
        (json!({"type": "percent"}), &["/type"]),
        (json!({"value": 0}), &["/value"]),
        (json!({"value": 100.01}), &["/value"]),
        (json!({"value": 10.001}), &["/value"]),
        (json!({"type": "FIXED", "value": -1}), &["/value"]),
        (json!({"quantity": 0}), &["/quantity"]),
        (json!({"quantity": 10_000_001}), &["/quantity"]),
        (json!({"quantity": -1}), &["/quantity"]),
        (json!({"endsAt": "2020-01-01T00:00:00Z"}), &["/endsAt"]),
        (json!({"startsAt": "yesterday"}), &["/startsAt"]),
        (json!({"endsAt": "+99999-01-01T00:00:00Z"}), &["/endsAt"]),
        (json!({"minOrderAmount": 0}), &["/minOrderAmount"]),
        (json!({"maxDiscountAmount": -5}), &["/maxDiscountAmount"]),
        (json!({"productIds": []}), &["/productIds"]),
        (json!({"productIds": ["x"]}), &["/productIds/0"]),
        (json!({"issued": 5}), &["/issued"]),
        (json!({"code": "?", "value": 0, "quantity": 0}), &["/code", "/value", "/quantity"]),
    ] {
        shop.create_coupon(but(terms("A", 1), &changes)).await.invalid(pointers);
    }
    assert_eq!(shop.get("/coupons").await.ok()["content"], json!([]));
}

async fn a_code_is_taken_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let first = shop.create_coupon(terms("TWIN", 5)).key("one").await.is(201);
    shop.create_coupon(terms("TWIN", 6)).await.problem(409, "CONFLICT");
    shop.create_coupon(terms("twin", 6)).await.is(201);
    let again = shop.create_coupon(terms("TWIN", 5)).key("one").await.is(201);
    assert_eq!(
        (again.text.as_str(), again.header("idempotency-replayed")),
        (first.text.as_str(), Some("true"))
    );
    shop.assert_audit_is_clean().await;
}

async fn coupons_are_listed_page_by_page(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for code in ["A", "B", "C"] {
        shop.create_coupon(terms(code, 1)).await.is(201);
    }
    let codes = |page: &Value| -> Vec<String> {
        let coupons = page["content"].as_array().unwrap().iter();
        coupons.map(|coupon| coupon["code"].as_str().unwrap().to_owned()).collect()
    };
    let first = shop.get("/coupons?size=2").await.ok();
    assert_eq!(codes(&first), ["C", "B"]);
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = shop.get(&format!("/coupons?size=2&cursor={cursor}")).await.ok();
    assert_eq!((codes(&second), &second["nextCursor"]), (vec!["A".to_owned()], &Value::Null));
    shop.get("/coupons?size=0").await.invalid(&["/size"]);
    shop.get("/coupons?cursor=x").await.invalid(&["/cursor"]);
    shop.get("/coupons?page=1").await.invalid(&["/page"]);
}

async fn a_claim_gets_a_piece_and_only_one(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let coupon = shop.create_coupon(terms("MINE", 2)).await.is(201).json();
    shop.post("/coupons/MINE/claim").await.problem(401, "UNAUTHORIZED");
    let claimed = shop.claim("MINE", user).await.is(200);
    let body = claimed.json();
    assert_eq!(body["couponId"], coupon["couponId"]);
    assert_eq!(
        (&body["code"], &body["type"], &body["status"]),
        (&json!("MINE"), &json!("PERCENT"), &json!("CLAIMED"))
    );
    assert_eq!(claimed.raw("value"), "10.00");
    instant(&body["claimedAt"]);
    assert_eq!(body.as_object().unwrap().len(), 6);
    for _ in 0..3 {
        shop.claim("MINE", user).await.problem(409, "COUPON_ALREADY_CLAIMED");
    }
    assert_eq!(shop.get("/coupons/MINE").await.ok()["remaining"], 1);
    for missing in ["mine", "NO-SUCH", "a%20b"] {
        shop.claim(missing, user).await.problem(400, "COUPON_INVALID");
    }
    // A claim has nothing to say.
    for body in ["{broken", r#"{"a":1}"#, "[]", "1"] {
        let answer = shop.claim("MINE", user).body(body).await;
        assert_eq!(answer.problem(400, "VALIDATION_ERROR")["errors"].as_array().unwrap().len(), 1, "{body}");
    }
    for body in ["", "null", " {} "] {
        shop.claim("MINE", user).body(body).await.problem(409, "COUPON_ALREADY_CLAIMED");
    }
    shop.post("/coupons/MINE/claim?x=1").by(user).await.invalid(&["/x"]);
    shop.get("/coupons/MINE?x=1").await.invalid(&["/x"]);
    shop.get(&format!("/users/{user}/coupons?x=1")).by(user).await.invalid(&["/x"]);
    let korean = shop.claim("MINE", user).header("Accept-Language", "ko").await;
    assert_eq!(korean.problem(409, "COUPON_ALREADY_CLAIMED")["message"], "이미 발급받은 쿠폰입니다.");
    shop.assert_audit_is_clean().await;
}

async fn the_last_piece_is_the_last(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    shop.create_coupon(terms("LAST", 2)).await.is(201);
    for expected in [200, 200, 409, 409] {
        let user = shop.user().await;
        let answer = shop.claim("LAST", user).await.is(expected);
        if expected == 409 {
            answer.problem(409, "COUPON_SOLD_OUT");
        }
    }
    assert_eq!(shop.get("/coupons/LAST").await.ok()["remaining"], 0);
    shop.assert_audit_is_clean().await;
}

async fn a_claim_outside_the_period_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let early = json!({"startsAt": "2119-01-01T00:00:00Z"});
    let late = json!({"endsAt": "2020-01-02T00:00:00Z"});
    for (code, changes) in [("EARLY", early), ("LATE", late)] {
        shop.create_coupon(but(terms(code, 2), &changes)).await.is(201);
        shop.claim(code, user).await.problem(400, "COUPON_INVALID");
        shop.claim(code, user).key(code).await.problem(400, "COUPON_INVALID");
        assert_eq!(shop.get(&format!("/coupons/{code}")).await.ok()["remaining"], 2);
    }
}

async fn a_claim_is_answered_again_under_its_key(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (user, other) = (shop.user().await, shop.user().await);
    shop.create_coupon(terms("ONE", 1)).await.is(201);
    let first = shop.claim("ONE", user).key("k").await.is(200);
    for _ in 0..3 {
        let again = shop.claim("ONE", user).key("k").await.is(200);
        assert_eq!((&again.text, again.header("idempotency-replayed")), (&first.text, Some("true")));
    }
    shop.claim("ONE", other).key("k").await.problem(409, "COUPON_SOLD_OUT");
    shop.claim("TWO", user).key("k").await.problem(400, "COUPON_INVALID");
    shop.create_coupon(terms("TWO", 1)).await.is(201);
    shop.claim("TWO", user).key("k").await.problem(409, "CONFLICT");
    shop.assert_audit_is_clean().await;
}

async fn the_coupons_of_a_user_are_its_own(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (user, other) = (shop.buyer(100_000).await, shop.user().await);
    for code in ["FIRST", "SECOND"] {
        shop.create_coupon(terms(code, 2)).await.is(201);
        shop.claim(code, user).await.is(200);
    }
    let path = format!("/users/{user}/coupons");
    let held = shop.get(&path).by(user).await.ok();
    assert_eq!(held["userId"], json!(user));
    let pieces = held["coupons"].as_array().unwrap();
    assert_eq!(pieces.len(), 2);
    assert_eq!((&pieces[0]["code"], &pieces[0]["status"]), (&json!("SECOND"), &json!("CLAIMED")));
    assert_eq!(pieces[0].get("usedAt"), None);
    let product = shop.product(1_000, 1).await;
    let body = json!({"items": [{"productId": product, "qty": 1}], "couponCode": "FIRST"});
    shop.post("/orders").by(user).json(body).await.is(201);
    let held = shop.get(&path).by(user).await.ok();
    assert_eq!(
        (&held["coupons"][1]["code"], &held["coupons"][1]["status"]),
        (&json!("FIRST"), &json!("USED"))
    );
    instant(&held["coupons"][1]["usedAt"]);
    shop.get(&path).by(other).await.problem(404, "NOT_FOUND");
    assert_eq!(shop.get(&path).by(shop.admin).await.ok(), held);
    shop.get(&path).await.problem(401, "UNAUTHORIZED");
    assert_eq!(shop.get(&format!("/users/{other}/coupons")).by(other).await.ok()["coupons"], json!([]));
}
