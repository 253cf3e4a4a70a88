//! Connections: one pool on MySQL; one writer and several readers on SQLite (ADR-026).

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use guards::Guard;
use kernel::{BusinessZone, IdGenerator};
use sea_orm::{ConnectOptions, DatabaseBackend, DatabaseConnection, DbErr};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor};
use thiserror::Error;

use crate::PersonalDataKey;
use crate::personal_data::Cipher;
use crate::reads::Reads;

/// How to reach a database and how much to ask of it.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite://…` or `mysql://…`.
    pub url: String,
    /// The most connections at a time.
    pub max_connections: u32,
    /// How long idempotency keys live.
    pub key_lifetime: Duration,
    /// What personal data is encrypted with.
    pub personal_data_key: PersonalDataKey,
    /// What else personal data may be encrypted with, while keys are rotated (ADR-036).
    pub previous_personal_data_key: Option<PersonalDataKey>,
    /// The zone whose days the daily sums are of.
    pub business_zone: BusinessZone,
}

/// Shows neither keys nor the address, which may have a password in it.
impl fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("max_connections", &self.max_connections)
            .field("key_lifetime", &self.key_lifetime)
            .field("business_zone", &self.business_zone)
            .finish_non_exhaustive()
    }
}

/// Why a database cannot be used.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The address is of another kind.
    #[error("the database address must begin with sqlite:// or mysql://")]
    UnknownScheme,
    /// The address cannot be read.
    #[error("the database address is not valid")]
    InvalidAddress(#[source] sqlx::Error),
    /// The folder of the file cannot be made.
    #[error("the folder of the database file cannot be made")]
    Folder(#[source] std::io::Error),
    /// The database does not answer.
    #[error("the database does not answer")]
    Database(#[source] DbErr),
}

/// How a pool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that are at work.
    pub busy: u32,
    /// Connections that wait for work.
    pub idle: u32,
    /// The most there can be.
    pub max: u32,
}

/// A database, and with it every port that storage implements.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) writer: DatabaseConnection,
    pub(crate) reader: Reads,
    pub(crate) backend: DatabaseBackend,
    pub(crate) settings: DatabaseSettings,
    pub(crate) cipher: Arc<Cipher>,
}

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the guard of a returned connection waits for its ROLLBACK.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was idle for longer is tried before it is handed out.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(30);
/// How many statements a connection keeps prepared. A server takes 16,382 by default, of all connections of all
/// instances together.
const STATEMENTS_A_CONNECTION: usize = 200;
/// How long SQLite's writer waits for the writer of another process.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// When the address is wrong or nobody answers there.
    pub async fn connect(
        settings: DatabaseSettings,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, ConnectError> {
        let (writer, reader, backend) = if settings.url.starts_with("mysql://") {
            let pool = connect_mysql(&settings).await?;
            (pool.clone(), pool, DatabaseBackend::MySql)
        } else if settings.url.starts_with("sqlite:") {
            make_folder(&settings.url)?;
            let readers = settings.max_connections.clamp(1, 8);
            let writer = connect_sqlite(&settings.url, 1).await.map_err(ConnectError::Database)?;
            let reader = connect_sqlite(&settings.url, readers).await.map_err(ConnectError::Database)?;
            (writer, reader, DatabaseBackend::Sqlite)
        } else {
            return Err(ConnectError::UnknownScheme);
        };
        let previous = settings.previous_personal_data_key.as_ref();
        let cipher = Arc::new(Cipher::new(&settings.personal_data_key, previous, ids));
        Ok(Self { writer, reader: Reads::new(reader), backend, settings, cipher })
    }

    /// Closes every connection once its work is done.
    ///
    /// # Errors
    /// When a pool cannot be closed.
    pub async fn close(self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close().await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.reader.ping().await
    }

    /// Returns how the pool of writers stands.
    pub fn pool_state(&self) -> PoolState {
        let (size, idle, max) = if self.has_row_locks() {
            let pool = self.writer.get_mysql_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        } else {
            let pool = self.writer.get_sqlite_connection_pool();
            (pool.size(), pool.num_idle(), pool.options().get_max_connections())
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX);
        PoolState { busy: size.saturating_sub(idle), idle, max }
    }

    /// Tells whether statements can ask for row locks; SQLite has one writer instead.
    pub(crate) fn has_row_locks(&self) -> bool {
        self.backend == DatabaseBackend::MySql
    }
}

/// Returns options that connect to MySQL at `url`.
///
/// What sea-orm is told it logs (at `trace`), a password included. So it is told a name, and the rest past it.
///
/// # Errors
/// When the address cannot be read.
pub(crate) fn mysql_options(url: &str, connections: u32) -> Result<ConnectOptions, sqlx::Error> {
    let address = MySqlConnectOptions::from_str(url)?;
    let address = address.statement_cache_capacity(STATEMENTS_A_CONNECTION).disable_statement_logging();
    let mut options = pool_options("mysql://database", connections);
    options.map_sqlx_mysql_opts(move |_| address.clone());
    Ok(options)
}

async fn connect_mysql(settings: &DatabaseSettings) -> Result<DatabaseConnection, ConnectError> {
    let options = mysql_options(&settings.url, settings.max_connections);
    let mut options = options.map_err(ConnectError::InvalidAddress)?;
    options.map_sqlx_mysql_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            Box::pin(async move {
                // Set once here: a session variable that is set later stays with the connection.
                connection
                    .execute(
                        "SET SESSION transaction_isolation = 'READ-COMMITTED', \
                         innodb_lock_wait_timeout = 3, max_execution_time = 10000",
                    )
                    .await?;
                Ok(())
            })
        })
        .after_release(|connection, _| Box::pin(roll_back_leftovers(connection)))
    });
    sea_orm::Database::connect(options).await.map_err(ConnectError::Database)
}

/// Makes sure that a connection goes back to the pool without a transaction that a cancelled future
/// left open, and that one whose peer fell silent does not go back at all.
///
/// The latter is closed with a goodbye, never with an error: after an error sqlx 0.9 flushes what has
/// nothing to flush, which over TLS waits for a word of the server that never comes, and the pool has
/// lost the connection's place for ever.
#[expect(
    clippy::disallowed_methods,
    reason = "the guard itself: the connection is closed when the time is up"
)]
async fn roll_back_leftovers(connection: &mut sqlx::MySqlConnection) -> Result<bool, sqlx::Error> {
    if !Guard::RollbackOnRelease.stands() {
        return Ok(true);
    }
    let rolled_back = tokio::time::timeout(RELEASE_TIMEOUT, connection.execute("ROLLBACK")).await;
    let usable = matches!(rolled_back, Ok(Ok(_)));
    if !usable {
        tracing::warn!(?rolled_back, "connection given up, its borrower left in the middle of a statement");
    }
    Ok(usable)
}

async fn connect_sqlite(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = pool_options(url, connections);
    options.min_connections(1);
    options.map_sqlx_sqlite_opts(|options| {
        options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .statement_cache_capacity(STATEMENTS_A_CONNECTION)
    });
    options.acquire_timeout(SQLITE_BUSY_TIMEOUT);
    sea_orm::Database::connect(options).await
}

fn pool_options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(TEST_AFTER_IDLE)
        .sqlx_logging(false);
    options
}

fn make_folder(url: &str) -> Result<(), ConnectError> {
    let options = SqliteConnectOptions::from_str(url).map_err(ConnectError::InvalidAddress)?;
    match options.get_filename().parent() {
        Some(folder) if folder != Path::new("") => {
            std::fs::create_dir_all(folder).map_err(ConnectError::Folder)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sea-orm prints them at `trace`.
    #[test]
    fn options_print_without_the_password() {
        let options = mysql_options("mysql://shop:hush@db/jumun", 7).unwrap();
        assert!(!format!("{options:?}").contains("hush"), "{options:?}");
    }

    #[test]
    fn settings_print_without_their_secrets() {
        let settings = DatabaseSettings {
            url: "mysql://shop:hush@db/jumun".to_owned(),
            max_connections: 7,
            key_lifetime: Duration::from_hours(24),
            personal_data_key: PersonalDataKey::new([7; 32]),
            previous_personal_data_key: None,
            business_zone: BusinessZone::default(),
        };
        let printed = format!("{settings:?} {settings:#?}");
        assert!(printed.contains("max_connections: 7") && !printed.contains("hush"), "{printed}");
    }
}
