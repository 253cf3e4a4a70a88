//! The batch: views into the database, counts into a ranking.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, StoreError};

use crate::{PopularityStore, RunKey, ViewCounter, rank};

/// For so long the name of a stored batch of views is remembered: longer than any batch can wait.
const BATCH_MEMORY: Duration = Duration::from_hours(7 * 24);
/// How many batches of views are stored in one go, so that a counter that is filled all the time cannot
/// keep its reader for ever.
const BATCHES_AT_ONCE: u32 = 100;

/// Moves counted views into the store, and returns how many.
///
/// Each batch is stored once, whatever happens in between: the store remembers its name, and the counter
/// hands the same batch out until it is confirmed. Any number of instances may do so at once.
///
/// # Errors
/// When counter or store fail; what was counted waits for the next time.
pub async fn store_views(
    counter: &dyn ViewCounter,
    store: &dyn PopularityStore,
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    let mut stored = 0;
    for _ in 0..BATCHES_AT_ONCE {
        let Some(batch) = counter.take().await? else { break };
        if store.add_views(&batch, clock.now()).await? {
            stored += batch.views.iter().map(|views| u64::from(views.count)).sum::<u64>();
        }
        counter.confirm(batch.id).await?;
    }
    Ok(stored)
}

/// How an attempt at a run ended, if it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// The ranking is stored.
    Done {
        /// How many products have a place.
        ranked: usize,
        /// Which attempt it was, from 1.
        attempt: u32,
    },
    /// The run was done already, or somebody else has taken it over; nothing was stored.
    NotOurs,
}

/// Computes and publishes the ranking of a period. Whoever calls it holds the lock of the period.
#[derive(Clone)]
pub struct RankingBatch {
    store: Arc<dyn PopularityStore>,
    clock: Arc<dyn Clock>,
}

impl RankingBatch {
    /// Puts the batch on top of its port.
    pub fn new(store: Arc<dyn PopularityStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Makes one attempt at a run under the fence of its lock. An attempt that died in the middle is
    /// simply made again: all that it leaves behind is a number.
    ///
    /// # Errors
    /// When the store fails; the run is marked as failed, if that much is possible.
    pub async fn attempt(&self, key: RunKey, fence: u64) -> Result<RunOutcome, StoreError> {
        let attempted = self.compute(key, fence).await;
        if attempted.is_err() {
            // The failure that matters is the one before; unmarked, the run is at work and will be taken up.
            let _ = self.store.fail_run(key, fence, self.clock.now()).await;
        }
        attempted
    }

    async fn compute(&self, key: RunKey, fence: u64) -> Result<RunOutcome, StoreError> {
        let Some(attempt) = self.store.begin_run(key, fence, self.clock.now()).await? else {
            return Ok(RunOutcome::NotOurs);
        };
        let ranking = rank(self.store.popularity(key.days()).await?);
        if !self.store.finish_run(key, fence, &ranking, self.clock.now()).await? {
            return Ok(RunOutcome::NotOurs);
        }
        Ok(RunOutcome::Done { ranked: ranking.len(), attempt })
    }

    /// Forgets what is not needed any more, and returns how many names of batches that were.
    ///
    /// # Errors
    /// When the store fails; then the next time will do.
    pub async fn tidy(&self) -> Result<u64, StoreError> {
        self.store.forget_batches(self.clock.now() - BATCH_MEMORY).await
    }
}
