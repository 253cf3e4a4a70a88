//! Reads outside of transactions, which run to their end on the main runtime (ADR-016).

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, ExecResult, QueryResult, RuntimeErr,
    Statement,
};
use tokio::runtime::Handle;

/// Runs statements on a pool, each in a task of the runtime that it was made on.
///
/// A connection lives and dies with the runtime on which it was opened. A worker of the HTTP server has a
/// runtime of its own, which ends with the worker while others still need the connection; and a read in a
/// task of its own is not left half-way by a client that goes away.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    pool: DatabaseConnection,
    runtime: Handle,
}

impl Reads {
    /// After this time a caller is told that the database is not to be had: longer than the ten seconds that
    /// a read may take and the two that it waits for a connection, so that only a silent database takes it.
    const LONGEST_WAIT: Duration = Duration::from_secs(15);

    /// Runs reads of this pool on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn new(pool: DatabaseConnection) -> Self {
        Self { pool, runtime: Handle::current() }
    }

    /// Returns the pool itself, for those who see to the runtime themselves.
    pub(crate) fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.run(|pool| async move { pool.ping().await }).await
    }

    /// Closes every connection once its work is done.
    ///
    /// # Errors
    /// When the pool cannot be closed.
    pub(crate) async fn close(self) -> Result<(), DbErr> {
        self.pool.close().await
    }

    /// Runs work with the pool to its end, even if its caller goes away or stops waiting.
    async fn run<T, F>(&self, work: impl FnOnce(DatabaseConnection) -> F) -> Result<T, DbErr>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, DbErr>> + Send + 'static,
    {
        let task = self.runtime.spawn(work(self.pool.clone()));
        tokio::select! {
            done = task => done.map_err(|error| DbErr::Custom(error.to_string()))?,
            () = tokio::time::sleep(Self::LONGEST_WAIT) => Err(silent()),
        }
    }
}

/// What a caller is told whom the database does not answer.
fn silent() -> DbErr {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the database has not answered in time");
    DbErr::Query(RuntimeErr::SqlxError(sqlx::Error::Io(error).into()))
}

#[async_trait]
impl ConnectionTrait for Reads {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(|pool| async move { pool.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        self.run(|pool| async move { pool.execute_unprepared(&sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.run(|pool| async move { pool.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.run(|pool| async move { pool.query_all_raw(statement).await }).await
    }
}

#[cfg(test)]
mod tests {
    use kernel::StoreError;

    use super::*;
    use crate::error::database;

    #[tokio::test(start_paused = true)]
    async fn a_reader_whom_the_database_does_not_answer_is_told_so() {
        let reads = Reads::new(sea_orm::DatabaseConnection::default());
        let begun = tokio::time::Instant::now();
        let result = reads.run::<(), _>(|_| std::future::pending()).await;
        assert_eq!(begun.elapsed(), Reads::LONGEST_WAIT);
        assert!(matches!(result.map_err(database), Err(StoreError::Unavailable(_))));
    }
}
