//! Lanes: orders of many callers on their way to one database.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use checkout::{Answer, LaneSettings, OrderLanes, Transaction, UnitOfWork, UseCaseError};
use futures_util::FutureExt;
use futures_util::future::join_all;
use kernel::{Money, ProductId, StoreError, UserId};
use tokio::time::Instant;
use uuid::Uuid;

use crate::batches::{RENDER, count, order, order_id, words};
use crate::memory::{Memory, Poison, checkout, checkout_on, contended};

/// A shelf with a hundred pieces, twenty buyers, and lanes.
fn shop(lanes: usize, queue: usize, set: usize) -> (Arc<Memory>, OrderLanes, ProductId, Vec<UserId>) {
    let memory = Arc::new(Memory::default());
    let product = memory.stock(1, Money::won(1_000), 100);
    let users = (0..20).map(|number| memory.fill(100 + number, Money::won(9_000))).collect();
    let lanes = OrderLanes::new(checkout(&memory), RENDER, LaneSettings { lanes, queue, lines: set });
    (memory, lanes, product, users)
}

/// Sends an order of each user at the same moment.
async fn rush(lanes: &OrderLanes, product: ProductId, users: &[UserId]) -> Vec<Result<Answer, UseCaseError>> {
    let orders = (1..).zip(users).map(|(number, user)| lanes.place(order(number, *user, product, 1)));
    join_all(orders).await
}

#[tokio::test(start_paused = true)]
async fn orders_that_wait_at_the_same_moment_share_a_transaction() {
    let (memory, lanes, product, users) = shop(1, 100, 100);
    assert_eq!(words(&rush(&lanes, product, &users).await), ["placed"; 20]);
    assert_eq!((memory.count(), memory.placed().len()), (count(1, 1, 0), 20));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_alone_does_not_wait_for_others() {
    let (memory, lanes, product, users) = shop(2, 100, 100);
    for number in 1..=3 {
        let placed = lanes.place(order(number, users[0], product, 1)).await;
        assert_eq!(words(&[placed]), ["placed"]);
    }
    assert_eq!(memory.count(), count(3, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_holds_only_so_many_lines() {
    let (memory, lanes, product, users) = shop(1, 100, 6);
    assert_eq!(words(&rush(&lanes, product, &users).await), ["placed"; 20]);
    assert_eq!(memory.count(), count(4, 4, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_the_queue_full_is_turned_away_at_once() {
    let (memory, lanes, product, users) = shop(1, 8, 100);
    let outcomes = rush(&lanes, product, &users).await;
    assert_eq!(words(&outcomes[..8]), ["placed"; 8]);
    assert_eq!(words(&outcomes[8..]), ["SERVICE_UNAVAILABLE"; 12]);
    assert_eq!(memory.placed().len(), 8);
    // There is room again.
    assert_eq!(words(&rush(&lanes, product, &users[..4]).await), ["placed"; 4]);
}

#[tokio::test(start_paused = true)]
async fn one_buyer_does_not_fill_the_queue() {
    let (_, lanes, product, users) = shop(1, 8, 100);
    let crowd: Vec<UserId> = std::iter::repeat_n(users[0], 10).chain(users[1..4].iter().copied()).collect();
    let outcomes = rush(&lanes, product, &crowd).await;
    assert_eq!(words(&outcomes[..2]), ["placed"; 2]);
    assert_eq!(words(&outcomes[2..10]), ["SERVICE_UNAVAILABLE"; 8]);
    assert_eq!(words(&outcomes[10..]), ["placed"; 3]);
}

#[tokio::test(start_paused = true)]
async fn one_poisonous_order_does_not_fail_its_neighbours() {
    let (memory, lanes, product, users) = shop(1, 100, 100);
    memory.poison(order_id(2), Poison::Defect);
    assert_eq!(words(&rush(&lanes, product, &users[..3]).await), ["placed", "internal", "placed"]);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_a_whole_set_is_told_so() {
    let (memory, lanes, product, users) = shop(1, 100, 100);
    memory.fail_to_begin([StoreError::Unavailable("away".into())]);
    assert_eq!(words(&rush(&lanes, product, &users[..3]).await), ["unavailable"; 3]);
    assert_eq!(memory.count(), count(1, 0, 0));
}

/// Seen to fail with a lane that takes whatever waits.
#[tokio::test(start_paused = true)]
async fn an_order_whose_caller_has_gone_is_not_begun() {
    let (memory, lanes, product, users) = shop(1, 100, 100);
    let gone = lanes.place(order(1, users[0], product, 1)).now_or_never();
    assert!(gone.is_none());
    assert_eq!(words(&[lanes.place(order(2, users[1], product, 1)).await]), ["placed"]);
    assert_eq!(memory.placed(), [order_id(2)].into());
}

#[tokio::test(start_paused = true)]
async fn an_order_that_was_begun_is_placed_though_its_caller_has_gone() {
    let (memory, lanes, product, users) = shop(1, 100, 100);
    // The first attempt is in vain, and the second one waits for its time.
    memory.fail_to_begin([contended()]);
    let mut caller = Box::pin(lanes.place(order(1, users[0], product, 1)));
    while lanes.load() != (1, 0) {
        assert!((&mut caller).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(caller);
    while lanes.load() != (0, 0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(memory.placed(), [order_id(1)].into());
}

/// Never answers.
struct Silent;

#[async_trait]
impl UnitOfWork for Silent {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_has_waited_in_vain_is_told_that_nothing_was_done() {
    let product = ProductId::from_uuid(Uuid::from_u128(1));
    let users: Vec<UserId> = (1..=3).map(|number| UserId::from_uuid(Uuid::from_u128(number))).collect();
    let settings = LaneSettings { lanes: 1, queue: 100, lines: 1 };
    let lanes = OrderLanes::new(checkout_on(Arc::new(Silent)), RENDER, settings);
    let begun = Instant::now();
    let outcomes = words(&rush(&lanes, product, &users).await);
    // The second one's turn comes in the very moment in which its time is up.
    assert_eq!((outcomes[0], outcomes[2]), ("unknown", "unavailable"));
    assert_eq!(begun.elapsed().as_secs(), 15);
}
