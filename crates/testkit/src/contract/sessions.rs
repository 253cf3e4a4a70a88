//! Sessions, their refresh tokens, and tries at passwords.

use std::sync::Arc;
use std::time::Duration;

use checkout::{Transaction, UnitOfWork};
use chrono::TimeDelta;
use kernel::{Clock, IdGenerator, StoreError, Timestamp, UserId};
use local::SystemIds;
use sea_orm::{ConnectionTrait, Statement};
use tokio::task::JoinSet;
use user::{
    Email, IssuedToken, LoginAttempt, LoginAttempts, Presented, RefreshToken, Session, SessionId,
    SessionJanitor, TokenDigest, UserError,
};

use crate::fixtures::Shop;
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_session_is_found_by_each_of_its_tokens,
        a_token_is_used_once_whoever_saw_it_unused,
        a_session_that_was_revoked_is_not_rotated,
        of_two_rotations_at_once_one_wins,
        only_hashes_of_tokens_are_stored,
        what_has_expired_is_purged_and_nothing_else,
        tries_at_an_address_are_counted_whatever_its_case,
        a_slot_is_given_to_one_try,
        many_tries_at_once_do_not_slip_past_the_limit,
        tries_are_purged_once_they_count_no_more,
    ]
}

fn digest() -> TokenDigest {
    RefreshToken::generate(&SystemIds).digest()
}

fn new_session(now: Timestamp) -> Session {
    let [id, user] = [(); 2].map(|()| SystemIds.uuid());
    Session::open(SessionId::from_uuid(id), UserId::from_uuid(user), digest(), now)
}

async fn open(shop: &Shop) -> Session {
    let session = new_session(shop.clock.now());
    let mut tx = shop.begin().await;
    tx.sessions().insert(&session).await.unwrap();
    tx.commit().await.unwrap();
    session
}

async fn find(shop: &Shop, token: &TokenDigest) -> Option<Session> {
    let mut tx = shop.begin().await;
    let found = tx.sessions().lock(token).await.unwrap();
    tx.commit().await.unwrap();
    found
}

fn next(session: &Session, now: Timestamp) -> IssuedToken {
    match session.present(digest(), now) {
        Ok(Presented::Rotated(next)) => next,
        other => panic!("the token is good: {other:?}"),
    }
}

async fn rotate(shop: &Shop, session: &Session, next: &IssuedToken) -> Result<(), StoreError> {
    let mut tx = shop.begin().await;
    tx.sessions().rotate(session, next).await?;
    tx.commit().await
}

async fn revoke(shop: &Shop, session: &Session) {
    let mut tx = shop.begin().await;
    tx.sessions().revoke(session.id, shop.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn a_session_is_found_by_each_of_its_tokens(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let first = open(&shop).await;
    assert_eq!(find(&shop, &first.token.digest).await, Some(first.clone()));
    shop.clock.advance(Duration::from_hours(1));
    let now = shop.clock.now();
    let second = next(&first, now);
    rotate(&shop, &first, &second).await.unwrap();
    let used = IssuedToken { used_at: Some(now), ..first.token };
    assert_eq!(find(&shop, &first.token.digest).await, Some(Session { token: used, ..first.clone() }));
    assert_eq!(find(&shop, &second.digest).await, Some(Session { token: second, ..first.clone() }));
    assert_eq!(find(&shop, &digest()).await, None);

    revoke(&shop, &first).await;
    shop.clock.advance(Duration::from_hours(1));
    revoke(&shop, &first).await;
    for token in [first.token.digest, second.digest] {
        assert_eq!(find(&shop, &token).await.unwrap().revoked_at, Some(now), "the first time counts");
    }
}

/// Seen to fail without the condition on `used_at`.
async fn a_token_is_used_once_whoever_saw_it_unused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let session = open(&shop).await;
    let now = shop.clock.now();
    rotate(&shop, &session, &next(&session, now)).await.unwrap();
    // The sequence alone would be refused too: a token that skips a place gets past that.
    let skipping = IssuedToken { sequence: 3, ..next(&session, now) };
    let again = rotate(&shop, &session, &skipping).await;
    assert!(matches!(again, Err(StoreError::Contended(_))), "{again:?}");
    assert_eq!(find(&shop, &skipping.digest).await, None);
}

/// Seen to fail without the condition on `revoked_at`.
async fn a_session_that_was_revoked_is_not_rotated(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let session = open(&shop).await;
    revoke(&shop, &session).await;
    let late = rotate(&shop, &session, &next(&session, shop.clock.now())).await;
    assert!(matches!(late, Err(StoreError::Contended(_))), "{late:?}");
}

async fn of_two_rotations_at_once_one_wins(database: Arc<TestDatabase>) {
    let shop = Arc::new(Shop::open(database));
    for _ in 0..5 {
        let session = open(&shop).await;
        let mut twins = JoinSet::new();
        for _ in 0..8 {
            let (database, token, now) =
                (shop.database.database.clone(), session.token.digest, shop.clock.now());
            twins.spawn(async move {
                let mut tx: Box<dyn Transaction> = database.begin().await?;
                let session = tx.sessions().lock(&token).await?.unwrap();
                let Ok(Presented::Rotated(next)) = session.present(digest(), now) else { return Ok(false) };
                tx.sessions().rotate(&session, &next).await?;
                tx.commit().await.map(|()| true)
            });
        }
        let outcomes: Vec<Result<bool, StoreError>> = twins.join_all().await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Ok(true))).count();
        assert_eq!(won, 1, "{outcomes:?}");
        let refused =
            |outcome: &Result<bool, StoreError>| matches!(outcome, Ok(_) | Err(StoreError::Contended(_)));
        assert!(outcomes.iter().all(refused), "{outcomes:?}");
    }
}

async fn only_hashes_of_tokens_are_stored(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let token = RefreshToken::generate(&SystemIds);
    let mut session = new_session(shop.clock.now());
    session.token.digest = token.digest();
    let mut tx = shop.begin().await;
    tx.sessions().insert(&session).await.unwrap();
    tx.commit().await.unwrap();
    let connection = shop.database.connect().await.unwrap();
    let backend = connection.get_database_backend();
    let rows = connection.query_all_raw(Statement::from_string(backend, "SELECT * FROM refresh_tokens"));
    let stored = rows.await.unwrap()[0].try_get::<Vec<u8>>("", "token_hash").unwrap();
    assert_eq!(stored, token.digest().as_bytes());
    connection.close().await.unwrap();
}

async fn purge(shop: &Shop) -> u64 {
    let mut purged = 0;
    loop {
        match shop.database.database.purge_sessions(shop.clock.now()).await.unwrap() {
            0 => return purged,
            some => purged += some,
        }
    }
}

async fn what_has_expired_is_purged_and_nothing_else(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    // More than one round takes.
    let mut tx = shop.begin().await;
    for _ in 0..450 {
        tx.sessions().insert(&new_session(shop.clock.now())).await.unwrap();
    }
    tx.commit().await.unwrap();
    let going_on = open(&shop).await;
    shop.clock.advance(Duration::from_hours(1));
    let second = next(&going_on, shop.clock.now());
    rotate(&shop, &going_on, &second).await.unwrap();
    shop.clock.set(going_on.token.expires_at - TimeDelta::microseconds(1));
    assert_eq!(purge(&shop).await, 0);
    shop.clock.set(going_on.token.expires_at);
    // Tokens and sessions of 450, and the used token of the one that goes on.
    assert!(purge(&shop).await >= 451);
    assert_eq!(find(&shop, &going_on.token.digest).await, None);
    assert_eq!(find(&shop, &second.digest).await, Some(Session { token: second, ..going_on.clone() }));
    shop.clock.advance(Duration::from_hours(1));
    purge(&shop).await;
    assert_eq!(find(&shop, &second.digest).await, None);
}

fn email(text: &str) -> Email {
    Email::new(text).unwrap()
}

/// Tries as a login does, in a transaction of its own.
async fn reserve(shop: &Shop, email: &Email) -> Result<LoginAttempt, UserError> {
    let attempt = LoginAttempt { id: SystemIds.uuid(), at: shop.clock.now() };
    let mut tx = shop.begin().await;
    let attempts = tx.login_attempts().lock(email).await.unwrap();
    let slot = attempts.reserve(attempt.at)?;
    tx.login_attempts().put(email, &attempts, slot, attempt).await.unwrap();
    tx.commit().await.unwrap();
    Ok(attempt)
}

async fn tries_at_an_address_are_counted_whatever_its_case(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let mut last = None;
    for text in
        ["kim@example.com", "KIM@example.com", "kim@EXAMPLE.com", "Kim@Example.Com", "kIm@example.com"]
    {
        last = Some(reserve(&shop, &email(text)).await.unwrap());
        shop.clock.advance(Duration::from_mins(1));
    }
    let kim = email("kim@example.com");
    let full = Err(UserError::TooManyAttempts { retry_after: Duration::from_mins(10) });
    assert_eq!(reserve(&shop, &kim).await, full);
    reserve(&shop, &email("lee@example.com")).await.unwrap();

    let mut tx = shop.begin().await;
    tx.login_attempts().remove(&kim, last.unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    reserve(&shop, &kim).await.unwrap();
    assert_eq!(reserve(&shop, &kim).await, full);

    shop.clock.advance(Duration::from_mins(10));
    reserve(&shop, &kim).await.unwrap();
    assert!(reserve(&shop, &kim).await.is_err(), "the window slides by one try");

    let mut tx = shop.begin().await;
    tx.login_attempts().clear(&kim).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..LoginAttempts::LIMIT {
        reserve(&shop, &kim).await.unwrap();
    }
}

/// Seen to fail without the condition on `attempt_id`.
async fn a_slot_is_given_to_one_try(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let kim = email("kim@example.com");
    let put = async |attempts: &LoginAttempts, slot| {
        let attempt = LoginAttempt { id: SystemIds.uuid(), at: shop.clock.now() };
        let mut tx = shop.begin().await;
        tx.login_attempts().put(&kim, attempts, slot, attempt).await?;
        tx.commit().await
    };
    let seen = async || {
        let mut tx = shop.begin().await;
        tx.login_attempts().lock(&kim).await.unwrap()
    };
    let nothing = LoginAttempts::default();
    put(&nothing, 1).await.unwrap();
    let taken = put(&nothing, 1).await;
    assert!(matches!(taken, Err(StoreError::Contended(_))), "{taken:?}");
    let old = seen().await;
    put(&old, 1).await.unwrap();
    let taken = put(&old, 1).await;
    assert!(matches!(taken, Err(StoreError::Contended(_))), "{taken:?}");
    // Beyond what may be there the database itself refuses.
    assert!(put(&nothing, 6).await.is_err());
}

/// As many as ask at once, five are let through: by the lock, and by the key where there is nothing to lock.
async fn many_tries_at_once_do_not_slip_past_the_limit(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let mut tries = JoinSet::new();
    for _ in 0..40 {
        let (database, now) = (shop.database.database.clone(), shop.clock.now());
        tries.spawn(async move {
            let kim = email("kim@example.com");
            loop {
                let attempt = LoginAttempt { id: SystemIds.uuid(), at: now };
                let outcome: Result<bool, StoreError> = async {
                    let mut tx: Box<dyn Transaction> = database.begin().await?;
                    let attempts = tx.login_attempts().lock(&kim).await?;
                    let Ok(slot) = attempts.reserve(now) else { return Ok(false) };
                    tx.login_attempts().put(&kim, &attempts, slot, attempt).await?;
                    tx.commit().await.map(|()| true)
                }
                .await;
                match outcome {
                    Ok(reserved) => return reserved,
                    Err(StoreError::Contended(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
    }
    let reserved = tries.join_all().await.into_iter().filter(|reserved| *reserved).count();
    assert_eq!(reserved, usize::from(LoginAttempts::LIMIT));
}

async fn tries_are_purged_once_they_count_no_more(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let kim = email("kim@example.com");
    let first = reserve(&shop, &kim).await.unwrap();
    shop.clock.advance(Duration::from_mins(1));
    reserve(&shop, &kim).await.unwrap();
    shop.clock.set(first.at + LoginAttempts::WINDOW);
    assert_eq!(purge(&shop).await, 1);
    let mut tx = shop.begin().await;
    let left = tx.login_attempts().lock(&kim).await.unwrap();
    assert!(left.get(1).is_none() && left.get(2).is_some(), "{left:?}");
}
