//! Views on their way: from memory to the counter each second, from the counter to the database.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, causes};
use ranking::{PopularityStore, ViewCounter, ViewRecorder, store_views};
use tokio_util::sync::CancellationToken;

/// How often what this process has recorded is handed to the counter: so much is lost in a crash.
const FLUSH: Duration = Duration::from_secs(1);
/// How often what the counter has is stored.
const STORE: Duration = Duration::from_secs(10);

/// Moves views along. Any number of processes may do it at once.
pub struct ViewUpkeep {
    /// What this process has recorded.
    pub recorder: Arc<ViewRecorder>,
    /// What all processes have counted.
    pub counter: Arc<dyn ViewCounter>,
    /// Where views are kept.
    pub store: Arc<dyn PopularityStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ViewUpkeep {
    /// Works until `stop` is cancelled, and then once more, so that an orderly end loses nothing.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.flush_again_and_again(&stop), self.store_again_and_again(&stop));
        self.flush(&mut false).await;
        self.store(&mut false).await;
    }

    async fn flush_again_and_again(&self, stop: &CancellationToken) {
        let mut failing = false;
        while pause(stop, FLUSH).await {
            self.flush(&mut failing).await;
        }
    }

    async fn store_again_and_again(&self, stop: &CancellationToken) {
        let mut failing = false;
        while pause(stop, STORE).await {
            self.store(&mut failing).await;
        }
    }

    /// Hands on what was recorded. A failure is logged when it begins, not each second while it lasts.
    async fn flush(&self, failing: &mut bool) {
        let (report, failure) = self.recorder.flush(self.counter.as_ref()).await;
        metrics::counter!("jumun_views_total", "outcome" => "counted").increment(report.added);
        metrics::counter!("jumun_views_total", "outcome" => "lost").increment(report.lost);
        if let Some(error) = &failure
            && !*failing
        {
            tracing::warn!(causes = causes(error), waiting = report.waiting, "views cannot be counted");
        }
        *failing = failure.is_some();
    }

    async fn store(&self, failing: &mut bool) {
        let stored = store_views(self.counter.as_ref(), self.store.as_ref(), self.clock.as_ref()).await;
        if let Err(error) = &stored
            && !*failing
        {
            tracing::warn!(causes = causes(error), "counted views cannot be stored yet");
        }
        *failing = stored.is_err();
    }
}

/// Rests, and tells whether to go on.
async fn pause(stop: &CancellationToken, rest: Duration) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(rest) => true,
    }
}
