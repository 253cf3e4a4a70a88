//! Rate limits.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jumun::http::RateLimiter;
use reqwest::Method;
use serde_json::json;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_caller_who_asks_too_often_has_to_wait,
        what_is_limited_has_no_effect,
        operation_is_not_limited,
        an_address_is_what_our_own_proxies_say,
        passwords_are_tried_only_so_often_from_an_address,
    ]
}

/// A shop in which each caller may ask five times in so long.
async fn shop(database: Arc<TestDatabase>, period: Duration) -> Shop {
    let limiter = RateLimiter::new(NonZeroU32::new(5).unwrap(), period);
    Shop::open_with(database, Setup { limiter, ..Setup::default() }).await
}

/// The period is a minute, so that a slow machine does not give anything back meanwhile.
async fn a_caller_who_asks_too_often_has_to_wait(database: Arc<TestDatabase>) {
    let shop = shop(database, Duration::from_mins(1)).await;
    let (busy, other) = (shop.user().await, shop.user().await);
    for _ in 0..5 {
        shop.get("/wallets").by(busy).await.is(200);
    }
    for path in ["/wallets", "/orders", "/products", "/nothing-at-all"] {
        let answer = shop.get(path).by(busy).await;
        if path == "/nothing-at-all" {
            // A path that leads nowhere costs nothing.
            assert!(matches!(answer.status, 404 | 429), "{}", answer.text);
            continue;
        }
        answer.problem(429, "TOO_MANY_REQUESTS");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=12).contains(&wait), "{wait}");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"caller\";q=5;w=60"));
        assert_eq!(answer.header("ratelimit"), Some(format!("\"caller\";r=0;t={wait}").as_str()));
    }
    shop.get("/wallets").by(other).await.is(200);
    // Those who do not say who they are share what their address has.
    for _ in 0..5 {
        shop.get("/products").await.is(200);
    }
    shop.get("/products").await.problem(429, "TOO_MANY_REQUESTS");
    shop.get("/wallets").header("X-User-Id", NOBODY).await.problem(401, "UNAUTHORIZED");
}

async fn what_is_limited_has_no_effect(database: Arc<TestDatabase>) {
    let shop = shop(database, Duration::from_secs(1)).await;
    let user = shop.user().await;
    let answers = join_all((0..50).map(|_| shop.charge(user, "1000").into_future())).await;
    let (limited, charged): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 429);
    assert!(!limited.is_empty(), "five a second are not limited");
    assert!(limited.iter().all(|answer| answer.header("retry-after") == Some("1")), "{limited:#?}");
    assert!(charged.iter().all(|answer| answer.status == 200), "{charged:#?}");
    let charged = charged.len();
    assert!(charged >= 5, "{charged}");
    let points = shop.get(&format!("/users/{user}/points")).by(shop.admin).await.is(200);
    assert_eq!(points.raw("balance"), format!("{charged}000.00"));
}

async fn operation_is_not_limited(database: Arc<TestDatabase>) {
    let shop = shop(database, Duration::from_mins(1)).await;
    for _ in 0..10 {
        for path in ["/health/live", "/health/ready", "/metrics", "/openapi.json"] {
            shop.call(Method::GET, path).await.is(200);
        }
    }
}

/// Spoofed addresses give nobody a new limit; behind a proxy each caller has one of its own.
async fn an_address_is_what_our_own_proxies_say(database: Arc<TestDatabase>) {
    let open = |proxies| {
        let limiter = RateLimiter::new(NonZeroU32::new(5).unwrap(), Duration::from_mins(1));
        let limiter = limiter.map(|limiter| limiter.behind(proxies));
        Shop::open_with(database.clone(), Setup { limiter, ..Setup::default() })
    };
    let alone = open(0).await;
    let spoof = |number: usize| format!("198.51.100.{number}");
    for number in 0..6 {
        let names = ["X-Forwarded-For", "x-forwarded-for", "X-Real-IP", "Forwarded", "X-Client-IP"];
        let call = names.iter().fold(alone.get("/products"), |call, name| call.header(name, spoof(number)));
        let answer = call.header("X-Forwarded-For", spoof(number + 100)).await;
        assert_eq!(answer.status, if number < 5 { 200 } else { 429 });
    }
    let behind = open(1).await;
    let from = |number: usize, caller: &str| {
        behind.get("/products").header("X-Forwarded-For", format!("{}, {caller}", spoof(number)))
    };
    for number in 0..6 {
        assert_eq!(from(number, "203.0.113.7").await.status, if number < 5 { 200 } else { 429 });
    }
    from(0, "203.0.113.8").await.is(200);
}

/// Few passwords on many users are as good as many on one: the throttle of each user would not notice.
async fn passwords_are_tried_only_so_often_from_an_address(database: Arc<TestDatabase>) {
    let limiter = RateLimiter::default().with_sign_ins(NonZeroU32::new(3).unwrap(), Duration::from_mins(1));
    let limiter = Some(limiter.behind(1));
    let shop = Shop::open_with(database, Setup { limiter, ..Setup::default() }).await;
    let from = |caller: &str, path: &str, body| shop.post(path).header("X-Forwarded-For", caller).json(body);
    let login =
        |number: u32| json!({"email": format!("user{number}@example.com"), "password": "correct horse"});
    for number in 0..3 {
        from("203.0.113.7", "/auth/login", login(number)).await.problem(401, "UNAUTHORIZED");
    }
    let person = json!({"email": "kim@example.com", "name": "Kim", "password": "correct horse"});
    // However the path is written.
    for (path, body) in [
        ("/auth/login", login(4)),
        ("/auth/log%69n", login(5)),
        ("/a%75th/login", login(6)),
        ("/users", person.clone()),
        ("/user%73", person.clone()),
    ] {
        let answer = from("203.0.113.7", path, body).await;
        answer.problem(429, "TOO_MANY_REQUESTS");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("ratelimit-policy"), Some("\"sign-in\";q=3;w=60"));
    }
    // Others come in, and whoever is in stays in.
    from("203.0.113.8", "/users", person).await.is(201);
    for _ in 0..5 {
        let token = json!({"refreshToken": crate::auth::UNKNOWN});
        from("203.0.113.7", "/auth/refresh", token).await.problem(401, "UNAUTHORIZED");
        shop.get("/products").header("X-Forwarded-For", "203.0.113.7").await.is(200);
    }
}
