//! The outbox: appending, delivering, administering.

use std::sync::Arc;
use std::time::Duration;

use checkout::outbox::{OutboxAdmin, OutboxQueue, OutboxStatus, Replay, Settlement};
use kernel::{Clock, DomainEvent, EventId, IdGenerator, PageSize, TraceContext};
use local::SystemIds;
use uuid::Uuid;

use crate::fixtures::Shop;
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        an_event_arrives_as_it_was_appended,
        events_of_an_aggregate_go_one_after_the_other,
        a_failed_event_waits_and_holds_back_the_later_ones,
        a_dead_event_blocks_its_aggregate_until_it_is_retried,
        workers_share_the_work_and_inherit_lost_leases,
        a_rolled_back_transaction_tells_nothing,
        delivered_events_are_listed_and_replayed,
    ]
}

const LEASE: Duration = Duration::from_mins(1);

fn event(shop: &Shop, aggregate: Uuid, sequence: u32) -> DomainEvent {
    DomainEvent {
        id: EventId::from_uuid(SystemIds.uuid()),
        event_type: "OrderPlaced".into(),
        aggregate_type: "order".into(),
        aggregate_id: aggregate,
        sequence,
        occurred_at: shop.clock.now(),
        data: "{\"totalAmount\":19900.00}".into(),
        trace: Some(TraceContext::start(&SystemIds)),
    }
}

async fn append(shop: &Shop, events: &[DomainEvent]) {
    let mut tx = shop.begin().await;
    tx.outbox().append(events).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claim(shop: &Shop, worker: Uuid) -> Vec<EventId> {
    let now = shop.clock.now();
    let queued = shop.database.database.claim(worker, now, now + LEASE, 10).await.unwrap();
    queued.into_iter().map(|event| event.event.id).collect()
}

async fn settle(shop: &Shop, worker: Uuid, id: EventId, settlement: Settlement) {
    shop.database.database.settle(worker, shop.clock.now(), &[(id, settlement)]).await.unwrap();
}

async fn status(shop: &Shop, id: EventId) -> (OutboxStatus, u32) {
    let page =
        OutboxAdmin::list(&shop.database.database, None, None, PageSize::new(100).unwrap()).await.unwrap();
    let entry = page.content.into_iter().find(|entry| entry.event.id == id).unwrap();
    (entry.status, entry.attempts)
}

async fn an_event_arrives_as_it_was_appended(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let appended = event(&shop, SystemIds.uuid(), 1);
    append(&shop, std::slice::from_ref(&appended)).await;
    let now = shop.clock.now();
    let queued = shop.database.database.claim(SystemIds.uuid(), now, now + LEASE, 10).await.unwrap();
    assert_eq!(queued.len(), 1);
    assert_eq!((&queued[0].event, queued[0].attempts), (&appended, 0));
}

async fn events_of_an_aggregate_go_one_after_the_other(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (order, other, worker) = (SystemIds.uuid(), SystemIds.uuid(), SystemIds.uuid());
    let events = [event(&shop, order, 1), event(&shop, order, 2), event(&shop, other, 1)];
    append(&shop, &events).await;
    let first = claim(&shop, worker).await;
    assert_eq!(first.len(), 2);
    assert!(first.contains(&events[0].id) && first.contains(&events[2].id));
    assert!(claim(&shop, SystemIds.uuid()).await.is_empty(), "the second waits for the first");
    settle(&shop, worker, events[0].id, Settlement::Sent).await;
    assert_eq!(claim(&shop, worker).await, [events[1].id]);
}

async fn a_failed_event_waits_and_holds_back_the_later_ones(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (order, worker) = (SystemIds.uuid(), SystemIds.uuid());
    let events = [event(&shop, order, 1), event(&shop, order, 2)];
    append(&shop, &events).await;
    claim(&shop, worker).await;
    let retry = Settlement::Retry { at: shop.clock.now() + Duration::from_secs(10), error: "503".into() };
    settle(&shop, worker, events[0].id, retry).await;
    assert_eq!(status(&shop, events[0].id).await, (OutboxStatus::Failed, 1));
    shop.clock.advance(Duration::from_secs(9));
    assert!(claim(&shop, worker).await.is_empty());
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(claim(&shop, worker).await, [events[0].id]);
    settle(&shop, worker, events[0].id, Settlement::Sent).await;
    assert_eq!(claim(&shop, worker).await, [events[1].id]);
    let level = shop.database.database.level().await.unwrap();
    assert_eq!((level.waiting, level.dead, level.oldest), (1, 0, Some(events[1].occurred_at)));
}

async fn a_dead_event_blocks_its_aggregate_until_it_is_retried(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (order, worker) = (SystemIds.uuid(), SystemIds.uuid());
    let events = [event(&shop, order, 1), event(&shop, order, 2)];
    append(&shop, &events).await;
    claim(&shop, worker).await;
    settle(&shop, worker, events[0].id, Settlement::Dead { error: "400".into() }).await;
    shop.clock.advance(Duration::from_hours(24));
    let elsewhere = event(&shop, SystemIds.uuid(), 1);
    append(&shop, std::slice::from_ref(&elsewhere)).await;
    assert_eq!(claim(&shop, worker).await, [elsewhere.id], "other aggregates go on");
    let database = &shop.database.database;
    assert_eq!(database.level().await.unwrap().dead, 1);
    assert!(!database.retry(events[1].id, shop.clock.now()).await.unwrap(), "it was never tried");
    assert!(database.retry(events[0].id, shop.clock.now()).await.unwrap());
    assert_eq!(status(&shop, events[0].id).await, (OutboxStatus::Pending, 0));
    assert_eq!(claim(&shop, worker).await, [events[0].id]);
    settle(&shop, worker, events[0].id, Settlement::Sent).await;
    assert_eq!(claim(&shop, worker).await, [events[1].id]);
}

async fn workers_share_the_work_and_inherit_lost_leases(database: Arc<TestDatabase>) {
    let shop = Arc::new(Shop::open(database));
    let events: Vec<_> = (0..40).map(|_| event(&shop, SystemIds.uuid(), 1)).collect();
    append(&shop, &events).await;
    let mut workers = Vec::new();
    for _ in 0..4 {
        let shop = shop.clone();
        workers.push(tokio::spawn(async move {
            let worker = SystemIds.uuid();
            let mut mine = Vec::new();
            loop {
                let claimed = claim(&shop, worker).await;
                if claimed.is_empty() {
                    return mine;
                }
                mine.extend(claimed);
            }
        }));
    }
    let mut claimed = Vec::new();
    for worker in workers {
        claimed.extend(worker.await.unwrap());
    }
    claimed.sort_unstable();
    let mut expected: Vec<_> = events.iter().map(|event| event.id).collect();
    expected.sort_unstable();
    assert_eq!(claimed, expected, "each event went to one worker");
    let (lost, heir) = (SystemIds.uuid(), SystemIds.uuid());
    shop.clock.advance(LEASE);
    let inherited = claim(&shop, heir).await;
    assert_eq!(inherited.len(), 10);
    settle(&shop, lost, inherited[0], Settlement::Sent).await;
    assert_eq!(
        status(&shop, inherited[0]).await.0,
        OutboxStatus::Pending,
        "it is not the lost worker's any more"
    );
    settle(&shop, heir, inherited[0], Settlement::Sent).await;
    assert_eq!(status(&shop, inherited[0]).await, (OutboxStatus::Sent, 1));
}

async fn a_rolled_back_transaction_tells_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let mut tx = shop.begin().await;
    tx.outbox().append(&[event(&shop, SystemIds.uuid(), 1)]).await.unwrap();
    drop(tx);
    assert!(claim(&shop, SystemIds.uuid()).await.is_empty());
}

async fn delivered_events_are_listed_and_replayed(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (order, worker) = (SystemIds.uuid(), SystemIds.uuid());
    let from = shop.clock.now();
    let events = [event(&shop, order, 1), event(&shop, SystemIds.uuid(), 1)];
    append(&shop, &events).await;
    for id in claim(&shop, worker).await {
        settle(&shop, worker, id, Settlement::Sent).await;
    }
    let database = &shop.database.database;
    let one = PageSize::new(1).unwrap();
    let last = OutboxAdmin::list(database, Some(OutboxStatus::Sent), None, one).await.unwrap();
    assert_eq!((last.content[0].event.id, last.next), (events[1].id, Some(events[1].id)));
    let previous = OutboxAdmin::list(database, Some(OutboxStatus::Sent), last.next, one).await.unwrap();
    assert_eq!((previous.content[0].event.id, previous.next), (events[0].id, None));
    assert!(
        OutboxAdmin::list(database, Some(OutboxStatus::Dead), None, one).await.unwrap().content.is_empty()
    );
    let first = database.feed(None, one).await.unwrap();
    assert_eq!(first.content[0].event.id, events[0].id);
    assert_eq!(database.feed(first.next, one).await.unwrap().content[0].event.id, events[1].id);

    let to = from + Duration::from_secs(1);
    let all = Replay { from, to, event_type: Some("OrderPlaced".into()) };
    let none = [
        Replay { event_type: Some("OrderPaid".into()), ..all.clone() },
        Replay { from: to, to: to + Duration::from_secs(1), ..all.clone() },
    ];
    for replay in none {
        assert_eq!(OutboxAdmin::count(database, &replay).await.unwrap(), 0);
        assert_eq!(OutboxAdmin::replay(database, &replay, shop.clock.now()).await.unwrap(), 0);
    }
    assert_eq!(OutboxAdmin::count(database, &all).await.unwrap(), 2);
    assert_eq!(OutboxAdmin::replay(database, &all, shop.clock.now()).await.unwrap(), 2);
    assert_eq!(claim(&shop, worker).await.len(), 2);
}
