//! Lanes: orders that wait at the same moment share a transaction (ADR-040).

mod fair_queue;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{DomainError, ErrorKind, StoreError, UserId};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::fair_queue::FairQueue;
use crate::decide::Receipt;
use crate::{Answer, Checkout, PlaceOrder, Render, TransactionRunner, UseCaseError};

/// How wide the way to the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSettings {
    /// How many transactions with orders are under way at once; one at least.
    pub lanes: usize,
    /// How many orders wait at the most, one at least; further ones are turned away.
    pub queue: usize,
    /// How many lines the orders of one transaction have together, but for the last one.
    pub lines: usize,
}

/// For a machine with two cores and the database on it (ADR-040).
impl Default for LaneSettings {
    fn default() -> Self {
        Self { lanes: 2, queue: 1024, lines: 512 }
    }
}

/// Too many orders wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("too many orders wait already, try again in a moment")]
pub struct QueueFull;

impl DomainError for QueueFull {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }

    fn code(&self) -> &'static str {
        "SERVICE_UNAVAILABLE"
    }
}

/// Places orders, many at a time. No order waits for others to come: a lane that is free takes what is there,
/// and while it commits the next set gathers by itself.
#[derive(Clone)]
pub struct OrderLanes(Arc<Shared>);

struct Shared {
    checkout: Checkout,
    render: Render<Receipt>,
    settings: LaneSettings,
    state: Mutex<State>,
}

struct State {
    queue: FairQueue<UserId, Waiting>,
    /// Lanes at work; each ends when nothing waits any more.
    busy: usize,
}

struct Waiting {
    order: PlaceOrder,
    /// Closed once its caller has gone.
    outcome: oneshot::Sender<Result<Answer, UseCaseError>>,
    /// Set when a lane has taken it.
    taken: Arc<AtomicBool>,
    since: Instant,
}

impl OrderLanes {
    /// Puts lanes in front of the use case; `render` tells every buyer of the order.
    pub fn new(checkout: Checkout, render: Render<Receipt>, settings: LaneSettings) -> Self {
        let state = State { queue: FairQueue::new(settings.queue.max(1)), busy: 0 };
        Self(Arc::new(Shared { checkout, render, settings, state: Mutex::new(state) }))
    }

    /// Places an order. If its caller goes away while it waits nothing happens; once a lane has taken it, it goes
    /// on to its end.
    ///
    /// # Errors
    /// The rejection of the order, [`QueueFull`] at once, or why it could not be decided.
    pub async fn place(&self, order: PlaceOrder) -> Result<Answer, UseCaseError> {
        let (outcome, mut told) = oneshot::channel();
        let taken = Arc::new(AtomicBool::new(false));
        let waiting = Waiting { order, outcome, taken: taken.clone(), since: Instant::now() };
        self.enqueue(waiting).map_err(UseCaseError::rejected)?;
        tokio::select! {
            told = &mut told => return told.unwrap_or_else(|_| Err(unknown())),
            () = tokio::time::sleep(TransactionRunner::LONGEST_WAIT) => {}
        }
        // Either a lane has it by now, or none will ever take it.
        let state = self.state();
        told.close();
        let taken = taken.load(Ordering::Relaxed);
        drop(state);
        Err(if taken { unknown() } else { StoreError::Unavailable(Box::new(NoAnswer)).into() })
    }

    /// Returns how many lanes are at work and how many orders wait for one.
    pub fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.busy, state.queue.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, waiting: Waiting) -> Result<(), QueueFull> {
        let mut state = self.state();
        if state.queue.push(waiting.order.command.user_id, waiting).is_err() {
            metrics::counter!("jumun_orders_turned_away_total").increment(1);
            return Err(QueueFull);
        }
        measure(&state);
        if state.busy >= self.0.settings.lanes.max(1) {
            return Ok(());
        }
        state.busy += 1;
        drop(state);
        let lane = Lane { lanes: self.clone(), idle: false };
        // A lane serves many requests and belongs to the trace of none.
        tracing::Span::none().in_scope(|| {
            self.0.checkout.runner.in_the_background(async move { lane.run().await });
        });
        Ok(())
    }
}

/// One way to the database.
struct Lane {
    lanes: OrderLanes,
    /// Whether it has found nothing to do and given its place up.
    idle: bool,
}

impl Lane {
    async fn run(mut self) {
        let shared = self.lanes.0.clone();
        while let Some(set) = self.next() {
            #[expect(clippy::cast_precision_loss, reason = "a histogram")]
            metrics::histogram!("jumun_order_set_size").record(set.len() as f64);
            let (mut orders, mut callers) = (Vec::with_capacity(set.len()), Vec::with_capacity(set.len()));
            for Waiting { order, outcome, since, .. } in set {
                metrics::histogram!("jumun_order_wait_seconds").record(since.elapsed());
                orders.push(order);
                callers.push(outcome);
            }
            let outcomes = shared.checkout.place_orders(orders, shared.render).await;
            for (caller, outcome) in callers.into_iter().zip(outcomes) {
                // Who is gone has no use for it.
                let _ = caller.send(outcome);
            }
        }
    }

    /// Takes what waits, as much as a transaction is to hold. Where nothing does the lane gives its place up in
    /// the same moment: whoever comes next starts another.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut state = self.lanes.state();
        let lines = |waiting: &Waiting| waiting.order.command.basket.items().len();
        loop {
            let mut set = state.queue.take(self.lanes.0.settings.lines, lines);
            measure(&state);
            if set.is_empty() {
                state.busy -= 1;
                self.idle = true;
                return None;
            }
            // Nobody has begun what these wanted, and nobody is there to hear of it.
            set.retain(|waiting| !waiting.outcome.is_closed());
            if !set.is_empty() {
                for waiting in &set {
                    waiting.taken.store(true, Ordering::Relaxed);
                }
                return Some(set);
            }
        }
    }
}

/// A lane that a defect ends does not keep its place.
impl Drop for Lane {
    fn drop(&mut self) {
        if !self.idle {
            self.lanes.state().busy -= 1;
        }
    }
}

fn measure(state: &State) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    metrics::gauge!("jumun_orders_waiting").set(state.queue.len() as f64);
}

/// The caller waits no longer; the order may still be placed.
fn unknown() -> UseCaseError {
    StoreError::OutcomeUnknown(Box::new(NoAnswer)).into()
}

#[derive(Debug, Error)]
#[error("no lane has placed the order in time")]
struct NoAnswer;
