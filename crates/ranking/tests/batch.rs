//! The batch over a store in memory: crashes in the middle, late writers, failures.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{Clock, ProductId, StoreError, Timestamp};
use ranking::{
    DailyViews, Days, Period, Popularity, PopularityStore, PublishedRanking, RankedProduct, RankingBatch,
    Run, RunKey, RunOutcome, RunStatus, ViewBatch, ViewBatchId, ViewCounter, store_views,
};
use uuid::Uuid;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-03-02T03:00:00Z".parse().unwrap()
    }
}

fn product(number: u128) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A counter with batches that wait; it can fail to confirm.
#[derive(Default)]
struct Counter {
    batches: Mutex<Vec<ViewBatch>>,
    deaf: Mutex<bool>,
}

#[async_trait]
impl ViewCounter for Counter {
    async fn add(&self, _: &[DailyViews]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn take(&self) -> Result<Option<ViewBatch>, StoreError> {
        Ok(self.batches.lock().unwrap().first().cloned())
    }

    async fn confirm(&self, batch: ViewBatchId) -> Result<(), StoreError> {
        if *self.deaf.lock().unwrap() {
            return Err(StoreError::Unavailable("gone".into()));
        }
        self.batches.lock().unwrap().retain(|waiting| waiting.id != batch);
        Ok(())
    }
}

/// A store that keeps what the port promises, and can break while it finishes.
#[derive(Default)]
struct Memory {
    views: Mutex<BTreeMap<ProductId, u64>>,
    batches: Mutex<Vec<ViewBatchId>>,
    runs: Mutex<BTreeMap<RunKey, Run>>,
    published: Mutex<Vec<RankedProduct>>,
    overtaken_by: Mutex<Option<u64>>,
    broken: Mutex<bool>,
}

#[async_trait]
impl PopularityStore for Memory {
    async fn add_views(&self, batch: &ViewBatch, _: Timestamp) -> Result<bool, StoreError> {
        let mut batches = self.batches.lock().unwrap();
        if batches.contains(&batch.id) {
            return Ok(false);
        }
        batches.push(batch.id);
        for views in &batch.views {
            *self.views.lock().unwrap().entry(views.product_id).or_default() += u64::from(views.count);
        }
        Ok(true)
    }

    async fn forget_batches(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn popularity(&self, _: Days) -> Result<Vec<Popularity>, StoreError> {
        if *self.broken.lock().unwrap() {
            return Err(StoreError::Unavailable("broken".into()));
        }
        let views = self.views.lock().unwrap();
        Ok(views.iter().map(|(id, views)| Popularity { product_id: *id, sold: 0, views: *views }).collect())
    }

    async fn find_run(&self, key: RunKey) -> Result<Option<Run>, StoreError> {
        Ok(self.runs.lock().unwrap().get(&key).copied())
    }

    async fn begin_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<Option<u32>, StoreError> {
        let mut runs = self.runs.lock().unwrap();
        let before = runs.get(&key).copied();
        if before.is_some_and(|run| run.status == RunStatus::Done || run.fence > fence) {
            return Ok(None);
        }
        let attempts = before.map_or(0, |run| run.attempts) + 1;
        let status = RunStatus::Running;
        runs.insert(key, Run { key, status, attempts, fence, started_at: now, finished_at: None });
        Ok(Some(attempts))
    }

    async fn finish_run(
        &self,
        key: RunKey,
        fence: u64,
        ranking: &[RankedProduct],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let overtaken_by = self.overtaken_by.lock().unwrap().take();
        if let Some(fence) = overtaken_by {
            self.begin_run(key, fence, now).await?;
        }
        let mut runs = self.runs.lock().unwrap();
        let Some(run) = runs.get_mut(&key).filter(|run| run.fence == fence) else { return Ok(false) };
        (run.status, run.finished_at) = (RunStatus::Done, Some(now));
        *self.published.lock().unwrap() = ranking.to_vec();
        Ok(true)
    }

    async fn fail_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<(), StoreError> {
        if let Some(run) = self.runs.lock().unwrap().get_mut(&key).filter(|run| run.fence == fence) {
            (run.status, run.finished_at) = (RunStatus::Failed, Some(now));
        }
        Ok(())
    }

    async fn published(&self, _: Period) -> Result<Option<PublishedRanking>, StoreError> {
        Ok(None)
    }
}

fn views(number: u128, counts: &[(u128, u32)]) -> ViewBatch {
    let views = counts.iter().map(|&(product_id, count)| DailyViews {
        day: day("2026-03-01"),
        product_id: product(product_id),
        count,
    });
    ViewBatch { id: ViewBatchId::from_uuid(Uuid::from_u128(number)), views: views.collect() }
}

const KEY: fn() -> RunKey = || RunKey { period: Period::Daily, day: day("2026-03-02") };

#[tokio::test]
async fn a_batch_of_views_is_stored_once_though_its_confirmation_is_lost() {
    let (counter, store) = (Counter::default(), Memory::default());
    *counter.batches.lock().unwrap() = vec![views(1, &[(1, 2), (2, 1)]), views(2, &[(1, 1)])];
    *counter.deaf.lock().unwrap() = true;
    assert!(store_views(&counter, &store, &Noon).await.is_err());
    assert!(store_views(&counter, &store, &Noon).await.is_err());
    *counter.deaf.lock().unwrap() = false;
    assert_eq!(store_views(&counter, &store, &Noon).await.unwrap(), 1, "the first batch is there already");
    assert_eq!(*store.views.lock().unwrap(), BTreeMap::from([(product(1), 3), (product(2), 1)]));
    assert_eq!(store_views(&counter, &store, &Noon).await.unwrap(), 0);
}

#[tokio::test]
async fn a_run_is_done_once() {
    let store = Arc::new(Memory::default());
    store.add_views(&views(1, &[(1, 1), (2, 5)]), Noon.now()).await.unwrap();
    let batch = RankingBatch::new(store.clone(), Arc::new(Noon));
    assert_eq!(batch.attempt(KEY(), 1).await.unwrap(), RunOutcome::Done { ranked: 2, attempt: 1 });
    let first = store.published.lock().unwrap()[0];
    assert_eq!((first.place, first.popularity.product_id), (1, product(2)));
    assert_eq!(batch.attempt(KEY(), 2).await.unwrap(), RunOutcome::NotOurs);
}

#[tokio::test]
async fn whoever_was_overtaken_publishes_nothing() {
    let store = Arc::new(Memory::default());
    store.add_views(&views(1, &[(1, 1)]), Noon.now()).await.unwrap();
    let batch = RankingBatch::new(store.clone(), Arc::new(Noon));
    *store.overtaken_by.lock().unwrap() = Some(8);
    assert_eq!(batch.attempt(KEY(), 7).await.unwrap(), RunOutcome::NotOurs);
    assert!(store.published.lock().unwrap().is_empty());
    assert_eq!(batch.attempt(KEY(), 7).await.unwrap(), RunOutcome::NotOurs, "it may not even begin");
    assert_eq!(batch.attempt(KEY(), 8).await.unwrap(), RunOutcome::Done { ranked: 1, attempt: 3 });
}

#[tokio::test]
async fn a_failed_run_is_marked_and_can_be_tried_again() {
    let store = Arc::new(Memory::default());
    let batch = RankingBatch::new(store.clone(), Arc::new(Noon));
    *store.broken.lock().unwrap() = true;
    assert!(batch.attempt(KEY(), 1).await.is_err());
    let run = store.find_run(KEY()).await.unwrap().unwrap();
    assert_eq!((run.status, run.attempts), (RunStatus::Failed, 1));
    *store.broken.lock().unwrap() = false;
    assert_eq!(batch.attempt(KEY(), 1).await.unwrap(), RunOutcome::Done { ranked: 0, attempt: 2 });
}
