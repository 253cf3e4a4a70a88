//! How callers are known: by a header that is believed, by an access token, or by either.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use jumun::http::{Authentication, RateLimiter};
use jwt::JwtTokens;
use kernel::{IdGenerator, UserId};
use local::{SystemClock, SystemIds};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::{ManualClock, Scenario, TestDatabase, scenarios};
use user::AccessTokens;

use crate::support::{Answer, Call, NOBODY, Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        with_jwt_the_token_counts_and_the_header_does_not,
        with_jwt_no_form_of_the_header_is_looked_at,
        with_header_the_header_counts_and_the_token_does_not,
        with_both_a_token_outranks_the_header_even_a_bad_one,
        every_bad_token_is_refused_with_the_same_answer,
        whoever_says_nothing_is_asked_in_the_way_that_is_in_force,
        a_role_is_the_users_and_not_the_tokens,
        nobody_evades_the_limit_by_a_name_that_does_not_count,
        logins_are_limited_by_address,
    ]
}

const SECRET: [u8; 32] = [5; 32];
const BAD_TOKEN: &str = "Bearer realm=\"jumun\", error=\"invalid_token\"";

/// Opens a shop in which callers are known in this way.
pub(crate) async fn open(database: Arc<TestDatabase>, mode: Authentication) -> Shop {
    open_limited(database, mode, None).await
}

async fn open_limited(database: Arc<TestDatabase>, mode: Authentication, limit: Option<u32>) -> Shop {
    let limiter =
        limit.and_then(|count| RateLimiter::new(NonZeroU32::new(count).unwrap(), Duration::from_mins(1)));
    let replace: crate::support::Replace = Box::new(move |services| {
        services.authentication = mode;
        services.tokens = Arc::new(JwtTokens::new(&SECRET, Arc::new(SystemClock), Arc::new(SystemIds)));
    });
    Shop::open_with(database, Setup { limiter, replace: Some(replace), ..Setup::default() }).await
}

/// Signs claims that are good now but for one, under a header with something more in it.
fn signed(user: UserId, header: &Value, claim: &str, value: Value) -> String {
    let now = kernel::Clock::now(&SystemClock).timestamp();
    let mut claims = json!({"iss": "jumun", "aud": "jumun-api", "sub": user, "iat": now, "nbf": now,
        "exp": now + 60, "jti": "1"});
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
        value => claims[claim] = value,
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut complete = json!({"alg": "HS256", "typ": "at+jwt"});
    complete.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    let message = format!("{}.{}", part(&complete), part(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Issues a token so many seconds from now.
fn token_at(user: UserId, seconds: i64, secret: &[u8; 32]) -> String {
    let now = kernel::Clock::now(&SystemClock) + TimeDelta::seconds(seconds);
    let tokens = JwtTokens::new(secret, Arc::new(ManualClock::at(now)), Arc::new(SystemIds));
    tokens.issue(user).unwrap().expose().to_owned()
}

pub(crate) fn token(user: UserId) -> String {
    token_at(user, 0, &SECRET)
}

pub(crate) fn bearer(call: Call, token: &str) -> Call {
    call.header("Authorization", format!("Bearer {token}"))
}

async fn log_in(shop: &Shop, email: &str) -> Value {
    shop.post("/users")
        .json(json!({"email": email, "name": "Kim", "password": "correct horse"}))
        .await
        .is(201);
    shop.post("/auth/login").json(json!({"email": email, "password": "correct horse"})).await.ok()
}

async fn with_jwt_the_token_counts_and_the_header_does_not(database: Arc<TestDatabase>) {
    let shop = open(database, Authentication::Jwt).await;
    let tokens = log_in(&shop, "kim@example.com").await;
    let access = tokens["accessToken"].as_str().unwrap();
    let own = bearer(shop.get("/wallets"), access).await.ok();
    let spoofed = bearer(shop.get("/wallets"), access).by(shop.admin).await.ok();
    assert_eq!(own["userId"], spoofed["userId"]);
    let hidden = bearer(shop.get(&format!("/users/{}", shop.admin)), access).by(shop.admin).await;
    hidden.problem(404, "NOT_FOUND");
    let user = own["userId"].as_str().unwrap();
    let charge = bearer(shop.post("/wallets/charge"), access).json(json!({"amount": 1000})).await.is(200);
    assert_eq!(charge.json()["userId"], user);
    shop.get("/wallets").by(shop.admin).await.problem(401, "UNAUTHORIZED");
    // The scheme's name is the same in whatever case (RFC 9110).
    for scheme in ["bearer", "BEARER", "Bearer  "] {
        let value = format!("{scheme} {access}");
        shop.get("/wallets").header("Authorization", value).await.is(200);
    }
    // What is open stays open, and where it matters who asks a bad token is told there, too.
    let product = format!("/products/{NOBODY}");
    shop.get(&product).await.problem(404, "NOT_FOUND");
    bearer(shop.get(&product), "x").await.problem(401, "UNAUTHORIZED");
    // Who refreshes may still send the token that has expired.
    let body = json!({"refreshToken": tokens["refreshToken"]});
    bearer(shop.post("/auth/refresh"), "x").json(body).await.is(200);
}

/// However the header is written: for another, for nobody, twice, in another case, beside its relatives.
async fn with_jwt_no_form_of_the_header_is_looked_at(database: Arc<TestDatabase>) {
    let shop = open(database, Authentication::Jwt).await;
    let (user, admin) = (shop.user().await, shop.admin.to_string());
    let token = token(user);
    for headers in [
        [("X-User-Id", admin.as_str()), ("X-User-Id", &admin)].as_slice(),
        &[("x-user-id", &admin), ("X-USER-ID", &admin)],
        &[("X-User-Id", ""), ("X-User-Id", "'; DROP TABLE users; --")],
        &[("X_User_Id", &admin), ("X-User-Role", "ADMIN"), ("X-Role", "ADMIN")],
        &[("X-Forwarded-User", &admin), ("X-Remote-User", &admin), ("X-Original-User", &admin)],
        &[("X-Original-URL", "/api/v1/admin/audit"), ("X-Rewrite-URL", "/api/v1/admin/audit")],
        &[("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "PUT")],
    ] {
        let with = |call| headers.iter().fold(call, |call: Call, (name, value)| call.header(name, value));
        let own = with(bearer(shop.get("/wallets"), &token)).await.ok();
        assert_eq!(own["userId"], user.to_string(), "{headers:?}");
        with(bearer(shop.get("/admin/audit"), &token)).await.problem(403, "FORBIDDEN");
        with(shop.get("/wallets")).await.problem(401, "UNAUTHORIZED");
    }
}

async fn with_header_the_header_counts_and_the_token_does_not(database: Arc<TestDatabase>) {
    let shop = open(database, Authentication::Header).await;
    let (user, other) = (shop.user().await, shop.user().await);
    for token in [token(other), "x".into()] {
        let shown = bearer(shop.get("/wallets"), &token).by(user).await.ok();
        assert_eq!(shown["userId"], user.to_string());
        bearer(shop.get("/wallets"), &token).await.problem(401, "UNAUTHORIZED");
        bearer(shop.get("/products"), &token).await.is(200);
    }
    assert_eq!(log_in(&shop, "kim@example.com").await["tokenType"], "Bearer");
}

async fn with_both_a_token_outranks_the_header_even_a_bad_one(database: Arc<TestDatabase>) {
    let shop = open(database, Authentication::Both).await;
    let (user, other) = (shop.user().await, shop.user().await);
    let seen = async |call: Call| call.await.ok()["userId"].as_str().unwrap().to_owned();
    assert_eq!(seen(shop.get("/wallets").by(user)).await, user.to_string());
    assert_eq!(seen(bearer(shop.get("/wallets"), &token(user))).await, user.to_string());
    assert_eq!(seen(bearer(shop.get("/wallets"), &token(user)).by(other)).await, user.to_string());
    for bad in ["Bearer x".to_owned(), "Basic a2ltOmtpbQ==".into(), "Bearer".into(), String::new()] {
        let answer = shop.get("/wallets").header("Authorization", &bad).by(user).await;
        answer.problem(401, "UNAUTHORIZED");
        assert_eq!(answer.header("www-authenticate"), Some(BAD_TOKEN), "{bad}");
    }
    shop.get("/wallets").header("X-User-Id", NOBODY).await.problem(401, "UNAUTHORIZED");
}

async fn every_bad_token_is_refused_with_the_same_answer(database: Arc<TestDatabase>) {
    let shop = open(database, Authentication::Jwt).await;
    let user = shop.user().await;
    let good = token(user);
    bearer(shop.get("/wallets"), &good).await.is(200);
    let refresh = log_in(&shop, "kim@example.com").await["refreshToken"].as_str().unwrap().to_owned();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let claims = message.split_once('.').unwrap().1;
    let now = kernel::Clock::now(&SystemClock).timestamp();
    let with = |claim: &str, value: Value| format!("Bearer {}", signed(user, &json!({}), claim, value));
    let headed = |header: Value| format!("Bearer {}", signed(user, &header, "jti", json!("2")));
    bearer(shop.get("/wallets"), &signed(user, &json!({}), "jti", json!("2"))).await.is(200);
    let bad = [
        ("expired by a second", format!("Bearer {}", token_at(user, -3_601, &SECRET))),
        ("not good yet", format!("Bearer {}", token_at(user, 60, &SECRET))),
        ("another secret", format!("Bearer {}", token_at(user, 0, &[6; 32]))),
        ("nobody's", format!("Bearer {}", token(UserId::from_uuid(NOBODY.parse().unwrap())))),
        ("a refresh token", format!("Bearer {refresh}")),
        ("not good before a minute", with("nbf", json!(now + 60))),
        ("another audience", with("aud", json!("shop"))),
        ("another issuer", with("iss", json!("somebody"))),
        ("no end", with("exp", Value::Null)),
        ("no subject", with("sub", Value::Null)),
        ("a subject of SQL", with("sub", json!("' OR '1'='1"))),
        ("another algorithm than it is signed by", headed(json!({"alg": "RS256"}))),
        ("another kind", headed(json!({"typ": "rt+jwt"}))),
        ("long and signed", with("jti", json!("x".repeat(100_000)))),
        // {"alg":"none"}
        ("without an algorithm", format!("Bearer eyJhbGciOiJub25lIn0.{claims}.")),
        ("with another's signature", format!("Bearer eyJhbGciOiJub25lIn0.{claims}.{signature}")),
        ("cut", format!("Bearer {message}.")),
        ("long", format!("Bearer {}", "x".repeat(100_000))),
        ("a token and more", format!("Bearer {good} {good}")),
        ("another scheme", format!("Basic {good}")),
        ("no scheme", good.clone()),
        ("nothing", "Bearer ".to_owned()),
    ];
    let mut answers = Vec::new();
    for (what, value) in &bad {
        let answer = shop.get("/wallets").header("Authorization", value).by(user).await;
        answers.push((*what, assert_bad(&answer)));
    }
    // What a token says of its key leads nowhere: the key is ours.
    for kid in ["../../dev/null", "' UNION SELECT 'x'; --", "http://127.0.0.1:9/"] {
        let leads = json!({"kid": kid, "jku": "http://127.0.0.1:9/", "x5u": "http://127.0.0.1:9/"});
        let forged = signed(user, &leads, "jti", json!("2"));
        let (forged, _) = forged.rsplit_once('.').unwrap();
        let answer = bearer(shop.get("/wallets"), &format!("{forged}.{signature}")).await;
        answers.push((kid, assert_bad(&answer)));
        bearer(shop.get("/wallets"), &signed(user, &leads, "jti", json!("2"))).await.is(200);
    }
    let twice = bearer(bearer(shop.get("/wallets"), &good), &good).await;
    answers.push(("twice", assert_bad(&twice)));
    for (what, answer) in &answers {
        assert_eq!(answer, &answers[0].1, "{what}");
    }
}

/// Returns the body without what belongs to the moment.
#[track_caller]
fn assert_bad(answer: &Answer) -> Value {
    let mut problem = answer.problem(401, "UNAUTHORIZED");
    assert_eq!(answer.header("www-authenticate"), Some(BAD_TOKEN));
    problem["timestamp"] = Value::Null;
    problem["traceId"] = Value::Null;
    problem
}

async fn whoever_says_nothing_is_asked_in_the_way_that_is_in_force(database: Arc<TestDatabase>) {
    for (mode, challenge) in [
        (Authentication::Header, "X-User-Id realm=\"jumun\""),
        (Authentication::Jwt, "Bearer realm=\"jumun\""),
        (Authentication::Both, "Bearer realm=\"jumun\", X-User-Id realm=\"jumun\""),
    ] {
        let shop = open(database.clone(), mode).await;
        let login = json!({"email": "nobody@example.com", "password": "correct horse"});
        for answer in [shop.get("/wallets").await, shop.post("/auth/login").json(login).await] {
            answer.problem(401, "UNAUTHORIZED");
            assert_eq!(answer.header("www-authenticate"), Some(challenge), "{mode:?}");
        }
    }
}

async fn a_role_is_the_users_and_not_the_tokens(database: Arc<TestDatabase>) {
    let shop = open(database, Authentication::Jwt).await;
    let user = shop.user().await;
    bearer(shop.get("/admin/audit"), &token(user)).await.problem(403, "FORBIDDEN");
    bearer(shop.get("/admin/audit"), &token(shop.admin)).await.is(200);
}

/// Seen to fail with the header in the place of whom the request names.
async fn nobody_evades_the_limit_by_a_name_that_does_not_count(database: Arc<TestDatabase>) {
    let shop = open_limited(database, Authentication::Jwt, Some(5)).await;
    let (busy, other) = (shop.user().await, shop.user().await);
    let spoofed = |call: Call| call.header("X-User-Id", SystemIds.uuid().to_string());
    for _ in 0..5 {
        spoofed(bearer(shop.get("/wallets"), &token(busy))).await.is(200);
    }
    spoofed(bearer(shop.get("/wallets"), &token(busy))).await.problem(429, "TOO_MANY_REQUESTS");
    spoofed(bearer(shop.get("/wallets"), &token(other))).await.is(200);
    // Names that prove nothing share what their address has.
    let forged = || token_at(UserId::from_uuid(SystemIds.uuid()), 0, &[6; 32]);
    for _ in 0..5 {
        spoofed(bearer(shop.get("/wallets"), &forged())).await.problem(401, "UNAUTHORIZED");
    }
    spoofed(bearer(shop.get("/wallets"), &forged())).await.problem(429, "TOO_MANY_REQUESTS");
    spoofed(shop.get("/products")).await.problem(429, "TOO_MANY_REQUESTS");
}

async fn logins_are_limited_by_address(database: Arc<TestDatabase>) {
    let shop = open_limited(database, Authentication::Header, Some(5)).await;
    let login = |number: u32| {
        let email = format!("user{number}@example.com");
        let call =
            shop.call(Method::POST, "/api/v1/auth/login").header("X-User-Id", SystemIds.uuid().to_string());
        call.json(json!({"email": email, "password": "correct horse"}))
    };
    for number in 0..5 {
        login(number).await.problem(401, "UNAUTHORIZED");
    }
    login(5).await.problem(429, "TOO_MANY_REQUESTS");
}
