//! Events that are appended while workers look for some.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use checkout::UnitOfWork;
use checkout::outbox::OutboxQueue;
use kernel::{Clock, DomainEvent, EventId};
use testkit::fixtures::Shop;
use testkit::{Scenario, TestDatabase, scenarios};
use tokio::task::JoinSet;
use uuid::Uuid;

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![an_event_is_never_taken_before_the_one_that_came_with_it]
}

const WRITERS: usize = 6;
const PAIRS: usize = 250;
const WORKERS: usize = 4;

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

fn event(shop: &Shop, aggregate: Uuid, sequence: u32) -> DomainEvent {
    DomainEvent {
        id: EventId::from_uuid(Uuid::from_u128((aggregate.as_u128() << 8) + u128::from(sequence))),
        event_type: "OrderPlaced".into(),
        aggregate_type: "order".into(),
        aggregate_id: aggregate,
        sequence,
        occurred_at: shop.clock.now(),
        data: "{}".into(),
        trace: None,
    }
}

/// Orders that are paid at once tell of both in one transaction. Nothing is delivered here, so no second event
/// is ever due. Seen to fail on MySQL with a claim of one statement: a locking read sees what was committed
/// while it ran, the condition that no earlier event waits does not.
async fn an_event_is_never_taken_before_the_one_that_came_with_it(database: Arc<TestDatabase>) {
    let shop = Arc::new(Shop::open(database));
    let done = Arc::new(AtomicBool::new(false));
    let write = async |shop: Arc<Shop>, writer: usize| {
        for pair in 0..PAIRS {
            let aggregate = id(writer * PAIRS + pair);
            let mut tx = shop.database.database.begin().await.unwrap();
            tx.outbox().append(&[event(&shop, aggregate, 1), event(&shop, aggregate, 2)]).await.unwrap();
            tx.commit().await.unwrap();
        }
    };
    let work = async |shop: Arc<Shop>, done: Arc<AtomicBool>, worker: usize| {
        let mut taken = Vec::new();
        let now = shop.clock.now();
        loop {
            let is_last = done.load(Ordering::SeqCst);
            let lease = now + Duration::from_hours(1);
            let events = shop.database.database.claim(id(worker), now, lease, 50).await.unwrap();
            if events.is_empty() && is_last {
                return taken;
            }
            taken.extend(events.into_iter().map(|event| (event.event.aggregate_id, event.event.sequence)));
            tokio::task::yield_now().await;
        }
    };
    let workers: JoinSet<_> = (0..WORKERS).map(|worker| work(shop.clone(), done.clone(), worker)).collect();
    let writers: JoinSet<_> = (0..WRITERS).map(|writer| write(shop.clone(), writer)).collect();
    writers.join_all().await;
    done.store(true, Ordering::SeqCst);
    let taken = workers.join_all().await.into_iter().flatten();
    let mut first = BTreeSet::new();
    for (aggregate, sequence) in taken {
        assert_eq!(sequence, 1, "{aggregate}: taken before the first");
        assert!(first.insert(aggregate), "{aggregate}: taken twice");
    }
    assert_eq!(first.len(), WRITERS * PAIRS);
}
