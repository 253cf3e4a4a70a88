//! What goes wrong with a database, and what that means to a caller of a port.

use kernel::{BoxError, StoreError};
use sea_orm::{DbErr, RuntimeErr, SqlErr};
use thiserror::Error;

/// A failure of this adapter.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A row that could never have been written by Jumun.
    #[error("{table}.{column} of {key} is damaged: {reason}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The primary key of the row.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A guarded statement found a row changed in between.
    #[error("a row of {table} changed in between")]
    Stale {
        /// The table.
        table: &'static str,
    },
    /// Personal data could not be encrypted or decrypted.
    #[error("personal data of {key} cannot be read")]
    PersonalData {
        /// The user.
        key: String,
    },
}

/// MySQL's numbers for failures that another attempt may not meet.
mod mysql {
    /// Lock wait timeout exceeded.
    pub(super) const LOCK_WAIT_TIMEOUT: u16 = 1205;
    /// Deadlock found when trying to get lock.
    pub(super) const DEADLOCK: u16 = 1213;
    /// A lock could not be acquired at once and NOWAIT is set.
    pub(super) const LOCK_NOWAIT: u16 = 3572;
    /// Too many connections, prepared statements; server shutdown, read only; connection killed or idle
    /// for too long; a read that took too long.
    pub(super) const UNAVAILABLE: [u16; 10] = [1040, 1053, 1203, 1290, 1317, 1461, 1836, 3024, 3169, 4031];
}

/// SQLite's primary result codes for the same.
mod sqlite {
    /// The database file is locked.
    pub(super) const BUSY: i32 = 5;
    /// A table is locked.
    pub(super) const LOCKED: i32 = 6;
    /// The disk is full, cannot be written, cannot be opened.
    pub(super) const UNAVAILABLE: [i32; 3] = [10, 13, 14];
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Others were in the way, and how.
    Contended(&'static str),
    Unavailable,
    Defect,
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        let meaning = match &error {
            StorageError::Database(error) => meaning(error),
            StorageError::Stale { .. } => Meaning::Contended("stale"),
            StorageError::BadRow { .. } | StorageError::PersonalData { .. } => Meaning::Defect,
        };
        let source: BoxError = Box::new(error);
        match meaning {
            Meaning::Contended(reason) => {
                metrics::counter!("jumun_lock_conflicts_total", "reason" => reason).increment(1);
                Self::Contended(source)
            }
            Meaning::Unavailable => Self::Unavailable(source),
            Meaning::Defect => Self::Internal(source),
        }
    }
}

fn meaning(error: &DbErr) -> Meaning {
    if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
        return Meaning::Contended("duplicate");
    }
    match error {
        DbErr::ConnectionAcquire(_) => Meaning::Unavailable,
        _ => sqlx_error(error).map_or(Meaning::Defect, sqlx_meaning),
    }
}

fn sqlx_meaning(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(_) => match (mysql_number(error), sqlite_code(error)) {
            (Some(mysql::DEADLOCK), _) => Meaning::Contended("deadlock"),
            (Some(mysql::LOCK_WAIT_TIMEOUT), _) => Meaning::Contended("lock_wait"),
            (Some(mysql::LOCK_NOWAIT), _) | (_, Some(sqlite::BUSY | sqlite::LOCKED)) => {
                Meaning::Contended("locked")
            }
            (Some(number), _) if mysql::UNAVAILABLE.contains(&number) => Meaning::Unavailable,
            (_, Some(code)) if sqlite::UNAVAILABLE.contains(&code) => Meaning::Unavailable,
            _ => Meaning::Defect,
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Meaning::Unavailable,
        _ => Meaning::Defect,
    }
}

/// Tells whether a lock was held by somebody else and the statement did not want to wait.
pub(crate) fn is_locked(error: &DbErr) -> bool {
    sqlx_error(error).and_then(mysql_number) == Some(mysql::LOCK_NOWAIT)
}

/// Tells what a failed COMMIT means: an answer of the server says that nothing was done, a broken
/// connection says nothing at all.
pub(crate) fn commit_failed(error: DbErr) -> StoreError {
    let answered = matches!(sqlx_error(&error), Some(sqlx::Error::Database(_)));
    if answered { StorageError::Database(error).into() } else { StoreError::OutcomeUnknown(Box::new(error)) }
}

/// Turns a violated unique key into [`StoreError::Duplicate`] where that is the caller's doing.
pub(crate) fn duplicate_of(error: DbErr, what: &'static str) -> StoreError {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => StoreError::Duplicate(what),
        _ => StorageError::Database(error).into(),
    }
}

/// Wraps a failure of the database for a port.
pub(crate) fn database(error: DbErr) -> StoreError {
    StorageError::Database(error).into()
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn mysql_number(error: &sqlx::Error) -> Option<u16> {
    let sqlx::Error::Database(error) = error else { return None };
    error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

/// Returns the primary result code, the low byte of SQLite's extended code.
fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    let sqlx::Error::Database(error) = error else { return None };
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    error.code()?.parse::<i32>().ok().map(|code| code & 0xff)
}
