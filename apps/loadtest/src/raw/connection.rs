//! A connection to either database, set up as the service sets up its own.

use std::str::FromStr;
use std::sync::Arc;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, MySqlConnection, SqliteConnection};
use uuid::Uuid;

use super::statement::{Dialect, Statement, Value};

/// A connection.
#[derive(Debug)]
pub(crate) enum Connection {
    /// To MySQL.
    MySql(MySqlConnection),
    /// To SQLite.
    Sqlite(SqliteConnection),
}

/// An id, a text and three numbers.
pub(crate) type Row = (Uuid, String, i64, i64, i64);

/// How often a transaction is tried that others were in the way of.
const ATTEMPTS: u32 = 5;

/// Sends statements with their values.
macro_rules! send {
    ($connection:expr, $statements:expr) => {
        for statement in $statements {
            let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&statement.sql)));
            for value in &statement.values {
                query = match value {
                    Value::Id(id) => query.bind(id.as_bytes().as_slice()),
                    Value::Int(number) => query.bind(*number),
                    Value::Text(text) => query.bind(text.as_str()),
                };
            }
            query.execute(&mut *$connection).await?;
        }
    };
}

impl Connection {
    /// Connects, without TLS as the service does in the same measurement.
    pub(crate) async fn open(url: &str) -> Result<Self, sqlx::Error> {
        if url.starts_with("mysql:") {
            let options = MySqlConnectOptions::from_str(url)?;
            let options = options.ssl_mode(MySqlSslMode::Disabled).statement_cache_capacity(256);
            let mut connection = options.connect().await?;
            connection.execute("SET SESSION transaction_isolation = 'READ-COMMITTED'").await?;
            return Ok(Self::MySql(connection));
        }
        let options = SqliteConnectOptions::from_str(url)?.journal_mode(SqliteJournalMode::Wal);
        let options = options.synchronous(SqliteSynchronous::Full).foreign_keys(true);
        Ok(Self::Sqlite(options.statement_cache_capacity(256).connect().await?))
    }

    /// Tells which database it is.
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::MySql(_) => Dialect::MySql,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs statements in one transaction, again where others were in the way.
    pub(crate) async fn execute(&mut self, statements: &[Statement]) -> Result<(), sqlx::Error> {
        let mut attempts = 1;
        loop {
            match self.attempt(statements).await {
                Err(error) if attempts < ATTEMPTS && is_conflict(&error) => {
                    attempts += 1;
                    if let Self::MySql(connection) = self {
                        connection.execute("ROLLBACK").await?;
                    }
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(&mut self, statements: &[Statement]) -> Result<(), sqlx::Error> {
        match self {
            Self::MySql(connection) => {
                connection.execute("BEGIN").await?;
                send!(connection, statements);
                connection.execute("COMMIT").await?;
            }
            Self::Sqlite(connection) => {
                connection.execute("BEGIN IMMEDIATE").await?;
                send!(connection, statements);
                connection.execute("COMMIT").await?;
            }
        }
        Ok(())
    }

    /// Runs one statement that has no values.
    pub(crate) async fn command(&mut self, sql: String) -> Result<(), sqlx::Error> {
        match self {
            Self::MySql(connection) => {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            }
            Self::Sqlite(connection) => {
                connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            }
        }
        Ok(())
    }

    /// Reads a number.
    pub(crate) async fn number(&mut self, sql: &'static str) -> Result<u64, sqlx::Error> {
        let number: i64 = match self {
            Self::MySql(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
            Self::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await?,
        };
        Ok(number.try_into().unwrap_or_default())
    }

    /// Reads columns `a` to `e`: an id, a text and three whole numbers.
    pub(crate) async fn rows(&mut self, sql: &'static str) -> Result<Vec<Row>, sqlx::Error> {
        let kind = if self.dialect() == Dialect::MySql { "SIGNED" } else { "INTEGER" };
        let sql = format!(
            "SELECT a, b, CAST(c AS {kind}), CAST(d AS {kind}), CAST(e AS {kind}) FROM ({sql}) rows_read"
        );
        let rows: Vec<(Vec<u8>, String, i64, i64, i64)> = match self {
            Self::MySql(connection) => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?,
            Self::Sqlite(connection) => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?,
        };
        let rows = rows.into_iter().map(|(id, text, a, b, c)| Ok((Uuid::from_slice(&id)?, text, a, b, c)));
        rows.collect::<Result<_, uuid::Error>>().map_err(|error| sqlx::Error::Decode(error.into()))
    }
}

/// Tells whether the transaction only met others in its way: a deadlock or a wait for a lock.
fn is_conflict(error: &sqlx::Error) -> bool {
    let message = error.as_database_error().map(sqlx::error::DatabaseError::message).unwrap_or_default();
    message.contains("Deadlock found") || message.contains("Lock wait timeout")
}
