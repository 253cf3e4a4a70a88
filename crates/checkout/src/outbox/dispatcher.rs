//! The worker's loop body: claim, send, settle.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use kernel::{Clock, EventId, IdGenerator, StoreError};
use uuid::Uuid;

use super::{EventSink, OutboxQueue, QueuedEvent, Settlement, after_failure};

/// Delivers what is due. Any number of them may run, in any number of processes.
pub struct Dispatcher {
    queue: Arc<dyn OutboxQueue>,
    sink: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    worker: Uuid,
}

impl Dispatcher {
    /// How many events a round takes.
    const BATCH: u32 = 64;
    /// How many of them are under way at once.
    const CONCURRENCY: usize = 16;
    /// How long a round may take before another worker may send its events again; well above what the
    /// sink's own time limits add up to.
    const LEASE: Duration = Duration::from_mins(1);

    /// Makes a worker with a name of its own.
    pub fn new(
        queue: Arc<dyn OutboxQueue>,
        sink: Arc<dyn EventSink>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        let worker = ids.uuid();
        Self { queue, sink, clock, ids, worker }
    }

    /// Delivers one round of events and returns how many it tried; 0 means that nothing is due.
    ///
    /// # Errors
    /// When the outbox cannot be read or written. Events that were sent but not settled are sent again.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let events = self.queue.claim(self.worker, now, now + Self::LEASE, Self::BATCH).await?;
        let tried = events.len();
        // What is ready together is settled together, and at once, so that the next events of an
        // aggregate need not wait for the slowest of the round.
        let mut outcomes = stream::iter(events)
            .map(|event| self.deliver(event))
            .buffer_unordered(Self::CONCURRENCY)
            .ready_chunks(Self::CONCURRENCY);
        while let Some(ready) = outcomes.next().await {
            self.queue.settle(self.worker, self.clock.now(), &ready).await?;
        }
        Ok(tried)
    }

    async fn deliver(&self, queued: QueuedEvent) -> (EventId, Settlement) {
        let QueuedEvent { event, attempts } = queued;
        let settlement = match self.sink.send(&event).await {
            Ok(()) => Settlement::Sent,
            Err(error) => {
                let settlement = after_failure(attempts + 1, &error, self.clock.now(), self.ids.random());
                let trace_id = event.trace.map(kernel::TraceContext::trace_id);
                if let Settlement::Dead { .. } = &settlement {
                    tracing::error!(event = %event.id, r#type = event.event_type, trace_id, causes = kernel::causes(&error), "event given up");
                } else {
                    tracing::warn!(event = %event.id, r#type = event.event_type, trace_id, attempts, causes = kernel::causes(&error), "event not delivered");
                }
                settlement
            }
        };
        let outcome = match settlement {
            Settlement::Sent => "sent",
            Settlement::Retry { .. } => "failed",
            Settlement::Dead { .. } => "dead",
        };
        metrics::counter!("jumun_outbox_deliveries_total", "outcome" => outcome).increment(1);
        (event.id, settlement)
    }
}
