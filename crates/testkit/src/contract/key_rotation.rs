//! Personal data while its keys are rotated.

use std::sync::Arc;

use checkout::UnitOfWork;
use kernel::{Clock, StoreError};
use storage::Database;
use tokio::task::JoinSet;
use user::{Email, PersonalDataRotation, Role, User, UserDirectory};

use crate::fixtures::{self, Shop};
use crate::{Scenario, TestDatabase, scenarios};

const OLD: u8 = TestDatabase::PERSONAL_DATA_KEY;
const NEW: u8 = OLD + 1;

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        users_are_read_and_found_under_both_keys_and_after_rotation_under_the_new_one,
        an_address_belongs_to_one_user_under_whatever_key,
        of_registrations_under_different_keys_at_once_one_succeeds,
        two_rotations_at_once_rotate_each_user_once,
        who_cannot_be_rotated_is_named_and_stops_nobody_else,
        users_register_while_keys_are_rotated,
    ]
}

fn user(shop: &Shop, email: &str) -> User {
    let email = Email::new(email).unwrap();
    User { email, ..fixtures::user(Role::User, shop.clock.now()) }
}

async fn add(database: &Database, users: &[User]) -> Result<(), StoreError> {
    let mut tx = database.begin().await?;
    tx.users().insert(users).await?;
    tx.commit().await
}

/// Adds as often as it takes until nobody is in the way, as the runner does.
async fn register(database: &Database, user: &User) -> Result<(), StoreError> {
    loop {
        match add(database, std::slice::from_ref(user)).await {
            Err(StoreError::Contended(_)) => {}
            done => return done,
        }
    }
}

/// Goes through all users and returns how many were rotated, and who is left.
async fn rotate(database: &Database) -> (u64, Vec<kernel::UserId>) {
    let (mut rotated, mut left, mut after) = (0, Vec::new(), None);
    loop {
        let batch = match database.rotate(after).await {
            Err(StoreError::Contended(_)) => continue,
            batch => batch.unwrap(),
        };
        rotated += batch.rotated;
        left.extend(batch.left);
        match batch.last {
            Some(last) => after = Some(last),
            None => return (rotated, left),
        }
    }
}

async fn users_are_read_and_found_under_both_keys_and_after_rotation_under_the_new_one(
    database: Arc<TestDatabase>,
) {
    let shop = Shop::open(database);
    // More than one batch.
    let users: Vec<_> = (0..230).map(|number| user(&shop, &format!("user{number}@example.com"))).collect();
    add(&shop.database.database, &users).await.unwrap();
    let both = shop.database.open_under(NEW, Some(OLD)).await;
    let late = user(&shop, "late@example.com");
    add(&both, std::slice::from_ref(&late)).await.unwrap();
    let expect = async |database: &Database| {
        for user in [&users[0], &users[229], &late] {
            assert_eq!(UserDirectory::find(database, user.id).await.unwrap().as_ref(), Some(user));
            let found = database.credentials(&user.email).await.unwrap().unwrap();
            assert_eq!((found.user_id, &found.password_hash), (user.id, &user.password_hash));
        }
        let nobody = Email::new("nobody@example.com").unwrap();
        assert_eq!(database.credentials(&nobody).await.unwrap(), None);
    };
    expect(&both).await;

    let first = both.rotate(None).await.unwrap();
    assert!((1..230).contains(&first.rotated), "{}", first.rotated);
    expect(&both).await;
    assert_eq!(rotate(&both).await, (230 - first.rotated, vec![]), "it goes on where it was stopped");
    assert_eq!(rotate(&both).await, (0, vec![]));
    expect(&both).await;
    let new = shop.database.open_under(NEW, None).await;
    expect(&new).await;
    assert!(
        UserDirectory::find(&shop.database.database, users[0].id).await.is_err(),
        "the old key is no use"
    );
}

/// Seen to fail without the look-up under the previous key.
async fn an_address_belongs_to_one_user_under_whatever_key(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    add(&shop.database.database, &[user(&shop, "kim@example.com")]).await.unwrap();
    let both = shop.database.open_under(NEW, Some(OLD)).await;
    let taken = add(&both, &[user(&shop, "lee@example.com"), user(&shop, "KIM@example.com")]).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(_))), "{taken:?}");
    rotate(&both).await;
    for database in [both, shop.database.open_under(OLD, Some(NEW)).await] {
        let taken = add(&database, &[user(&shop, "KIM@example.com")]).await;
        assert!(matches!(taken, Err(StoreError::Duplicate(_))), "{taken:?}");
    }
}

/// While the keys change places some instances write with the one and some with the other. Seen to fail on
/// MySQL with the look-up before the INSERT.
async fn of_registrations_under_different_keys_at_once_one_succeeds(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let before = shop.database.open_under(OLD, Some(NEW)).await;
    let after = shop.database.open_under(NEW, Some(OLD)).await;
    for round in 0..20 {
        let mut twins = JoinSet::new();
        for database in [&before, &after, &before, &after] {
            let (database, user) = (database.clone(), user(&shop, &format!("user{round}@example.com")));
            twins.spawn(async move { register(&database, &user).await });
        }
        let outcomes = twins.join_all().await;
        let registered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(registered, 1, "{outcomes:?}");
    }
}

/// Seen to fail without the old ciphertexts in the condition.
async fn two_rotations_at_once_rotate_each_user_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let users: Vec<_> = (0..150).map(|number| user(&shop, &format!("user{number}@example.com"))).collect();
    add(&shop.database.database, &users).await.unwrap();
    let both = shop.database.open_under(NEW, Some(OLD)).await;
    let ((one, _), (other, _)) = tokio::join!(rotate(&both), rotate(&both));
    assert_eq!(one + other, 150);
    let new = shop.database.open_under(NEW, None).await;
    for user in &users {
        assert_eq!(UserDirectory::find(&new, user.id).await.unwrap().as_ref(), Some(user));
    }
}

async fn who_cannot_be_rotated_is_named_and_stops_nobody_else(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let [kim, lee, park] = ["kim", "lee", "park"].map(|name| user(&shop, &format!("{name}@example.com")));
    add(&shop.database.database, &[kim.clone(), lee.clone()]).await.unwrap();
    // A program that knew the new key alone has let the address in twice, another one wrote with a lost key.
    let new = shop.database.open_under(NEW, None).await;
    add(&new, &[user(&shop, "kim@example.com")]).await.unwrap();
    add(&shop.database.open_under(99, None).await, std::slice::from_ref(&park)).await.unwrap();
    let both = shop.database.open_under(NEW, Some(OLD)).await;
    let (rotated, mut left) = rotate(&both).await;
    left.sort_unstable();
    let mut expected = vec![kim.id, park.id];
    expected.sort_unstable();
    assert_eq!((rotated, left), (1, expected));
    assert_eq!(UserDirectory::find(&new, lee.id).await.unwrap(), Some(lee));
    assert_eq!(
        UserDirectory::find(&both, kim.id).await.unwrap(),
        Some(kim),
        "what is left is read as before"
    );
}

async fn users_register_while_keys_are_rotated(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let users: Vec<_> = (0..60).map(|number| user(&shop, &format!("user{number}@example.com"))).collect();
    add(&shop.database.database, &users).await.unwrap();
    let both = shop.database.open_under(NEW, Some(OLD)).await;
    let registrations = async {
        for number in 0..60 {
            let taken = register(&both, &user(&shop, &format!("USER{number}@example.com"))).await;
            assert!(matches!(taken, Err(StoreError::Duplicate(_))), "{number}: {taken:?}");
        }
    };
    let ((rotated, left), ()) = tokio::join!(rotate(&both), registrations);
    assert_eq!((rotated, left), (60, vec![]));
}
