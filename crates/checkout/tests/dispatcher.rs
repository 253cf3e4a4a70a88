//! The delivery of events: what is claimed is sent, and what was sent is settled.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use checkout::outbox::{
    DeliveryError, Dispatcher, EventSink, MAX_ATTEMPTS, OutboxLevel, OutboxQueue, QueuedEvent, Settlement,
};
use kernel::{Clock, DomainEvent, EventId, IdGenerator, StoreError, Timestamp};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

const LEASE: Duration = Duration::from_mins(1);

/// A clock that a test moves.
struct TestClock(Mutex<Timestamp>);

impl TestClock {
    fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Ids and randomness that count.
#[derive(Default)]
struct CountingIds(AtomicU64);

impl IdGenerator for CountingIds {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.random().into())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, value) in bytes.iter_mut().zip(next.into_iter().cycle()) {
            *byte = value;
        }
    }
}

/// An event in the outbox.
#[derive(Clone, Debug)]
struct Entry {
    event: DomainEvent,
    attempts: u32,
    /// `None` when it is sent or dead.
    due: Option<Timestamp>,
    last: Option<Settlement>,
}

/// An outbox in memory, and a number that changes with each settlement.
struct Queue {
    entries: Mutex<BTreeMap<EventId, Entry>>,
    settled: watch::Sender<usize>,
    failing_settlements: AtomicU32,
    unreadable: AtomicU32,
}

fn down() -> StoreError {
    StoreError::Unavailable("down".into())
}

/// Takes one from a count of faults.
fn strikes(faults: &AtomicU32) -> bool {
    faults.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl OutboxQueue for Queue {
    async fn claim(
        &self,
        _worker: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        if strikes(&self.unreadable) {
            return Err(down());
        }
        assert_eq!(lease_until, now + LEASE);
        let mut entries = self.entries.lock().unwrap();
        let mut busy = BTreeSet::new();
        let mut claimed = Vec::new();
        for entry in entries.values_mut() {
            let waits = !matches!(entry.last, Some(Settlement::Sent));
            let first = !waits || busy.insert(entry.event.aggregate_id);
            if waits && first && entry.due.is_some_and(|due| due <= now) && claimed.len() < limit as usize {
                entry.due = Some(lease_until);
                claimed.push(QueuedEvent { event: entry.event.clone(), attempts: entry.attempts });
            }
        }
        Ok(claimed)
    }

    async fn settle(
        &self,
        _worker: Uuid,
        _now: Timestamp,
        settled: &[(EventId, Settlement)],
    ) -> Result<(), StoreError> {
        assert!(!settled.is_empty());
        if strikes(&self.failing_settlements) {
            return Err(down());
        }
        let mut entries = self.entries.lock().unwrap();
        for (id, settlement) in settled {
            let entry = entries.get_mut(id).unwrap();
            entry.attempts += 1;
            entry.due = match settlement {
                Settlement::Retry { at, .. } => Some(*at),
                Settlement::Sent | Settlement::Dead { .. } => None,
            };
            entry.last = Some(settlement.clone());
        }
        self.settled.send_modify(|count| *count += settled.len());
        Ok(())
    }

    async fn level(&self) -> Result<OutboxLevel, StoreError> {
        Ok(OutboxLevel::default())
    }
}

/// A receiver: events of an aggregate in `gates` wait for a permit, those in `refusals` are refused.
#[derive(Default)]
struct Receiver {
    gates: BTreeMap<Uuid, Arc<Semaphore>>,
    refusals: BTreeMap<Uuid, Option<Duration>>,
    takes: Duration,
    arrived: Mutex<Vec<EventId>>,
    at_once: AtomicU32,
    most_at_once: AtomicU32,
}

#[async_trait]
impl EventSink for Receiver {
    async fn send(&self, event: &DomainEvent) -> Result<(), DeliveryError> {
        self.arrived.lock().unwrap().push(event.id);
        self.most_at_once.fetch_max(self.at_once.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        if let Some(gate) = self.gates.get(&event.aggregate_id) {
            gate.acquire().await.unwrap().forget();
        }
        tokio::time::sleep(self.takes).await;
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        match self.refusals.get(&event.aggregate_id) {
            Some(retry_after) => Err(DeliveryError::Refused { status: 503, retry_after: *retry_after }),
            None => Ok(()),
        }
    }
}

/// A worker with its outbox, its receiver and its clock.
struct Post {
    queue: Arc<Queue>,
    receiver: Arc<Receiver>,
    clock: Arc<TestClock>,
    dispatcher: Arc<Dispatcher>,
}

fn aggregate(number: u32) -> Uuid {
    Uuid::from_u128(1_000_000 + u128::from(number))
}

fn event_id(number: u32, sequence: u32) -> EventId {
    EventId::from_uuid(Uuid::from_u128(u128::from(number) * 100 + u128::from(sequence)))
}

impl Post {
    /// Makes an outbox of events, each an aggregate and a place in it.
    fn with(events: impl IntoIterator<Item = (u32, u32)>, receiver: Receiver) -> Self {
        let now: Timestamp = "2025-11-09T12:34:56Z".parse().unwrap();
        let entry = |(number, sequence)| {
            let event = DomainEvent {
                id: event_id(number, sequence),
                event_type: "OrderPaid".into(),
                aggregate_type: "order".into(),
                aggregate_id: aggregate(number),
                sequence,
                occurred_at: now,
                data: "{}".into(),
                trace: None,
            };
            (event.id, Entry { event, attempts: 0, due: Some(now), last: None })
        };
        let queue = Arc::new(Queue {
            entries: Mutex::new(events.into_iter().map(entry).collect()),
            settled: watch::channel(0).0,
            failing_settlements: AtomicU32::new(0),
            unreadable: AtomicU32::new(0),
        });
        let (receiver, clock) = (Arc::new(receiver), Arc::new(TestClock(Mutex::new(now))));
        let ids = Arc::new(CountingIds::default());
        let dispatcher = Arc::new(Dispatcher::new(queue.clone(), receiver.clone(), clock.clone(), ids));
        Self { queue, receiver, clock, dispatcher }
    }

    fn entry(&self, number: u32, sequence: u32) -> Entry {
        self.queue.entries.lock().unwrap()[&event_id(number, sequence)].clone()
    }

    fn sent(&self) -> BTreeSet<EventId> {
        let entries = self.queue.entries.lock().unwrap();
        let sent = entries.iter().filter(|(_, entry)| entry.last == Some(Settlement::Sent));
        sent.map(|(id, _)| *id).collect()
    }

    /// Waits until so many settlements have been stored, and fails when nothing is left that could
    /// store one: time stands still unless everybody waits.
    async fn settled(&self, count: usize) {
        let mut settled = self.queue.settled.subscribe();
        tokio::select! {
            seen = settled.wait_for(|settled| *settled >= count) => assert!(seen.is_ok()),
            () = tokio::time::sleep(Duration::from_hours(1)) => panic!("{:?}", self.sent()),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_sent_once_and_in_order() {
    let post = Post::with([(1, 1), (1, 2), (2, 1)], Receiver::default());
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 2);
    assert_eq!(post.sent(), [event_id(1, 1), event_id(2, 1)].into());
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 1);
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 0);
    assert_eq!(*post.receiver.arrived.lock().unwrap(), [event_id(1, 1), event_id(2, 1), event_id(1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_round_takes_64_events_of_which_16_are_under_way_at_once() {
    let receiver = Receiver { takes: Duration::from_millis(10), ..Receiver::default() };
    let post = Post::with((0..100).map(|number| (number, 1)), receiver);
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 64);
    assert_eq!(post.receiver.most_at_once.load(Ordering::Relaxed), 16);
    assert_eq!(post.sent().len(), 64);
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 36);
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 0);
    assert_eq!(post.sent().len(), 100);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_refused_is_tried_ten_times_and_then_given_up() {
    let receiver = Receiver { refusals: [(aggregate(1), None)].into(), ..Receiver::default() };
    let post = Post::with([(1, 1), (1, 2)], receiver);
    for attempt in 1..MAX_ATTEMPTS {
        let now = post.clock.now();
        assert_eq!(post.dispatcher.run_once().await.unwrap(), 1);
        let entry = post.entry(1, 1);
        let Some(Settlement::Retry { at, error }) = entry.last else { panic!("{entry:?}") };
        assert_eq!((entry.attempts, error.as_str()), (attempt, "the receiver answered 503"));
        // 1, 3, 9 … 729, 900, 900 s, of which a half to all.
        let full = Duration::from_secs(3_u64.pow(attempt - 1).min(900));
        assert!(at >= now + full / 2 && at <= now + full, "{at} after {now}");
        // Not a moment earlier.
        assert_eq!(post.dispatcher.run_once().await.unwrap(), 0);
        post.clock.set(at);
    }
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 1);
    let dead = Settlement::Dead { error: "the receiver answered 503".into() };
    assert_eq!((post.entry(1, 1).attempts, post.entry(1, 1).last), (MAX_ATTEMPTS, Some(dead)));
    post.clock.set(post.clock.now() + Duration::from_hours(24));
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 0);
    assert_eq!(post.receiver.arrived.lock().unwrap().len(), 10);
    // Its order is promised, so the later event waits for an administrator.
    assert_eq!(post.entry(1, 2).attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_left_alone_as_long_as_it_asks() {
    let asked = Some(Duration::from_secs(1_000));
    let receiver = Receiver { refusals: [(aggregate(1), asked)].into(), ..Receiver::default() };
    let post = Post::with([(1, 1)], receiver);
    post.dispatcher.run_once().await.unwrap();
    assert_eq!(post.entry(1, 1).due, Some(post.clock.now() + Duration::from_secs(1_000)));
}

#[tokio::test(start_paused = true)]
async fn one_refusal_does_not_touch_the_other_events() {
    let receiver = Receiver { refusals: [(aggregate(2), None)].into(), ..Receiver::default() };
    let post = Post::with((1..=5).map(|number| (number, 1)), receiver);
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 5);
    assert_eq!(post.sent(), [1, 3, 4, 5].map(|number| event_id(number, 1)).into());
    assert!(matches!(post.entry(2, 1).last, Some(Settlement::Retry { .. })));
}

/// Seen to fail with outcomes gathered until there are 16 of them: the four waited for the fifth.
#[tokio::test(start_paused = true)]
async fn a_slow_event_does_not_keep_the_others_of_its_round_from_being_settled() {
    let gate = Arc::new(Semaphore::new(0));
    let receiver = Receiver { gates: [(aggregate(1), gate.clone())].into(), ..Receiver::default() };
    let post = Post::with((1..=5).map(|number| (number, 1)), receiver);
    let dispatcher = post.dispatcher.clone();
    let round = tokio::spawn(async move { dispatcher.run_once().await });
    post.settled(4).await;
    assert_eq!(post.sent(), (2..=5).map(|number| event_id(number, 1)).collect());
    gate.add_permits(1);
    assert_eq!(round.await.unwrap().unwrap(), 5);
    assert_eq!(post.sent().len(), 5);
}

/// The slots that slow events hold are theirs; all other events of the round go through the rest.
#[tokio::test(start_paused = true)]
async fn slow_events_do_not_keep_the_rest_of_a_full_round_from_being_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let gates = (0..15).map(|number| (aggregate(number), gate.clone())).collect();
    let takes = Duration::from_millis(10);
    let post =
        Post::with((0..64).map(|number| (number, 1)), Receiver { gates, takes, ..Receiver::default() });
    let dispatcher = post.dispatcher.clone();
    let round = tokio::spawn(async move { dispatcher.run_once().await });
    post.settled(49).await;
    assert_eq!(post.sent(), (15..64).map(|number| event_id(number, 1)).collect());
    gate.add_permits(15);
    assert_eq!(round.await.unwrap().unwrap(), 64);
    assert_eq!(post.sent().len(), 64);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_sent_and_not_settled_is_sent_again_when_its_lease_ends() {
    let post = Post::with([(1, 1)], Receiver::default());
    post.queue.failing_settlements.store(1, Ordering::Relaxed);
    assert!(matches!(post.dispatcher.run_once().await, Err(StoreError::Unavailable(_))));
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 0);
    post.clock.set(post.clock.now() + LEASE);
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 1);
    assert_eq!(*post.receiver.arrived.lock().unwrap(), [event_id(1, 1); 2]);
    assert_eq!(post.sent(), [event_id(1, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_cannot_be_read_is_told() {
    let post = Post::with([(1, 1)], Receiver::default());
    post.queue.unreadable.store(1, Ordering::Relaxed);
    assert!(matches!(post.dispatcher.run_once().await, Err(StoreError::Unavailable(_))));
    assert!(post.receiver.arrived.lock().unwrap().is_empty());
    assert_eq!(post.dispatcher.run_once().await.unwrap(), 1);
}
