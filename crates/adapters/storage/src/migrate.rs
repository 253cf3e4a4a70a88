//! Applying the migrations.

use guards::Guard;
use migrations::Migrator;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, RuntimeErr, Statement};
use sea_orm_migration::MigratorTrait;

use crate::Database;
use crate::connect::mysql_options;

/// Instances that start together wait for one another under this name.
const LOCK_NAME: &str = "jumun_migrations";

impl Database {
    /// Applies the migrations that are missing. Several instances may do so at once: on MySQL they take
    /// turns by a named lock, on SQLite by its one writer.
    ///
    /// # Errors
    /// When a migration fails; those before it stay applied.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        if self.backend != DatabaseBackend::MySql {
            Migrator::up(&self.writer, None).await?;
            return remove_unique_key(&self.writer).await;
        }
        // The lock belongs to its connection, so the migrations get one of their own.
        let options = mysql_options(&self.settings.url, 1);
        let options = options.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        let connection = sea_orm::Database::connect(options).await?;
        connection.query_one_raw(lock_statement("SELECT GET_LOCK(?, 60)")).await?;
        let mut migrated = Migrator::up(&connection, None).await;
        if migrated.is_ok() {
            migrated = remove_unique_key(&connection).await;
        }
        connection.query_one_raw(lock_statement("SELECT RELEASE_LOCK(?)")).await?;
        connection.close().await?;
        migrated
    }
}

impl Database {
    /// Returns how many migrations are missing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn missing_migrations(&self) -> Result<usize, DbErr> {
        Migrator::get_pending_migrations(&self.writer).await.map(|missing| missing.len())
    }
}

/// Takes the key of a coupon's holders away where a test does without that guard.
async fn remove_unique_key(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    if Guard::UniqueKey.stands() {
        return Ok(());
    }
    let table =
        if connection.get_database_backend() == DatabaseBackend::MySql { " ON user_coupons" } else { "" };
    connection.execute_unprepared(&format!("DROP INDEX ux_user_coupons_holder{table}")).await.map(|_| ())
}

fn lock_statement(sql: &str) -> Statement {
    Statement::from_sql_and_values(DatabaseBackend::MySql, sql, [LOCK_NAME.into()])
}
