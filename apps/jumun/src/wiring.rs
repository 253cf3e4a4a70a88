//! Which adapter serves which port. Nothing else in the program knows.

use std::sync::Arc;
use std::thread::available_parallelism;

use async_trait::async_trait;
use checkout::outbox::{Dispatcher, EventSink, OutboxQueue};
use checkout::{Checkout, CouponClaims, KeyJanitor, TransactionRunner};
use coordination::ReadThrough;
use data_platform::{DataPlatformClient, SetupError, TimeLimits};
use kernel::{BusinessZone, Clock, IdGenerator};
use local::{CachedCatalog, CachedCoupons, CachedDirectory, SystemClock, SystemIds};
use ranking::{Period, PopularityStore, RankingBatch, ViewRecorder};
use secrecy::SecretString;
use storage::{ConnectError, Database, DatabaseSettings, PersonalDataKey};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use url::Url;
use user::HashCost;

use crate::http::{Authentication, Readiness, Services};
use crate::popular::PopularProducts;
use crate::schedule::RankingScheduler;
use crate::settings::{Schedule, Settings};
use crate::shared::Shared;
use crate::telemetry;
use crate::views::ViewUpkeep;
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
    /// What instances share.
    pub shared: Shared,
    /// The popular products.
    pub popular: PopularProducts,
    /// What has been begun and must be finished before the process ends.
    pub tasks: TaskTracker,
}

impl Wiring {
    /// Connects to the database that the settings name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn connect(settings: &Settings, shared: Shared) -> Result<Self, ConnectError> {
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
        Ok(Self::with_shared(database, zone, shared))
    }

    /// Puts everything on top of a database, for one instance.
    pub fn on(database: Database, zone: BusinessZone) -> Self {
        Self::with_shared(database, zone, Shared::in_process())
    }

    /// Puts everything on top of a database and of what instances share.
    pub fn with_shared(database: Database, zone: BusinessZone, shared: Shared) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds);
        let tasks = TaskTracker::new();
        let unit_of_work = Arc::new(database.clone());
        let runner = TransactionRunner::new(unit_of_work, ids.clone(), Handle::current(), tasks.clone());
        let checkout = Checkout::new(runner.clone(), clock.clone(), ids.clone(), zone);
        let popular = PopularProducts {
            sales: Arc::new(database.clone()),
            store: Arc::new(database.clone()),
            cache: ReadThrough::new(shared.cache.clone(), Handle::current(), tasks.clone()),
            live: PopularProducts::LIVE,
            views: Arc::new(ViewRecorder::default()),
            clock: clock.clone(),
            zone,
        };
        Self { database, clock, ids, runner, checkout, shared, popular, tasks }
    }

    /// Returns the way to read through the cache.
    pub fn read_through(&self) -> ReadThrough {
        ReadThrough::new(self.shared.cache.clone(), Handle::current(), self.tasks.clone())
    }

    /// Returns what the HTTP handlers work with.
    pub fn services(&self, hash_cost: HashCost) -> Services {
        let database = Arc::new(self.database.clone());
        let mut dependencies: Vec<Arc<dyn Readiness>> =
            vec![Arc::new(DatabaseReadiness(self.database.clone()))];
        dependencies.extend(self.shared.readiness());
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let coupons = Arc::new(CachedCoupons::new(database.clone()));
        let claims = CouponClaims::new(
            self.checkout.clone(),
            coupons.clone(),
            self.shared.gate.clone(),
            self.shared.locks.clone(),
        );
        Services {
            checkout: self.checkout.clone(),
            runner: self.runner.clone(),
            catalog: Arc::new(CachedCatalog::new(database.clone(), self.read_through())),
            popular: self.popular.clone(),
            wallets: database.clone(),
            orders: database.clone(),
            coupons,
            claims,
            users: Arc::new(CachedDirectory::new(database.clone())),
            outbox: database.clone(),
            auditor: database.clone(),
            dependencies,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            authentication: Authentication::Header,
            metrics: telemetry::metrics_recorder(),
            hash_cost,
            hashing: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Returns what moves views to the database.
    pub fn view_upkeep(&self) -> ViewUpkeep {
        ViewUpkeep {
            recorder: self.popular.views.clone(),
            counter: self.shared.views.clone(),
            store: self.popular.store.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Returns what publishes the rankings when they are due.
    pub fn ranking_scheduler(&self, daily: Schedule, weekly: Schedule) -> RankingScheduler {
        let store: Arc<dyn PopularityStore> = self.popular.store.clone();
        RankingScheduler {
            batch: RankingBatch::new(store.clone(), self.clock.clone()),
            store,
            counter: self.shared.views.clone(),
            locks: self.shared.locks.clone(),
            popular: self.popular.clone(),
            clock: self.clock.clone(),
            zone: self.popular.zone,
            schedules: vec![(Period::Daily, daily), (Period::Weekly, weekly)],
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
