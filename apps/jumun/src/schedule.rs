//! The ranking batches: when each is due, and what happens until it is done.

use std::sync::Arc;
use std::time::Duration;

use coordination::{DistributedLock, Held, LockName, exclusively};
use futures_util::future::join_all;
use kernel::{BusinessZone, Clock, Timestamp, causes};
use ranking::{
    Period, PopularityStore, RankingBatch, RunKey, RunOutcome, RunStatus, ViewCounter, store_views,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::popular::PopularProducts;
use crate::settings::Schedule;

/// How often a schedule is looked at, at least.
const LOOK: Duration = Duration::from_secs(30);
/// How long the lock of a period outlives an instance that died with it.
const LEASE: Duration = Duration::from_secs(30);
/// How long a run that has failed too often rests.
const REST: Duration = Duration::from_mins(10);
/// The pauses between the attempts at a run; after the last attempt it rests.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(20), Duration::from_mins(1)];

/// Publishes rankings when they are due. Any number of processes may do it at once: the lock of a period
/// lets one of them work, and the run's row in the database says whether there is anything to do.
///
/// The due run is that of the last time of the schedule, however long ago. So a missed night is made up
/// for, a new installation ranks at once, and what an instance left half done another one takes up once
/// the lock has run out.
pub struct RankingScheduler {
    /// Does a run.
    pub batch: RankingBatch,
    /// Where runs and rankings are kept.
    pub store: Arc<dyn PopularityStore>,
    /// Where views wait to be stored.
    pub counter: Arc<dyn ViewCounter>,
    /// Lets one instance work at a period.
    pub locks: Arc<dyn DistributedLock>,
    /// What is shown of the rankings.
    pub popular: PopularProducts,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The zone of the business.
    pub zone: BusinessZone,
    /// When each period is due.
    pub schedules: Vec<(Period, Schedule)>,
}

/// What became of a due run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// There is nothing to do until the next one.
    Done,
    /// Somebody else is at it, or it cannot be known: look again soon.
    Open,
    /// It failed too often: look again later.
    Failed,
}

impl RankingScheduler {
    /// Works until `stop` is cancelled; an attempt that was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        join_all(self.schedules.iter().map(|(period, schedule)| self.follow(*period, schedule, &stop))).await;
    }

    async fn follow(&self, period: Period, schedule: &Schedule, stop: &CancellationToken) {
        let mut resting: Option<(RunKey, Instant)> = None;
        while !stop.is_cancelled() {
            let now = self.zone.local(self.clock.now());
            let due = schedule.last(now).map(|due| RunKey { period, day: due.date_naive() });
            let rests = resting.is_some_and(|(key, until)| Some(key) == due && Instant::now() < until);
            if let Some(key) = due.filter(|_| !rests)
                && self.catch_up(key, stop).await == Outcome::Failed
            {
                resting = Some((key, Instant::now() + REST));
            }
            let next = schedule.next(now).and_then(|next| (next - now).to_std().ok());
            pause(stop, next.map_or(LOOK, |next| next.min(LOOK))).await;
        }
    }

    /// Sees to it that a run is done, or finds out why it cannot be.
    async fn catch_up(&self, key: RunKey, stop: &CancellationToken) -> Outcome {
        let period = key.period.as_str();
        match self.store.find_run(key).await {
            Ok(Some(run)) if run.status == RunStatus::Done => {
                note_success(key.period, run.finished_at.unwrap_or(run.started_at));
                return Outcome::Done;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(
                    period,
                    causes = causes(&error),
                    "it cannot be known whether a ranking is due"
                );
                count(key.period, "failed");
                return Outcome::Open;
            }
        }
        let lock = LockName::of("ranking", period);
        let work = |held| self.attempts(key, held, stop);
        match exclusively(self.locks.as_ref(), &lock, LEASE, work).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                count(key.period, "skipped");
                Outcome::Open
            }
            Err(error) => {
                tracing::warn!(period, causes = causes(&error), "a ranking waits for its lock");
                count(key.period, "failed");
                Outcome::Open
            }
        }
    }

    /// Tries a run until it is done, with growing pauses.
    async fn attempts(&self, key: RunKey, held: Held, stop: &CancellationToken) -> Outcome {
        let (period, day) = (key.period.as_str(), key.day.to_string());
        let mut pauses = PAUSES.into_iter();
        loop {
            // A ranking without the last few views is better than none.
            let stored = store_views(self.counter.as_ref(), self.store.as_ref(), self.clock.as_ref()).await;
            if let Err(error) = stored {
                tracing::warn!(
                    period,
                    day,
                    causes = causes(&error),
                    "a ranking does without the views that wait"
                );
            }
            match self.batch.attempt(key, held.fence).await {
                Ok(RunOutcome::Done { ranked, attempt }) => {
                    tracing::info!(period, day, attempt, ranked, "a ranking is published");
                    count(key.period, "done");
                    note_success(key.period, self.clock.now());
                    self.show().await;
                    return Outcome::Done;
                }
                Ok(RunOutcome::NotOurs) => {
                    count(key.period, "skipped");
                    return Outcome::Open;
                }
                Err(error) => {
                    tracing::warn!(period, day, causes = causes(&error), "a ranking failed");
                    count(key.period, "failed");
                }
            }
            let Some(rest) = pauses.next() else { return Outcome::Failed };
            tokio::select! {
                () = held.lost.cancelled() => return Outcome::Open,
                () = pause(stop, rest) => {}
            }
            if stop.is_cancelled() {
                return Outcome::Open;
            }
        }
    }

    /// Makes readers see a new ranking, and does what can wait.
    async fn show(&self) {
        self.popular.forget().await;
        for period in Period::ALL {
            if let Err(error) = self.popular.published(period).await {
                let period = period.as_str();
                tracing::warn!(period, causes = causes(&error), "a ranking is not in the cache yet");
            }
        }
        if let Err(error) = self.batch.tidy().await {
            tracing::warn!(causes = causes(&error), "names of stored views cannot be forgotten yet");
        }
    }
}

fn count(period: Period, outcome: &'static str) {
    metrics::counter!("jumun_ranking_runs_total", "period" => period.as_str(), "outcome" => outcome)
        .increment(1);
}

fn note_success(period: Period, at: Timestamp) {
    let gauge = metrics::gauge!("jumun_ranking_last_success_timestamp_seconds", "period" => period.as_str());
    gauge.set((at - Timestamp::UNIX_EPOCH).as_seconds_f64());
}

/// Rests, unless it is time to stop.
async fn pause(stop: &CancellationToken, rest: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(rest) => {}
    }
}

#[cfg(test)]
mod tests;
