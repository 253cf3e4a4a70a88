//! Logging in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use jumun::http::Services;
use serde_json::json;
use testkit::{Scenario, TestDatabase, eventually, scenarios};
use tokio::sync::Semaphore;
use user::{Password, PasswordHash, Passwords, UserError};

use crate::support::{Answer, Call, Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_login_leads_to_tokens,
        a_wrong_password_and_an_unknown_address_are_answered_alike,
        what_cannot_be_right_is_refused_before_anything_is_hashed,
        after_five_failures_nobody_gets_in_for_a_while,
        many_logins_at_once_do_not_slip_past_the_limit,
        logins_that_are_under_way_do_not_lock_their_owner_out,
        a_login_forgets_the_failures_before_it,
        a_login_that_could_not_be_decided_does_not_count,
        no_answer_tells_a_secret,
    ]
}

pub(crate) const PASSWORD: &str = "correct horse";
/// A refresh token in form, and of no session.
pub(crate) const UNKNOWN: &str = "Zm9yIGV4YW1wbGUgb25seSwgZXhjaGFuZ2VkIG9uY2U";

/// Counts what is verified, each time as much work as without it.
struct Counting {
    inner: Arc<dyn Passwords>,
    /// With the hash of a user, and without.
    verified: [AtomicUsize; 2],
}

impl Counting {
    fn counts(&self) -> [usize; 2] {
        [0, 1].map(|index| self.verified[index].load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Passwords for Counting {
    async fn hash(&self, password: Password) -> Result<PasswordHash, UserError> {
        self.inner.hash(password).await
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, UserError> {
        self.verified[usize::from(hash.is_none())].fetch_add(1, Ordering::SeqCst);
        self.inner.verify(password, hash).await
    }
}

/// Has no place for anybody.
struct Busy(Arc<dyn Passwords>);

#[async_trait]
impl Passwords for Busy {
    async fn hash(&self, password: Password) -> Result<PasswordHash, UserError> {
        self.0.hash(password).await
    }

    async fn verify(&self, _: Password, _: Option<PasswordHash>) -> Result<bool, UserError> {
        Err(UserError::Busy)
    }
}

/// Verifies as many passwords at once as it has places, and makes the others wait.
struct Held {
    inner: Arc<dyn Passwords>,
    arrived: AtomicUsize,
    places: Semaphore,
}

#[async_trait]
impl Passwords for Held {
    async fn hash(&self, password: Password) -> Result<PasswordHash, UserError> {
        self.inner.hash(password).await
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, UserError> {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        self.places.acquire().await.unwrap().forget();
        self.inner.verify(password, hash).await
    }
}

async fn open_with(
    database: Arc<TestDatabase>,
    replace: impl FnOnce(&mut Services) + Send + 'static,
) -> Shop {
    Shop::open_with(database, Setup { replace: Some(Box::new(replace)), ..Setup::default() }).await
}

/// Opens a shop that counts the passwords it verifies.
async fn counting(database: Arc<TestDatabase>) -> (Shop, Arc<Counting>) {
    let (send, receive) = std::sync::mpsc::channel();
    let shop = open_with(database, move |services| {
        let inner = services.passwords.clone();
        let counting = Arc::new(Counting { inner, verified: Default::default() });
        services.passwords = counting.clone();
        send.send(counting).unwrap();
    })
    .await;
    (shop, receive.recv().unwrap())
}

pub(crate) async fn register(shop: &Shop, email: &str) -> String {
    let body = json!({"email": email, "name": "Kim", "password": PASSWORD});
    shop.post("/users").json(body).await.is(201).json()["userId"].as_str().unwrap().to_owned()
}

pub(crate) fn log_in(shop: &Shop, email: &str, password: &str) -> Call {
    shop.post("/auth/login").json(json!({"email": email, "password": password}))
}

pub(crate) fn refresh(shop: &Shop, token: &str) -> Call {
    shop.post("/auth/refresh").json(json!({"refreshToken": token}))
}

pub(crate) fn log_out(shop: &Shop, token: &str) -> Call {
    shop.post("/auth/logout").json(json!({"refreshToken": token}))
}

/// Returns the refresh token of an answer, which must have the form of all that hand out tokens.
#[track_caller]
pub(crate) fn refresh_token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut tokens = answer.json();
    let [access, refresh] = ["accessToken", "refreshToken"].map(|name| {
        let token = tokens.as_object_mut().unwrap().remove(name).unwrap();
        token.as_str().unwrap().to_owned()
    });
    let rest = json!({"expiresIn": 3600, "refreshExpiresIn": 604_800, "tokenType": "Bearer"});
    assert_eq!(tokens, rest);
    assert!(access.split('.').count() == 3 && refresh.len() == 43, "{access} {refresh}");
    refresh
}

async fn a_login_leads_to_tokens(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "Kim@example.com").await;
    let mut tokens = Vec::new();
    for email in ["Kim@example.com", "kim@EXAMPLE.com", " kim@example.com "] {
        tokens.push(refresh_token(&log_in(&shop, email, PASSWORD).await));
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each login is a session of its own");
    // What else the request says of its caller makes no difference here.
    let strange =
        log_in(&shop, "kim@example.com", PASSWORD).header("X-User-Id", "x").header("Authorization", "x");
    refresh_token(&strange.await);
    shop.assert_audit_is_clean().await;
}

async fn a_wrong_password_and_an_unknown_address_are_answered_alike(database: Arc<TestDatabase>) {
    let (shop, verified) = counting(database).await;
    register(&shop, "kim@example.com").await;
    let wrong = log_in(&shop, "kim@example.com", "correct horsf").await;
    let unknown = log_in(&shop, "lee@example.com", PASSWORD).await;
    let [wrong_body, unknown_body] = [&wrong, &unknown].map(|answer| {
        let mut problem = answer.problem(401, "UNAUTHORIZED");
        for member in ["timestamp", "traceId"] {
            problem.as_object_mut().unwrap().remove(member);
        }
        problem
    });
    assert_eq!(wrong_body, unknown_body);
    let names = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&wrong), names(&unknown));
    assert_eq!(wrong.header("www-authenticate"), Some("X-User-Id realm=\"jumun\""));
    // The same work was done for both.
    assert_eq!(verified.counts(), [1, 1]);
}

async fn what_cannot_be_right_is_refused_before_anything_is_hashed(database: Arc<TestDatabase>) {
    let (shop, verified) = counting(database).await;
    register(&shop, "kim@example.com").await;
    let megabyte = "x".repeat(1_000_000);
    for (email, password, pointers) in [
        ("kim@example.com", "1234567", ["/password"].as_slice()),
        ("kim@example.com", &megabyte, &["/password"]),
        (&megabyte, PASSWORD, &["/email"]),
        ("kim", "", &["/email", "/password"]),
    ] {
        log_in(&shop, email, password).await.invalid(pointers);
    }
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"email": "kim@example.com"}), ""),
        (json!({"email": "kim@example.com", "password": 12_345_678}), "/password"),
        (json!({"email": "kim@example.com", "password": PASSWORD, "role": "ADMIN"}), "/role"),
    ] {
        shop.post("/auth/login").json(body).await.invalid(&[pointer]);
    }
    for path in ["/auth/refresh", "/auth/logout"] {
        shop.post(path).json(json!({})).await.invalid(&[""]);
        shop.post(path).json(json!({"refreshToken": 1})).await.invalid(&["/refreshToken"]);
        shop.post(path).json(json!({"refresh_token": UNKNOWN})).await.invalid(&["/refresh_token"]);
    }
    assert_eq!(verified.counts(), [0, 0]);
    // None of it was a try.
    refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
}

async fn after_five_failures_nobody_gets_in_for_a_while(database: Arc<TestDatabase>) {
    let (shop, verified) = counting(database.clone()).await;
    register(&shop, "kim@example.com").await;
    for email in ["kim@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            log_in(&shop, email, "wrong horse").await.problem(401, "UNAUTHORIZED");
        }
    }
    assert_eq!(verified.counts(), [5, 5]);
    // Another instance knows of it, too, and the right password makes no difference.
    let other = Shop::open(database).await;
    for (shop, email) in [
        (&shop, "kim@example.com"),
        (&shop, "KIM@example.com"),
        (&other, "kim@example.com"),
        (&shop, "nobody@example.com"),
    ] {
        let answer = log_in(shop, email, PASSWORD).await;
        answer.problem(429, "TOO_MANY_REQUESTS");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((800..=900).contains(&wait), "{wait}");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"login\";q=5;w=900"));
        assert_eq!(answer.header("ratelimit"), Some(format!("\"login\";r=0;t={wait}").as_str()));
    }
    assert_eq!(verified.counts(), [5, 5], "the password is not looked at");
    register(&shop, "lee@example.com").await;
    refresh_token(&log_in(&shop, "lee@example.com", PASSWORD).await);
}

async fn many_logins_at_once_do_not_slip_past_the_limit(database: Arc<TestDatabase>) {
    let (shop, verified) = counting(database).await;
    register(&shop, "kim@example.com").await;
    let tries = (0..30).map(|_| log_in(&shop, "kim@example.com", "wrong horse").into_future());
    let answers = join_all(tries).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(verified.counts(), [5, 0]);
    assert_eq!(count(401), 5);
    // Whoever finds no turn at the rows is told to come back, and was not let through either.
    assert_eq!(count(429) + count(503), 25, "{answers:#?}");
}

/// Seen to fail with `SignIn::reserve` turning away at once: the sixth was told to wait a quarter of an hour.
async fn logins_that_are_under_way_do_not_lock_their_owner_out(database: Arc<TestDatabase>) {
    let (send, receive) = std::sync::mpsc::channel();
    let shop = open_with(database, move |services| {
        let inner = services.passwords.clone();
        let held = Arc::new(Held { inner, arrived: AtomicUsize::new(0), places: Semaphore::new(0) });
        services.passwords = held.clone();
        send.send(held).unwrap();
    })
    .await;
    let held: Arc<Held> = receive.recv().unwrap();
    register(&shop, "kim@example.com").await;
    let mut logins = Vec::new();
    for under_way in 1..=5 {
        logins.push(tokio::spawn(log_in(&shop, "kim@example.com", PASSWORD).into_future()));
        eventually("a login is under way", async || {
            (held.arrived.load(Ordering::SeqCst) == under_way).then_some(())
        })
        .await;
    }
    let mut sixth = tokio::spawn(log_in(&shop, "kim@example.com", PASSWORD).into_future());
    // That nobody is turned away cannot be awaited, only given time to happen.
    tokio::select! {
        turned_away = &mut sixth => panic!("{turned_away:?}"),
        () = tokio::time::sleep(Duration::from_millis(300)) => {}
    }
    held.places.add_permits(6);
    logins.push(sixth);
    for login in logins {
        refresh_token(&login.await.unwrap());
    }
}

async fn a_login_forgets_the_failures_before_it(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    for _ in 0..3 {
        for _ in 0..4 {
            log_in(&shop, "kim@example.com", "wrong horse").await.problem(401, "UNAUTHORIZED");
        }
        log_in(&shop, "kim@example.com", PASSWORD).await.is(200);
    }
}

async fn a_login_that_could_not_be_decided_does_not_count(database: Arc<TestDatabase>) {
    let busy = open_with(database.clone(), |services| {
        services.passwords = Arc::new(Busy(services.passwords.clone()));
    })
    .await;
    register(&busy, "kim@example.com").await;
    for _ in 0..6 {
        let answer = log_in(&busy, "kim@example.com", PASSWORD).await;
        answer.problem(503, "SERVICE_UNAVAILABLE");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let shop = Shop::open(database).await;
    refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
}

async fn no_answer_tells_a_secret(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (email, password) = ("canary-mail@example.com", "canary-7f3a9");
    let body = json!({"email": email, "name": "Kim", "password": password});
    shop.post("/users").json(body).await.is(201);
    let token = refresh_token(&log_in(&shop, email, password).await);
    let mut answers = vec![
        log_in(&shop, email, password).await,
        log_in(&shop, email, &format!("{password}!")).await,
        shop.post("/auth/login").body(format!(r#"{{"password":"{password}","password":"x"}}"#)).await,
        refresh(&shop, &format!("{token}x")).await,
        log_out(&shop, &token).await,
        refresh(&shop, &token).await,
    ];
    for _ in 0..5 {
        answers.push(log_in(&shop, email, &format!("{password}!")).await);
    }
    for answer in answers {
        for secret in ["canary", "argon2", token.as_str()] {
            assert!(!answer.text.contains(secret), "{secret} in {}", answer.text);
        }
    }
}
