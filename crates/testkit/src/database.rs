//! Databases that live as long as one test.

use std::sync::Arc;
use std::time::Duration;

use kernel::{BusinessZone, IdGenerator};
use local::SystemIds;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr, ExecResult};
use storage::{Database, DatabaseSettings, PersonalDataKey};
use tempfile::TempDir;

/// The variable that names a MySQL server on which tests may make databases; `with-services` sets it.
pub(crate) const MYSQL_URL: &str = "JUMUN_TEST_MYSQL_URL";

/// The kinds of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A file in a temporary folder.
    Sqlite,
    /// A database of its own on the server that `JUMUN_TEST_MYSQL_URL` names.
    MySql,
}

impl Backend {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::MySql];

    /// Returns the name in the list of tests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::MySql => "mysql",
        }
    }

    /// Tells whether it can be reached here.
    pub fn is_available(self) -> bool {
        self == Self::Sqlite || std::env::var(MYSQL_URL).is_ok()
    }
}

/// A migrated, empty database for one test.
pub struct TestDatabase {
    /// Its kind.
    pub backend: Backend,
    /// Its address, for a second pool or another process.
    pub url: String,
    /// The adapter under test.
    pub database: Database,
    server: Option<DatabaseConnection>,
    name: String,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// The byte of which the key for personal data consists.
    pub const PERSONAL_DATA_KEY: u8 = 7;

    /// Makes a database.
    ///
    /// # Panics
    /// When it cannot be made: then the test has failed.
    pub async fn create(backend: Backend) -> Self {
        let name = format!("jumun_test_{}", SystemIds.uuid().simple());
        let (url, server, folder) = match backend {
            Backend::Sqlite => {
                let folder = TempDir::new().expect("a temporary folder");
                let file = folder.path().join("jumun.db");
                (format!("sqlite://{}?mode=rwc", file.display()), None, Some(folder))
            }
            Backend::MySql => {
                let base = std::env::var(MYSQL_URL).expect("JUMUN_TEST_MYSQL_URL names a MySQL server");
                let server = connect(&base).await.expect("the MySQL server answers");
                server.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
                (format!("{base}/{name}"), Some(server), None)
            }
        };
        let database = Self::open(&url, 16).await;
        database.migrate().await.expect("the migrations apply");
        Self { backend, url, database, server, name, _folder: folder }
    }

    /// Opens the database once more, as another instance would.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn open(url: &str, max_connections: u32) -> Database {
        Self::open_in(url, max_connections, BusinessZone::default()).await
    }

    /// Opens the database once more, for a business in another zone.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn open_in(url: &str, max_connections: u32, business_zone: BusinessZone) -> Database {
        let settings = DatabaseSettings {
            url: url.to_owned(),
            max_connections,
            key_lifetime: Duration::from_hours(24),
            personal_data_key: PersonalDataKey::new([Self::PERSONAL_DATA_KEY; 32]),
            previous_personal_data_key: None,
            business_zone,
        };
        Database::connect(settings, Arc::new(SystemIds)).await.expect("the database answers")
    }

    /// Opens the database once more, as an instance would that encrypts personal data with other keys, each
    /// of which is a byte again and again.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn open_under(&self, key: u8, previous: Option<u8>) -> Database {
        let settings = DatabaseSettings {
            url: self.url.clone(),
            max_connections: 8,
            key_lifetime: Duration::from_hours(24),
            personal_data_key: PersonalDataKey::new([key; 32]),
            previous_personal_data_key: previous.map(|key| PersonalDataKey::new([key; 32])),
            business_zone: BusinessZone::default(),
        };
        Database::connect(settings, Arc::new(SystemIds)).await.expect("the database answers")
    }

    /// Runs a statement past the adapter, as an administrator with a shell would.
    ///
    /// # Panics
    /// When the statement fails.
    pub async fn execute(&self, sql: &str) -> ExecResult {
        let connection = connect(&self.url).await.expect("the database answers");
        let done = connection.execute_unprepared(sql).await.expect("the statement runs");
        connection.close().await.expect("the connection closes");
        done
    }

    /// Opens a plain connection to the database.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        connect(&self.url).await
    }

    /// Removes the database.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn remove(self) -> Result<(), DbErr> {
        self.database.close().await?;
        if let Some(server) = self.server {
            server.execute_unprepared(&format!("DROP DATABASE {}", self.name)).await?;
            server.close().await?;
        }
        Ok(())
    }
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await
}
