//! Reading through a cache: values are computed once for everybody.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use kernel::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::in_process::{InProcess, Lead, Part};
use crate::{Cache, CacheKey, Freshness, Lookup, Turn};

/// Answers from a cache, and computes what is missing: one caller at a time, across all instances.
///
/// Whatever the cache does, a caller gets a value or the error of its own computation: without the cache
/// each caller computes for itself.
#[derive(Clone)]
pub struct ReadThrough {
    cache: Arc<dyn Cache>,
    runtime: Handle,
    tasks: TaskTracker,
    in_process: InProcess,
    /// The groups that could not be dropped yet.
    dirty: Arc<Mutex<HashSet<&'static str>>>,
}

impl ReadThrough {
    /// The pause before a group that could not be dropped is dropped again.
    const DROP_PAUSE: Duration = Duration::from_millis(500);
    /// For so long one caller may compute before another one tries; and so long callers wait for it.
    pub const LEASE: Duration = Duration::from_secs(3);
    /// The shortest pause between two looks of a caller that waits; each is twice as long as the last.
    const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
    /// The longest of these pauses.
    const LONGEST_PAUSE: Duration = Duration::from_millis(100);

    /// Makes a reader whose computations run on `runtime` and are tracked by `tasks`, for a shutdown to
    /// wait for.
    pub fn new(cache: Arc<dyn Cache>, runtime: Handle, tasks: TaskTracker) -> Self {
        Self { cache, runtime, tasks, in_process: InProcess::default(), dirty: Arc::default() }
    }

    /// Returns what is remembered under a key, or else what `compute` returns, which is then remembered.
    ///
    /// - A fresh value is answered, and so is a stale one, while one caller computes a new one behind it.
    /// - A missing value is computed by the one caller that has the turn, to the end even if that caller
    ///   goes away. The others wait for it, at most for [`Self::LEASE`], and then compute for themselves.
    /// - A value that cannot be read, such as one of another version of the program, is a missing one.
    ///
    /// # Errors
    /// What `compute` returns, and [`StoreError::Internal`] if it panics.
    pub async fn get<T, F, Fut>(
        &self,
        key: CacheKey,
        freshness: Freshness,
        compute: F,
    ) -> Result<T, StoreError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        if self.dirty().contains(key.group()) {
            count(&key, "bypassed");
            return compute().await;
        }
        let deadline = Instant::now() + Self::LEASE;
        let mut pause = Self::SHORTEST_PAUSE;
        let mut lead = None;
        let mut waited = false;
        loop {
            let lookup = match self.cache.look_up(&key, Self::LEASE).await {
                Ok(lookup) => lookup,
                Err(error) => {
                    tracing::debug!(group = key.group(), %error, "the cache is bypassed");
                    count(&key, "bypassed");
                    return compute().await;
                }
            };
            match lookup {
                Lookup::Fresh(value) => {
                    if let Some(value) = decode(&key, &value) {
                        count(&key, if waited { "waited" } else { "fresh" });
                        return Ok(value);
                    }
                    // Nobody gets a turn before it is stale.
                    count(&key, "bypassed");
                    return compute().await;
                }
                Lookup::Stale { value, turn } => {
                    if let Some(value) = decode(&key, &value) {
                        count(&key, if waited { "waited" } else { "stale" });
                        if let Some(turn) = turn {
                            let lead = lead.or_else(|| self.in_process.lead(&key));
                            drop(self.compute(turn, freshness, compute, lead));
                        }
                        return Ok(value);
                    }
                    if let Some(turn) = turn {
                        return self.compute_and_answer(turn, freshness, compute, lead).await;
                    }
                }
                Lookup::Missing { turn: Some(turn) } => {
                    return self.compute_and_answer(turn, freshness, compute, lead).await;
                }
                Lookup::Missing { turn: None } => {}
            }
            if Instant::now() >= deadline {
                tracing::debug!(group = key.group(), "a value was waited for in vain");
                count(&key, "bypassed");
                return compute().await;
            }
            waited = true;
            if lead.is_none() {
                match self.in_process.join(&key) {
                    Part::Lead(part) => lead = Some(part),
                    Part::Follow(part) => tokio::select! {
                        () = part.ended() => {}
                        () = sleep_until(deadline) => {}
                    },
                }
            }
            if lead.is_some() {
                sleep_until(deadline.min(Instant::now() + pause)).await;
                pause = Self::LONGEST_PAUSE.min(pause * 2);
            }
        }
    }

    /// Forgets all entries of a group. If that fails, this process reads past the cache, and tries again
    /// until it is done: once the cache answers, no instance shows old entries for longer than a moment.
    /// What is forgotten if this process ends meanwhile runs out by itself.
    pub async fn drop_group(&self, group: &'static str) {
        if self.try_to_drop(group).await || !self.dirty().insert(group) {
            return;
        }
        tracing::warn!(group, "a group of the cache could not be dropped; it is tried until it is done");
        let reader = self.clone();
        // Not tracked: a shutdown does not wait for a cache that is gone.
        self.runtime.spawn(async move {
            loop {
                tokio::time::sleep(Self::DROP_PAUSE).await;
                if reader.try_to_drop(group).await {
                    reader.dirty().remove(group);
                    return;
                }
            }
        });
    }

    async fn try_to_drop(&self, group: &'static str) -> bool {
        let dropped = self.cache.drop_group(group).await;
        if let Err(error) = &dropped {
            tracing::debug!(group, %error, "a group of the cache could not be dropped");
        }
        let outcome = if dropped.is_ok() { "dropped" } else { "failed" };
        metrics::counter!("jumun_cache_drops_total", "group" => group, "outcome" => outcome).increment(1);
        dropped.is_ok()
    }

    fn dirty(&self) -> MutexGuard<'_, HashSet<&'static str>> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn compute_and_answer<T, F, Fut>(
        &self,
        turn: Turn,
        freshness: Freshness,
        compute: F,
        lead: Option<Lead>,
    ) -> Result<T, StoreError>
    where
        T: Serialize + Send + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        count(&turn.key, "computed");
        let lead = lead.or_else(|| self.in_process.lead(&turn.key));
        let task = self.compute(turn, freshness, compute, lead);
        task.await.unwrap_or_else(|error| Err(StoreError::Internal(Box::new(error))))
    }

    /// Computes a value in a turn and remembers it, in a task that ends by itself.
    fn compute<T, F, Fut>(
        &self,
        turn: Turn,
        freshness: Freshness,
        compute: F,
        lead: Option<Lead>,
    ) -> tokio::task::JoinHandle<Result<T, StoreError>>
    where
        T: Serialize + Send + 'static,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let cache = self.cache.clone();
        let work = async move {
            // Dropped last: then those who wait find what was put.
            let _lead = lead;
            let computed = AssertUnwindSafe(async { compute().await }).catch_unwind().await;
            let computed =
                computed.unwrap_or_else(|_| Err(StoreError::Internal("a computation panicked".into())));
            let encoded = match &computed {
                Ok(value) => serde_json::to_vec(value).map_err(|error| error.to_string()),
                Err(error) => Err(kernel::causes(error)),
            };
            let remembered = match encoded {
                Ok(value) => cache.put(&turn, &value, freshness).await,
                Err(reason) => {
                    tracing::debug!(group = turn.key.group(), reason, "a value was not computed");
                    cache.give_up(&turn).await
                }
            };
            if let Err(error) = remembered {
                tracing::debug!(group = turn.key.group(), %error, "the cache does not know of a computation");
            }
            computed
        };
        self.runtime.spawn(self.tasks.track_future(work.in_current_span()))
    }
}

fn decode<T: DeserializeOwned>(key: &CacheKey, value: &[u8]) -> Option<T> {
    let decoded = serde_json::from_slice(value);
    decoded
        .inspect_err(
            |error| tracing::debug!(group = key.group(), %error, "a value of the cache cannot be read"),
        )
        .ok()
}

fn count(key: &CacheKey, outcome: &'static str) {
    metrics::counter!("jumun_cache_lookups_total", "group" => key.group(), "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
