//! The same request, sent many times at once.

use std::sync::Arc;

use checkout::{
    Claim, CompletedRequest, IdempotencyError, IdempotencyKey, KeyedRequest, Rejection, Reply, UnitOfWork,
};
use kernel::{Money, ProductId, StoreError, UserId};
use testkit::fixtures::{no_reply, noon, order};
use testkit::{Scenario, TestDatabase, scenarios};
use user::Role;

use crate::instances::{Instances, at_once, keyed};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        fifty_twins_of_one_request_make_one_order,
        each_of_many_keys_makes_one_order,
        a_key_is_new_to_one_of_fifty,
    ]
}

/// Holds even with the primary key of `idempotency_keys` replaced by a plain index: `complete` finds two
/// rows then, and the transaction starts again. What sees the key's removal is
/// [`a_key_is_new_to_one_of_fifty`].
async fn fifty_twins_of_one_request_make_one_order(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    let product = instances.shop.product(1_000, 100).await;
    let buyer = instances.shop.buyer(100_000).await;
    for round in 1..=4_u32 {
        let first = send_twins(&instances, buyer, product, &format!("key {round}")).await;
        assert_eq!(instances.shop.stock(product).await, 100 - round);
        assert_eq!(instances.shop.balance(buyer).await, Money::won(100_000 - 1_000 * i64::from(round)));
        for caller in 0..2 {
            let again = keyed(order(buyer, &[(product, 1)]), &format!("key {round}"));
            let answer = instances.place(caller, &again).await.unwrap();
            assert!(answer.replayed);
            assert_eq!(answer.reply, first);
        }
        assert_eq!(instances.shop.stock(product).await, 100 - round);
    }
    instances.close().await;
}

/// Sends a request fifty times at once and returns the reply to the one that was the first.
async fn send_twins(instances: &Arc<Instances>, buyer: UserId, product: ProductId, key: &str) -> Reply {
    let outcomes = at_once(50, |caller| {
        let (instances, order) = (instances.clone(), keyed(order(buyer, &[(product, 1)]), key));
        async move { instances.place(caller, &order).await }
    })
    .await;
    let mut first = Vec::new();
    let mut repeated = Vec::new();
    for outcome in outcomes {
        match outcome {
            Ok(answer) if answer.replayed => repeated.push(answer.reply),
            Ok(answer) => first.push(answer.reply),
            Err(Rejection::Idempotency(IdempotencyError::InProgress)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(first.len(), 1, "one of them is the first");
    assert!(repeated.iter().all(|reply| *reply == first[0]));
    first.remove(0)
}

/// Sixteen keys, each claimed by four callers at once, whose rows are neighbours in the table.
async fn each_of_many_keys_makes_one_order(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    let product = instances.shop.product(1_000, 100).await;
    let buyer = instances.shop.buyer(100_000).await;
    let outcomes = at_once(64, |caller| {
        let key = format!("key {}", caller / 4);
        let (instances, order) = (instances.clone(), keyed(order(buyer, &[(product, 1)]), &key));
        async move { instances.place(caller, &order).await }
    })
    .await;
    for twins in outcomes.chunks(4) {
        let placed = twins.iter().flatten().filter(|answer| !answer.replayed).count();
        assert_eq!(placed, 1, "{twins:?}");
        for outcome in twins {
            let in_progress = Rejection::from(IdempotencyError::InProgress);
            assert!(outcome.as_ref().err().is_none_or(|rejection| *rejection == in_progress), "{outcome:?}");
        }
    }
    assert_eq!(instances.shop.stock(product).await, 84);
    instances.close().await;
}

/// Seen to fail with the primary key of `idempotency_keys` replaced by a plain index: on MySQL the key was
/// new to several of the fifty. SQLite has one writer and does not need it for that.
async fn a_key_is_new_to_one_of_fifty(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    let buyer = instances.shop.user(Role::User).await;
    for round in 0..4 {
        let key = IdempotencyKey::new(&format!("key {round}")).unwrap();
        let request = KeyedRequest::new(buyer, key, "POST", "/orders", "{}");
        let new = at_once(50, |caller| {
            let (instances, request) = (instances.clone(), request.clone());
            async move {
                let mut tx = instances.database(caller).begin().await.unwrap();
                let claims = tx.keys().claim(std::slice::from_ref(&request), noon()).await;
                match claims.map(|mut claims| claims.remove(0)) {
                    Ok(Claim::New) => {
                        let answered = CompletedRequest::new(request, no_reply());
                        if tx.keys().complete(&[answered]).await.is_ok() {
                            tx.commit().await.unwrap();
                        }
                        1
                    }
                    Ok(Claim::Done(_) | Claim::InProgress) | Err(StoreError::Contended(_)) => 0,
                    other => panic!("{other:?}"),
                }
            }
        })
        .await;
        assert_eq!(new.into_iter().sum::<u32>(), 1, "it is new to one of them");
    }
    instances.close().await;
}
