//! What goes on in the background: events are delivered, old keys and sessions removed.

use std::sync::Arc;
use std::time::Duration;

use checkout::KeyJanitor;
use checkout::outbox::{Dispatcher, OutboxQueue};
use kernel::{Clock, causes};
use tokio_util::sync::CancellationToken;
use user::SessionJanitor;

/// How long the outbox rests when nothing is due.
const IDLE: Duration = Duration::from_millis(200);
/// How long it rests when the database does not answer.
const TROUBLED: Duration = Duration::from_secs(2);
/// How often old keys are removed.
const PURGE: Duration = Duration::from_mins(1);

/// The background work of one process. Any number of processes may do it at once.
pub struct Worker {
    /// Delivers events.
    pub dispatcher: Dispatcher,
    /// Removes keys that have had their time.
    pub janitor: Arc<dyn KeyJanitor>,
    /// Removes what sessions and logins leave behind.
    pub sessions: Arc<dyn SessionJanitor>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Worker {
    /// Works until `stop` is cancelled; what was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(self.deliver(&stop), self.purge(&stop), self.purge_sessions(&stop));
    }

    async fn deliver(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let rest = match self.dispatcher.run_once().await {
                Ok(0) => IDLE,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(causes = causes(&error), "outbox cannot be worked off");
                    TROUBLED
                }
            };
            pause(stop, rest).await;
        }
    }

    async fn purge(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.janitor.purge(self.clock.now()).await {
                Ok(0) => pause(stop, PURGE).await,
                Ok(purged) => tracing::info!(purged, "expired idempotency keys removed"),
                Err(error) => {
                    tracing::warn!(causes = causes(&error), "expired idempotency keys cannot be removed");
                    pause(stop, PURGE).await;
                }
            }
        }
    }

    async fn purge_sessions(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            match self.sessions.purge_sessions(self.clock.now()).await {
                Ok(0) => pause(stop, PURGE).await,
                Ok(purged) => tracing::info!(purged, "what sessions and logins left behind removed"),
                Err(error) => {
                    tracing::warn!(causes = causes(&error), "expired sessions cannot be removed");
                    pause(stop, PURGE).await;
                }
            }
        }
    }
}

/// Measures how full the outbox is and how far it lags behind; nothing where the database does not answer.
pub async fn measure_outbox(queue: &dyn OutboxQueue, clock: &dyn Clock) {
    if let Ok(level) = queue.level().await {
        let lag = level.oldest.map_or(0.0, |oldest| (clock.now() - oldest).as_seconds_f64().max(0.0));
        metrics::gauge!("jumun_outbox_lag_seconds").set(lag);
        metrics::gauge!("jumun_outbox_waiting").set(to_gauge(level.waiting));
        metrics::gauge!("jumun_outbox_dead").set(to_gauge(level.dead));
    }
}

/// Rests, unless it is time to stop.
async fn pause(stop: &CancellationToken, rest: Duration) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(rest) => {}
    }
}

/// A gauge is a float; counts beyond 2^53 do not occur.
#[expect(clippy::cast_precision_loss, reason = "counts of events stay far below 2^53")]
fn to_gauge(count: u64) -> f64 {
    count as f64
}
