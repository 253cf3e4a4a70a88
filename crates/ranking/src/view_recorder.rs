//! Views on their way to the counter.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::NaiveDate;
use kernel::{ProductId, StoreError};

use crate::{DailyViews, ViewCounter};

/// Counts views in memory, so that whoever looks at a product never waits for the counter that all
/// instances share.
///
/// What is recorded between two flushes, a second apart, is lost when the process dies. A view is worth
/// that; an answer that waits for Redis is not (ADR-032).
#[derive(Debug)]
pub struct ViewRecorder {
    counts: Mutex<Counts>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: BTreeMap<(NaiveDate, ProductId), u32>,
    lost: u64,
}

/// What became of the views since the last flush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// How many the counter has.
    pub added: u64,
    /// How many are lost: there was no room for them, or nobody knows whether the counter has them.
    pub lost: u64,
    /// How many wait for the next flush.
    pub waiting: u64,
}

/// Room for so many products and days is enough for a catalogue of a million at its busiest second, and
/// for minutes without a counter; beyond it products that are not in it yet are not counted.
const CAPACITY: usize = 100_000;

impl Default for ViewRecorder {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl ViewRecorder {
    /// Makes a recorder with room for so many products and days.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { counts: Mutex::default(), capacity }
    }

    /// Counts a view. Never waits for anything but a map in memory.
    pub fn record(&self, product_id: ProductId, day: NaiveDate) {
        self.lock().add((day, product_id), 1, self.capacity);
    }

    /// Hands what was recorded to the counter.
    ///
    /// If the counter is unavailable the views are kept for the next time. If it is not known whether it
    /// has them they are lost: a view that is missing does less harm than one that is counted twice.
    /// Returns the report, and the failure if there was one. Whoever drops the future loses the views
    /// that it has taken.
    pub async fn flush(&self, counter: &dyn ViewCounter) -> (FlushReport, Option<StoreError>) {
        let taken = std::mem::take(&mut *self.lock());
        let mut report = FlushReport { lost: taken.lost, ..FlushReport::default() };
        let views: Vec<DailyViews> = taken
            .waiting
            .iter()
            .map(|(&(day, product_id), &count)| DailyViews { day, product_id, count })
            .collect();
        if views.is_empty() {
            return (report, None);
        }
        let total = views.iter().map(|views| u64::from(views.count)).sum();
        let failure = counter.add(&views).await.err();
        match failure {
            None => report.added = total,
            Some(StoreError::Unavailable(_)) => {
                let mut counts = self.lock();
                for (key, count) in taken.waiting {
                    counts.add(key, count, self.capacity);
                }
                report.waiting = counts.waiting.values().map(|count| u64::from(*count)).sum();
            }
            Some(_) => report.lost += total,
        }
        (report, failure)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, key: (NaiveDate, ProductId), count: u32, capacity: usize) {
        let full = self.waiting.len() >= capacity;
        match self.waiting.get_mut(&key) {
            Some(waiting) => *waiting = waiting.saturating_add(count),
            None if full => self.lost += u64::from(count),
            None => {
                self.waiting.insert(key, count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use kernel::{ProductId, StoreError};
    use uuid::Uuid;

    use super::*;
    use crate::{ViewBatch, ViewBatchId};

    /// A counter that answers as it is told.
    #[derive(Default)]
    struct Counter {
        added: Mutex<Vec<DailyViews>>,
        failure: Mutex<Option<StoreError>>,
    }

    #[async_trait]
    impl ViewCounter for Counter {
        async fn add(&self, views: &[DailyViews]) -> Result<(), StoreError> {
            if let Some(failure) = self.failure.lock().unwrap().take() {
                return Err(failure);
            }
            self.added.lock().unwrap().extend_from_slice(views);
            Ok(())
        }

        async fn take(&self) -> Result<Option<ViewBatch>, StoreError> {
            Ok(None)
        }

        async fn confirm(&self, _: ViewBatchId) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn product(number: u128) -> ProductId {
        ProductId::from_uuid(Uuid::from_u128(number))
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn views_are_added_up_by_product_and_day() {
        let (recorder, counter) = (ViewRecorder::default(), Counter::default());
        let (monday, tuesday) = (day("2026-03-02"), day("2026-03-03"));
        for (number, day) in [(2, monday), (1, tuesday), (2, monday), (1, monday), (2, monday)] {
            recorder.record(product(number), day);
        }
        let (report, failure) = recorder.flush(&counter).await;
        assert_eq!((report, failure.is_none()), (FlushReport { added: 5, lost: 0, waiting: 0 }, true));
        let added = [(monday, 1, 1), (monday, 2, 3), (tuesday, 1, 1)]
            .map(|(day, number, count)| DailyViews { day, product_id: product(number), count });
        assert_eq!(*counter.added.lock().unwrap(), added);
        assert_eq!(recorder.flush(&counter).await.0, FlushReport::default());
    }

    #[tokio::test]
    async fn views_wait_for_a_counter_that_is_unavailable() {
        let (recorder, counter) = (ViewRecorder::default(), Counter::default());
        recorder.record(product(1), day("2026-03-02"));
        *counter.failure.lock().unwrap() = Some(StoreError::Unavailable("down".into()));
        let (report, failure) = recorder.flush(&counter).await;
        assert_eq!(report, FlushReport { added: 0, lost: 0, waiting: 1 });
        assert!(matches!(failure, Some(StoreError::Unavailable(_))));
        recorder.record(product(1), day("2026-03-02"));
        assert_eq!(recorder.flush(&counter).await.0, FlushReport { added: 2, lost: 0, waiting: 0 });
    }

    #[tokio::test]
    async fn views_that_may_have_been_counted_are_not_counted_again() {
        let (recorder, counter) = (ViewRecorder::default(), Counter::default());
        recorder.record(product(1), day("2026-03-02"));
        *counter.failure.lock().unwrap() = Some(StoreError::OutcomeUnknown("no answer".into()));
        assert_eq!(recorder.flush(&counter).await.0, FlushReport { added: 0, lost: 1, waiting: 0 });
        assert_eq!(recorder.flush(&counter).await.0, FlushReport::default());
        assert!(counter.added.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_full_recorder_counts_what_it_knows_and_tells_what_it_lost() {
        let (recorder, counter) = (ViewRecorder::with_capacity(1), Counter::default());
        for number in [1, 2, 1, 3] {
            recorder.record(product(number), day("2026-03-02"));
        }
        assert_eq!(recorder.flush(&counter).await.0, FlushReport { added: 2, lost: 2, waiting: 0 });
    }

    #[tokio::test]
    async fn no_view_is_lost_among_many_callers() {
        let (recorder, counter) = (Arc::new(ViewRecorder::default()), Counter::default());
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let recorder = recorder.clone();
                std::thread::spawn(move || {
                    for number in 0..1_000 {
                        recorder.record(product(number % (caller + 2)), day("2026-03-02"));
                    }
                })
            })
            .collect();
        let mut added = 0;
        while callers.iter().any(|caller| !caller.is_finished()) {
            added += recorder.flush(&counter).await.0.added;
        }
        for caller in callers {
            caller.join().unwrap();
        }
        added += recorder.flush(&counter).await.0.added;
        assert_eq!(added, 4_000);
    }
}
