//! The named transaction runner (ADR-016).

use std::sync::Arc;
use std::time::Duration;

use guards::Guard;
use kernel::{IdGenerator, StoreError};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::backoff::pause_after;
use crate::{Transaction, TransactionScript, UnitOfWork, UseCaseError};

/// Runs scripts, each attempt in a transaction of its own.
///
/// - A script runs in a task of the main runtime, so that a client that goes away cannot stop it half-way.
/// - When others were in the way it runs again, at most [`Self::RETRIES`] times, with a growing and
///   random pause, and not once [`Self::PATIENCE`] is used up.
/// - When the outcome of a commit is unknown it runs again only if the script is repeatable.
#[derive(Clone)]
pub struct TransactionRunner {
    unit_of_work: Arc<dyn UnitOfWork>,
    ids: Arc<dyn IdGenerator>,
    runtime: Handle,
    tasks: TaskTracker,
}

impl TransactionRunner {
    /// How often a script runs again.
    pub const RETRIES: u32 = 3;
    /// After this time a script does not run again.
    pub const PATIENCE: Duration = Duration::from_secs(3);

    /// After this time a caller is told that the outcome is not known: longer than every attempt may wait
    /// for its locks, so that only a database that has fallen silent takes it.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(15);

    /// Makes a runner whose scripts run on `runtime` and are tracked by `tasks`, for a shutdown to wait for.
    pub fn new(
        unit_of_work: Arc<dyn UnitOfWork>,
        ids: Arc<dyn IdGenerator>,
        runtime: Handle,
        tasks: TaskTracker,
    ) -> Self {
        Self { unit_of_work, ids, runtime, tasks }
    }

    /// Runs a script to its end.
    ///
    /// # Errors
    /// What the script rejected, or why it could not be carried out; then nothing has changed, unless
    /// the error is [`StoreError::OutcomeUnknown`].
    pub async fn run<S: TransactionScript>(&self, script: S) -> Result<S::Output, UseCaseError> {
        let runner = self.clone();
        let work = self.to_the_end(async move { runner.run_here(&script).await });
        tokio::select! {
            done = work => done.unwrap_or_else(|error| Err(error.into())),
            // The script goes on; only its caller stops waiting.
            () = tokio::time::sleep(Self::LONGEST_WAIT) => Err(StoreError::OutcomeUnknown(Box::new(NoAnswer)).into()),
        }
    }

    /// Runs other work that must not stop half-way when its caller goes away, such as a port that opens
    /// a transaction of its own.
    ///
    /// # Errors
    /// [`StoreError::Internal`] if the work panics.
    pub async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !Guard::DetachedWork.stands() {
            return Ok(work.await);
        }
        let task = self.runtime.spawn(self.tasks.track_future(work.in_current_span()));
        task.await.map_err(|error| StoreError::Internal(Box::new(error)))
    }

    /// Starts work that nobody waits for; a shutdown does.
    pub fn in_the_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(self.tasks.track_future(work.in_current_span()));
    }

    async fn run_here<S: TransactionScript>(&self, script: &S) -> Result<S::Output, UseCaseError> {
        let begun = Instant::now();
        let mut attempt = 0;
        let mut unknown = false;
        let result = loop {
            let result = self.attempt(script).await;
            let reason = match &result {
                Err(UseCaseError::Failed(StoreError::Contended(error))) => error.to_string(),
                Err(UseCaseError::Failed(StoreError::OutcomeUnknown(error))) if script.repeatable() => {
                    unknown = true;
                    error.to_string()
                }
                _ => break result,
            };
            if attempt == Self::RETRIES || begun.elapsed() >= Self::PATIENCE {
                break result;
            }
            attempt += 1;
            tracing::debug!(name = S::NAME, attempt, reason, "transaction runs again");
            tokio::time::sleep(self.pause(attempt)).await;
        };
        // A later attempt that failed has not found out what became of an earlier one.
        let result = match result {
            Err(UseCaseError::Failed(error))
                if unknown && !matches!(error, StoreError::OutcomeUnknown(_)) =>
            {
                Err(UseCaseError::Failed(StoreError::OutcomeUnknown(Box::new(error))))
            }
            result => result,
        };
        let outcome = match &result {
            Ok(_) => "committed",
            Err(UseCaseError::Rejected(_)) => "rejected",
            Err(UseCaseError::Failed(_)) => "failed",
        };
        metrics::counter!("jumun_transactions_total", "name" => S::NAME, "outcome" => outcome).increment(1);
        metrics::counter!("jumun_transaction_retries_total", "name" => S::NAME).increment(attempt.into());
        metrics::histogram!("jumun_transaction_duration_seconds", "name" => S::NAME).record(begun.elapsed());
        result
    }

    async fn attempt<S: TransactionScript>(&self, script: &S) -> Result<S::Output, UseCaseError> {
        let mut tx = self.unit_of_work.begin().await?;
        match script.execute(tx.as_mut()).await {
            Ok(output) => {
                tx.commit().await?;
                script.committed(&output);
                Ok(output)
            }
            Err(error) => {
                roll_back(tx).await;
                Err(error)
            }
        }
    }

    /// 5, 10, 20 ms, of which a random half to all.
    fn pause(&self, attempt: u32) -> Duration {
        pause_after(attempt, (Duration::from_millis(5), Duration::from_millis(80)), self.ids.random())
    }
}

/// How long an attempt that failed waits for its ROLLBACK. One that is given up is ended by the pool (ADR-016).
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(2);

/// Undoes an attempt before the next one begins, which would otherwise find this one's keys at work.
async fn roll_back(tx: Box<dyn Transaction>) {
    tokio::select! {
        rolled_back = tx.roll_back() => if let Err(error) = rolled_back {
            tracing::debug!(error = &error as &dyn std::error::Error, "a transaction ended before its rollback");
        },
        () = tokio::time::sleep(ROLLBACK_PATIENCE) => {}
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the database has not answered in time")]
struct NoAnswer;
