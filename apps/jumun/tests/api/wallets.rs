//! Wallets.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_wallet_is_empty_until_it_is_charged,
        a_charge_has_its_limits,
        only_an_exact_amount_is_an_amount,
        the_ledger_tells_how_the_balance_came_about,
        the_ledger_is_read_page_by_page,
        a_wallet_is_its_owners_and_the_administrators,
        a_caller_must_be_somebody,
    ]
}

async fn a_wallet_is_empty_until_it_is_charged(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let empty = shop.get("/wallets").by(user).await.is(200);
    assert_eq!(empty.text, format!(r#"{{"userId":"{user}","balance":0.00}}"#));
    let ledger = shop.get("/wallets/ledger").by(user).await.ok();
    assert_eq!(ledger, json!({"content": [], "nextCursor": null}));

    let charged = shop.charge(user, "1000.5").await.is(200);
    assert_eq!(charged.text, format!(r#"{{"userId":"{user}","balance":1000.50}}"#));
    assert_eq!(shop.get("/wallets").by(user).await.text, charged.text);
    assert_eq!(shop.get(&format!("/users/{user}/points")).by(user).await.text, charged.text);
}

async fn a_charge_has_its_limits(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    for amount in ["0", "-0", "0.01", "999.99", "1000000.01", "-1000", "9999999999999.99"] {
        shop.charge(user, amount).await.invalid(&["/amount"]);
    }
    assert_eq!(shop.balance(user).await, "0.00");
    for (amount, balance) in [("1000", "1000.00"), ("1000000.00", "1001000.00"), ("1000.01", "1002000.01")] {
        assert_eq!(shop.charge(user, amount).await.is(200).raw("balance"), balance);
    }
    shop.assert_audit_is_clean().await;
}

async fn only_an_exact_amount_is_an_amount(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let digits = "1".repeat(40);
    let nulls = format!("1000.{}", "0".repeat(40));
    for amount in
        ["10.001", "1000.001", "1e-3", "\"5\"", "\"5000\"", "null", "true", "[1000]", "{}", &digits, "1e400"]
    {
        shop.charge(user, amount).await.invalid(&["/amount"]);
    }
    // These are no JSON at all.
    for amount in ["NaN", "Infinity", "-Infinity", "+1000", "01000", ".5", "1000.", "1e", "0x3e8", ""] {
        shop.charge(user, amount).await.problem(400, "VALIDATION_ERROR");
    }
    let missing = shop.post("/wallets/charge").by(user).json(json!({}));
    missing.await.invalid(&[""]);
    for member in ["balance", "userId", "kind", "Amount"] {
        let body = json!({"amount": 1_000, member: 1});
        shop.post("/wallets/charge").by(user).json(body).await.invalid(&[&format!("/{member}")]);
    }
    let twice = shop.post("/wallets/charge").by(user).body(r#"{"amount":1000,"amount":2000}"#);
    twice.await.invalid(&[""]);
    assert_eq!(shop.balance(user).await, "0.00");

    // One number can be written in many ways.
    for (amount, balance) in
        [("1e3", "1000.00"), ("1.0E+3", "2000.00"), (&nulls, "3000.00"), ("100010e-2", "4000.10")]
    {
        assert_eq!(shop.charge(user, amount).await.is(200).raw("balance"), balance, "{amount}");
    }
}

async fn the_ledger_tells_how_the_balance_came_about(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    shop.charge(user, "5000").await.is(200);
    let product = shop.product_named("tea", "1250.25", 9).await;
    let order = shop.order(user, product, 2).await.is(201).json()["orderId"].as_str().unwrap().to_owned();
    shop.order(user, product, 3).await.problem(409, "INSUFFICIENT_BALANCE");

    let ledger = shop.get("/wallets/ledger").by(user).await.is(200);
    let shown = ledger.json();
    let created = |place: usize| shown["content"][place]["createdAt"].as_str().unwrap().to_owned();
    let expected = format!(
        r#"{{"content":[{{"kind":"PAYMENT","delta":-2500.50,"balanceBefore":5000.00,"balanceAfter":2499.50,"orderId":"{order}","createdAt":"{}"}},{{"kind":"CHARGE","delta":5000.00,"balanceBefore":0.00,"balanceAfter":5000.00,"createdAt":"{}"}}],"nextCursor":null}}"#,
        created(0),
        created(1),
    );
    assert_eq!(ledger.text, expected);
    shop.assert_audit_is_clean().await;
}

async fn the_ledger_is_read_page_by_page(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let other = shop.buyer(5_000).await;
    for number in 0..5 {
        shop.charge(user, &format!("100{number}")).await.is(200);
    }
    let mut found = Vec::new();
    let mut next = Some(String::new());
    let mut pages = 0;
    while let Some(cursor) = next {
        let parameter = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let page = shop.get(&format!("/wallets/ledger?size=2{parameter}")).by(user).await.ok();
        found.extend(page["content"].as_array().unwrap().iter().map(|entry| entry["delta"].clone()));
        next = page["nextCursor"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!((pages, found), (3, [1004.0, 1003.0, 1002.0, 1001.0, 1000.0].map(Value::from).to_vec()));

    for (query, pointer) in [
        ("cursor=x", "/cursor"),
        ("cursor=", "/cursor"),
        ("cursor=AAAAAAAAAAA", "/cursor"),
        ("size=0", "/size"),
        ("size=101", "/size"),
        ("page=1", "/page"),
    ] {
        shop.get(&format!("/wallets/ledger?{query}")).by(other).await.invalid(&[pointer]);
    }
}

async fn a_wallet_is_its_owners_and_the_administrators(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (owner, other) = (shop.buyer(5_000).await, shop.user().await);
    let path = format!("/users/{owner}/points");
    let charge = json!({"amount": 1_000});

    shop.get(&path).by(other).await.problem(404, "NOT_FOUND");
    shop.post(&format!("{path}/charge")).by(other).json(charge.clone()).await.problem(404, "NOT_FOUND");
    assert_eq!(shop.balance(owner).await, "5000.00");

    assert_eq!(shop.get(&path).by(shop.admin).await.is(200).raw("balance"), "5000.00");
    for (caller, balance) in [(owner, "6000.00"), (shop.admin, "7000.00")] {
        let charged = shop.post(&format!("{path}/charge")).by(caller).json(charge.clone()).await.is(200);
        assert_eq!(
            (charged.json()["userId"].clone(), charged.raw("balance")),
            (json!(owner), balance.to_owned())
        );
    }
    assert_eq!(shop.balance(shop.admin).await, "0.00");
    assert_eq!(shop.balance(other).await, "0.00");

    for path in [format!("/users/{NOBODY}/points"), format!("/users/{NOBODY}/points/charge")] {
        let call =
            if path.ends_with("charge") { shop.post(&path).json(charge.clone()) } else { shop.get(&path) };
        call.by(shop.admin).await.problem(404, "NOT_FOUND");
    }
    shop.get("/users/x/points").by(owner).await.invalid(&["/id"]);
    shop.assert_audit_is_clean().await;
}

async fn a_caller_must_be_somebody(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await.to_string();
    let simple = user.replace('-', "");
    for caller in [NOBODY, "", "1", "admin", &simple, &format!("{{{user}}}"), &format!("{user}0"), "\u{e9}"] {
        let answer = shop.get("/wallets").header("X-User-Id", caller).await;
        answer.problem(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").is_some());
    }
    let twice = shop.get("/wallets").header("X-User-Id", &user).header("X-User-Id", &user);
    twice.await.problem(401, "UNAUTHORIZED");
    shop.get("/wallets").header("x-user-id", user.to_uppercase()).await.is(200);
}
