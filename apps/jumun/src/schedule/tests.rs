//! Runs that fail, locks that others hold, nights that were missed. The time is tokio's, which jumps.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use coordination::ReadThrough;
use kernel::ProductId;
use kernel::StoreError;
use local::{LocalCache, LocalLock, LocalViews};
use ranking::{
    Days, Popularity, PublishedRanking, RankedProduct, Run, SalesRanking, TopSeller, ViewBatch, ViewRecorder,
};
use testkit::ManualClock;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::*;

/// A store of one run that notes when it was asked to rank, and fails as often as it is told.
#[derive(Default)]
struct Store {
    run: Mutex<Option<Run>>,
    failures: Mutex<VecDeque<()>>,
    attempts: Mutex<Vec<(RunKey, Duration)>>,
    begun: Mutex<Option<Instant>>,
}

impl Store {
    /// Returns the days of the runs, and the seconds at which they were begun.
    fn attempts(&self) -> Vec<(String, u64)> {
        let attempts = self.attempts.lock().unwrap();
        attempts.iter().map(|(key, at)| (key.day.to_string(), at.as_secs())).collect()
    }
}

#[async_trait]
impl SalesRanking for Store {
    async fn top_sellers(&self, _: Days, _: u32) -> Result<Vec<TopSeller>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl PopularityStore for Store {
    async fn add_views(&self, _: &ViewBatch, _: Timestamp) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn forget_batches(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn popularity(&self, _: Days) -> Result<Vec<Popularity>, StoreError> {
        match self.failures.lock().unwrap().pop_front() {
            Some(()) => Err(StoreError::Unavailable("down".into())),
            None => Ok(vec![Popularity {
                product_id: ProductId::from_uuid(uuid::Uuid::nil()),
                sold: 1,
                views: 0,
            }]),
        }
    }

    async fn find_run(&self, key: RunKey) -> Result<Option<Run>, StoreError> {
        Ok(self.run.lock().unwrap().filter(|run| run.key == key))
    }

    async fn begin_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<Option<u32>, StoreError> {
        let begun = *self.begun.lock().unwrap().get_or_insert_with(Instant::now);
        self.attempts.lock().unwrap().push((key, begun.elapsed()));
        let status = RunStatus::Running;
        let run = Run { key, status, attempts: 1, fence, started_at: now, finished_at: None };
        *self.run.lock().unwrap() = Some(run);
        Ok(Some(1))
    }

    async fn finish_run(
        &self,
        _: RunKey,
        _: u64,
        _: &[RankedProduct],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if let Some(run) = self.run.lock().unwrap().as_mut() {
            (run.status, run.finished_at) = (RunStatus::Done, Some(now));
        }
        Ok(true)
    }

    async fn fail_run(&self, _: RunKey, _: u64, now: Timestamp) -> Result<(), StoreError> {
        if let Some(run) = self.run.lock().unwrap().as_mut() {
            (run.status, run.finished_at) = (RunStatus::Failed, Some(now));
        }
        Ok(())
    }

    async fn published(&self, _: Period) -> Result<Option<PublishedRanking>, StoreError> {
        Ok(None)
    }
}

/// A scheduler at work at nightly rankings, on the night of the second of March.
struct Night {
    store: Arc<Store>,
    clock: Arc<ManualClock>,
    locks: Arc<LocalLock>,
    stop: CancellationToken,
}

impl Night {
    fn new(failures: usize) -> Self {
        let store = Store { failures: Mutex::new(vec![(); failures].into()), ..Store::default() };
        // Half past one in Seoul.
        let clock = Arc::new(ManualClock::at("2026-03-01T16:30:00Z".parse().unwrap()));
        let locks = Arc::new(LocalLock::new());
        Self { store: Arc::new(store), clock, locks, stop: CancellationToken::new() }
    }

    fn begin(&self) -> JoinHandle<()> {
        let popular = PopularProducts {
            sales: self.store.clone(),
            store: self.store.clone(),
            cache: ReadThrough::new(Arc::new(LocalCache::new()), Handle::current(), TaskTracker::new()),
            live: PopularProducts::LIVE,
            views: Arc::new(ViewRecorder::default()),
            clock: self.clock.clone(),
            zone: BusinessZone::default(),
        };
        let scheduler = RankingScheduler {
            batch: RankingBatch::new(self.store.clone(), self.clock.clone()),
            store: self.store.clone(),
            counter: Arc::new(LocalViews::new()),
            locks: self.locks.clone(),
            popular,
            clock: self.clock.clone(),
            zone: BusinessZone::default(),
            schedules: vec![(Period::Daily, "0 1 * * *".parse().unwrap())],
        };
        tokio::spawn(scheduler.run(self.stop.clone()))
    }

    async fn end(&self, work: JoinHandle<()>) -> Vec<(String, u64)> {
        self.stop.cancel();
        work.await.unwrap();
        self.store.attempts()
    }
}

fn second(seconds: &[u64]) -> Vec<(String, u64)> {
    seconds.iter().map(|seconds| ("2026-03-02".to_owned(), *seconds)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_is_tried_again_after_growing_pauses() {
    let night = Night::new(2);
    let work = night.begin();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(night.end(work).await, second(&[0, 1, 6]), "and it is done then");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_too_often_rests_and_is_not_given_up() {
    let night = Night::new(6);
    let work = night.begin();
    tokio::time::sleep(Duration::from_mins(15)).await;
    let attempts = night.end(work).await;
    assert_eq!(attempts[..5], second(&[0, 1, 6, 26, 86]));
    let [(_, sixth), (_, seventh)] = &attempts[5..] else { panic!("{attempts:?}") };
    // The rest, and at most a look at the schedule more.
    assert!((86 + 600..=86 + 600 + 30).contains(sixth), "{attempts:?}");
    assert_eq!(*seventh, sixth + 1);
}

#[tokio::test(start_paused = true)]
async fn each_night_has_its_run_and_a_missed_one_is_made_up_for() {
    let night = Night::new(0);
    let work = night.begin();
    tokio::time::sleep(Duration::from_mins(2)).await;
    for (now, done) in [
        ("2026-03-02T15:59:59Z", "2026-03-02"),
        ("2026-03-02T16:00:00Z", "2026-03-03"),
        ("2026-03-09T02:00:00Z", "2026-03-09"),
    ] {
        night.clock.set(now.parse().unwrap());
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(night.store.attempts().last().unwrap().0, done, "{now}");
    }
    assert_eq!(night.end(work).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_has_not_the_lock_waits_and_looks_again() {
    let night = Night::new(0);
    let lock = LockName::of("ranking", "daily");
    let grant = night.locks.acquire(&lock, Duration::from_hours(1)).await.unwrap().unwrap();
    let work = night.begin();
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(night.store.attempts(), []);
    assert!(night.locks.release(&grant).await.unwrap());
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(night.end(work).await, second(&[0]));
}

#[tokio::test(start_paused = true)]
async fn an_end_does_not_wait_for_a_pause() {
    let night = Night::new(100);
    let work = night.begin();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let ended = Instant::now();
    assert_eq!(night.end(work).await, second(&[0, 1, 6, 26]));
    assert!(ended.elapsed() < Duration::from_secs(1));
}
