//! Users.

use std::sync::Arc;

use serde_json::json;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_registered_user_can_buy_at_once,
        an_address_belongs_to_one_user,
        everything_that_is_wrong_is_told_at_once,
        a_user_is_shown_to_itself_and_to_administrators,
        no_answer_has_a_password,
    ]
}

async fn a_registered_user_can_buy_at_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let body = json!({"email": "Kim@Example.com", "name": " 김철수 ", "password": "correct horse"});
    let answer = shop.post("/users").json(body).await.is(201);
    let user = answer.json();
    let id: uuid::Uuid = user["userId"].as_str().unwrap().parse().unwrap();
    let created = user["createdAt"].as_str().unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
    let expected = json!({
        "userId": id, "email": "Kim@Example.com", "name": "김철수", "role": "USER", "createdAt": created,
    });
    assert_eq!(user, expected);
    assert_eq!(answer.header("location"), Some(format!("/api/v1/users/{id}").as_str()));

    let id = kernel::UserId::from_uuid(id);
    assert_eq!(shop.get(&format!("/users/{id}")).by(id).await.is(200).text, answer.text);
    shop.charge(id, "1000").await.is(200);
    let product = shop.product(1_000, 1).await;
    shop.order(id, product, 1).await.is(201);
    shop.assert_audit_is_clean().await;
}

async fn an_address_belongs_to_one_user(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let register = |email: &str| {
        shop.post("/users").json(json!({"email": email, "name": "Kim", "password": "correct horse"}))
    };
    register("kim@example.com").await.is(201);
    for same in ["kim@example.com", "KIM@EXAMPLE.COM", "Kim@example.Com", " kim@example.com "] {
        let answer = register(same).await;
        answer.problem(409, "DUPLICATE_EMAIL");
        assert!(!answer.text.to_lowercase().contains("kim@"), "{}", answer.text);
    }
    register("kim+1@example.com").await.is(201);

    let twins =
        futures_util::future::join_all((0..8).map(|_| register("lee@example.com").into_future())).await;
    let mut statuses: Vec<_> = twins.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

async fn everything_that_is_wrong_is_told_at_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let good = ("kim@example.com", "Kim", "correct horse");
    let long_name = "김".repeat(101);
    let long_email = format!("{}@{}.com", "k".repeat(64), "x".repeat(186));
    let long_password = "x".repeat(73);
    let (email, name, password) = good;
    for (email, name, password, pointers) in [
        ("", "", "", ["/email", "/name", "/password"].as_slice()),
        ("x", "\n", "1234567", &["/email", "/name", "/password"]),
        ("kim@", name, &long_password, &["/email", "/password"]),
        ("@example.com", name, password, &["/email"]),
        ("kim@example", name, password, &["/email"]),
        ("kim@@example.com", name, password, &["/email"]),
        ("ki m@example.com", name, password, &["/email"]),
        ("kim@example..com", name, password, &["/email"]),
        (&long_email, name, password, &["/email"]),
        (email, &long_name, password, &["/name"]),
        (email, "a\u{1b}[31m", password, &["/name"]),
        (email, name, "1234567", &["/password"]),
    ] {
        let body = json!({"email": email, "name": name, "password": password});
        let answer = shop.post("/users").json(body).await;
        answer.invalid(pointers);
    }
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"email": email, "name": name}), ""),
        (json!({"email": email, "name": name, "password": 12_345_678}), "/password"),
        (json!({"email": email, "name": name, "password": password, "role": "ADMIN"}), "/role"),
        (json!({"email": email, "name": name, "password": password, "userId": NOBODY}), "/userId"),
        (json!({"email": email, "name": name, "password": password, "balance": 1}), "/balance"),
    ] {
        shop.post("/users").json(body).await.invalid(&[pointer]);
    }
    // 72 characters are 72 characters, whatever they are made of.
    let body = json!({"email": email, "name": name, "password": "🍵".repeat(72)});
    shop.post("/users").json(body).await.is(201);
}

async fn a_user_is_shown_to_itself_and_to_administrators(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (user, other) = (shop.user().await, shop.user().await);
    let path = format!("/users/{user}");
    let own = shop.get(&path).by(user).await.is(200);
    assert_eq!(shop.get(&path).by(shop.admin).await.is(200).text, own.text);
    assert_eq!(shop.get(&format!("/users/{}", shop.admin)).by(shop.admin).await.ok()["role"], "ADMIN");

    let hidden = shop.get(&path).by(other).await.problem(404, "NOT_FOUND");
    let missing = shop.get(&format!("/users/{NOBODY}")).by(other).await.problem(404, "NOT_FOUND");
    assert_eq!(hidden["detail"], missing["detail"]);
    shop.get(&format!("/users/{NOBODY}")).by(shop.admin).await.problem(404, "NOT_FOUND");
    shop.get(&path).await.problem(401, "UNAUTHORIZED");
    shop.get("/users/me").by(user).await.invalid(&["/id"]);
}

async fn no_answer_has_a_password(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let password = "canary-7f3a9";
    let body = json!({"email": "kim@example.com", "name": "Kim", "password": password});
    let created = shop.post("/users").json(body.clone()).await.is(201);
    let id = kernel::UserId::from_uuid(created.json()["userId"].as_str().unwrap().parse().unwrap());
    let shown = shop.get(&format!("/users/{id}")).by(id).await.is(200);
    let duplicate = shop.post("/users").json(body).await;
    duplicate.problem(409, "DUPLICATE_EMAIL");
    let mistaken =
        shop.post("/users").body(format!(r#"{{"password":"{password}","password":"{password}"}}"#)).await;
    mistaken.problem(400, "VALIDATION_ERROR");
    let misplaced = shop.post("/users").body(format!(r#"{{"{password}":1}}"#)).await;
    misplaced.problem(400, "VALIDATION_ERROR");
    for answer in [created, shown, duplicate, mistaken] {
        assert!(!answer.text.contains(password) && !answer.text.contains("argon2"), "{}", answer.text);
    }
}
