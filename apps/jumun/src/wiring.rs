//! Which adapter serves which port. Nothing else in the program knows.

use std::sync::Arc;
use std::thread::available_parallelism;

use async_trait::async_trait;
use checkout::outbox::{Dispatcher, EventSink, OutboxQueue};
use checkout::{Checkout, KeyJanitor, TransactionRunner};
use data_platform::{DataPlatformClient, SetupError, TimeLimits};
use kernel::{BusinessZone, Clock, IdGenerator};
use local::{CachedCatalog, CachedDirectory, SystemClock, SystemIds};
use secrecy::SecretString;
use storage::{ConnectError, Database, DatabaseSettings, PersonalDataKey};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use url::Url;
use user::HashCost;

use crate::http::{Authentication, Readiness, Services};
use crate::settings::Settings;
use crate::telemetry;
use crate::worker::Worker;

/// The program put together: one database with everything on top of it.
#[derive(Clone)]
pub struct Wiring {
    /// The database.
    pub database: Database,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn IdGenerator>,
    /// The transactions.
    pub runner: TransactionRunner,
    /// The use cases.
    pub checkout: Checkout,
    /// What has been begun and must be finished before the process ends.
    pub tasks: TaskTracker,
}

impl Wiring {
    /// Connects to the database that the settings name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect(settings: &Settings) -> Result<Self, ConnectError> {
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds);
        let zone = BusinessZone::new(settings.business_zone);
        let database_settings = DatabaseSettings {
            url: settings.database_url.expose().to_owned(),
            max_connections: settings.database_max_connections,
            key_lifetime: settings.idempotency_ttl,
            personal_data_key: PersonalDataKey::new(*settings.pii_key.expose()),
            business_zone: zone,
        };
        let database = Database::connect(database_settings, ids.clone()).await?;
        Ok(Self::on(database, zone))
    }

    /// Puts everything on top of a database.
    pub fn on(database: Database, zone: BusinessZone) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds);
        let tasks = TaskTracker::new();
        let unit_of_work = Arc::new(database.clone());
        let runner = TransactionRunner::new(unit_of_work, ids.clone(), Handle::current(), tasks.clone());
        let checkout = Checkout::new(runner.clone(), clock.clone(), ids.clone(), zone);
        Self { database, clock, ids, runner, checkout, tasks }
    }

    /// Returns what the HTTP handlers work with.
    pub fn services(&self, hash_cost: HashCost) -> Services {
        let database = Arc::new(self.database.clone());
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        Services {
            checkout: self.checkout.clone(),
            runner: self.runner.clone(),
            catalog: Arc::new(CachedCatalog::new(database.clone())),
            wallets: database.clone(),
            orders: database.clone(),
            users: Arc::new(CachedDirectory::new(database.clone())),
            outbox: database.clone(),
            auditor: database.clone(),
            dependencies: vec![Arc::new(DatabaseReadiness(self.database.clone()))],
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            authentication: Authentication::Header,
            metrics: telemetry::metrics_recorder(),
            hash_cost,
            hashing: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Returns the worker that delivers events to the data platform at `base` and keeps the house clean.
    ///
    /// # Errors
    /// When the address or the secret cannot be used.
    pub fn worker(&self, base: Url, secret: &SecretString) -> Result<Worker, SetupError> {
        let client = DataPlatformClient::new(
            base,
            secret,
            TimeLimits::default(),
            self.clock.clone(),
            self.ids.clone(),
        )?;
        let database = Arc::new(self.database.clone());
        let queue: Arc<dyn OutboxQueue> = database.clone();
        let sink: Arc<dyn EventSink> = Arc::new(client);
        let janitor: Arc<dyn KeyJanitor> = database;
        let dispatcher = Dispatcher::new(queue, sink, self.clock.clone(), self.ids.clone());
        Ok(Worker { dispatcher, janitor, clock: self.clock.clone() })
    }
}

struct DatabaseReadiness(Database);

#[async_trait]
impl Readiness for DatabaseReadiness {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn is_ready(&self) -> bool {
        self.0.ping().await.is_ok()
    }
}
