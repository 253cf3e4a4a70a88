//! Users and their personal data.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Clock, IdGenerator, StoreError, UserId};
use local::SystemIds;
use sea_orm::{ConnectionTrait, Statement};
use user::{Email, Role, User, UserDirectory, UserName};

use crate::fixtures::{self, Shop};
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_user_is_found_with_role_and_personal_data,
        an_address_belongs_to_one_user,
        nothing_personal_is_stored_in_clear
    ]
}

async fn add(shop: &Shop, user: &User) -> Result<(), StoreError> {
    let mut tx = shop.begin().await;
    tx.users().insert(std::slice::from_ref(user)).await?;
    tx.commit().await
}

async fn a_user_is_found_with_role_and_personal_data(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let database = &shop.database.database;
    let mut roles = HashMap::new();
    for role in [Role::User, Role::Admin] {
        let user = fixtures::user(role, shop.clock.now());
        roles.insert(user.id, role);
        add(&shop, &user).await.unwrap();
        assert_eq!(UserDirectory::find(database, user.id).await.unwrap(), Some(user.clone()));
        assert_eq!(database.role(user.id).await.unwrap(), Some(role));
    }
    let nobody = UserId::from_uuid(SystemIds.uuid());
    assert_eq!(UserDirectory::find(database, nobody).await.unwrap(), None);
    assert_eq!(database.role(nobody).await.unwrap(), None);
    let known: Vec<UserId> = roles.keys().copied().collect();
    assert_eq!(database.roles(&[&known[..], &[nobody], &known[..]].concat()).await.unwrap(), roles);
    assert_eq!(database.roles(&[]).await.unwrap(), HashMap::new());
}

/// Seen to fail with the index `ux_users_email` dropped.
async fn an_address_belongs_to_one_user(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let with = |email: &str| User {
        email: Email::new(email).unwrap(),
        ..fixtures::user(Role::User, shop.clock.now())
    };
    add(&shop, &with("Kim@example.com")).await.unwrap();
    let taken = add(&shop, &with("kim@EXAMPLE.com")).await;
    assert!(matches!(taken, Err(StoreError::Duplicate(_))), "{taken:?}");
    add(&shop, &with("kim2@example.com")).await.unwrap();
}

async fn nothing_personal_is_stored_in_clear(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let make = |email: &str| User {
        email: Email::new(email).unwrap(),
        name: UserName::new("canary-name").unwrap(),
        ..fixtures::user(Role::User, shop.clock.now())
    };
    add(&shop, &make("canary-1@example.com")).await.unwrap();
    add(&shop, &make("canary-2@example.com")).await.unwrap();
    let connection = shop.database.connect().await.unwrap();
    let backend = connection.get_database_backend();
    let rows =
        connection.query_all_raw(Statement::from_string(backend, "SELECT * FROM users")).await.unwrap();
    let column = |index: usize, name: &str| rows[index].try_get::<Vec<u8>>("", name).unwrap();
    for name in ["email", "name", "email_hash"] {
        assert!(!String::from_utf8_lossy(&column(0, name)).contains("canary"), "{name}");
        assert_ne!(column(0, name), column(1, name), "equal values must not look equal: {name}");
    }
    connection.close().await.unwrap();
}
