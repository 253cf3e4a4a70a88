//! Which adapter serves which port. Nothing else in the program knows (ADR-003).

use std::sync::Arc;
use std::thread::available_parallelism;

use async_trait::async_trait;
use checkout::outbox::{Dispatcher, EventSink, OutboxQueue};
use checkout::{
    BusinessTerms, Checkout, CouponClaims, KeyJanitor, LaneSettings, OrderLanes, PaymentDesk,
    PaymentResolver, RefundDesk, RefundResolver, TransactionRunner,
};
use coordination::ReadThrough;
use data_platform::{DataPlatformClient, SetupError, TimeLimits};
use jwt::JwtTokens;
use kernel::{BusinessZone, Clock, IdGenerator};
use local::{
    CachedCatalog, CachedCoupons, CachedDirectory, SharedOrders, SharedWallets, SystemClock, SystemIds,
};
use payment::PaymentGateway;
use payment_gateway::{NoticeVerifier, PaymentGatewayClient};
use ranking::{Period, PopularityStore, RankingBatch, ViewRecorder};
use secrecy::SecretString;
use storage::{ConnectError, Database, DatabaseSettings, PersonalDataKey};
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use url::Url;
use user::{AccessTokens, HashCost, SessionJanitor};

use crate::http::{Authentication, RENDER_ORDER, Readiness, Services};
use crate::passwords::PasswordBench;
use crate::popular::PopularProducts;
use crate::schedule::RankingScheduler;
use crate::settings::{Schedule, Settings};
use crate::settlement::Settlement;
use crate::shared::Shared;
use crate::telemetry;
use crate::views::ViewUpkeep;
use crate::worker::Worker;

/// What speaks to the payment gateway.
#[derive(Clone)]
pub struct Gateway {
    /// Takes money and gives it back.
    pub client: Arc<dyn PaymentGateway>,
    /// Reads what the gateway tells on its own account.
    pub notices: Arc<NoticeVerifier>,
}

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
    /// How wide the way of orders to the database is.
    pub lanes: LaneSettings,
    /// What is read through the cache.
    pub cache: ReadThrough,
    /// What instances share.
    pub shared: Shared,
    /// The popular products.
    pub popular: PopularProducts,
    /// How callers say who they are.
    pub authentication: Authentication,
    /// The access tokens.
    pub tokens: Arc<dyn AccessTokens>,
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
            previous_personal_data_key: settings
                .pii_key_previous
                .as_ref()
                .map(|key| PersonalDataKey::new(*key.expose())),
            business_zone: zone,
        };
        let database = Database::connect(database_settings, ids.clone()).await?;
        let terms = BusinessTerms { zone, payment_window: settings.order_payment_window };
        let wiring = Self::with_shared(database, terms, shared);
        let tokens = JwtTokens::new(settings.jwt_secret.expose(), wiring.clock.clone(), wiring.ids.clone());
        Ok(Self {
            authentication: settings.auth.into(),
            tokens: Arc::new(tokens),
            lanes: LaneSettings {
                lanes: settings.order_lanes,
                queue: settings.order_queue,
                lines: settings.order_lines,
            },
            ..wiring
        })
    }

    /// Puts everything on top of a database, for one instance.
    pub fn on(database: Database, terms: BusinessTerms) -> Self {
        Self::with_shared(database, terms, Shared::in_process())
    }

    /// Puts everything on top of a database and of what instances share. Callers are known by `X-User-Id`, and
    /// access tokens are signed with a secret that this instance alone has.
    pub fn with_shared(database: Database, terms: BusinessTerms, shared: Shared) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIds);
        let tasks = TaskTracker::new();
        let unit_of_work = Arc::new(database.clone());
        let runner = TransactionRunner::new(unit_of_work, ids.clone(), Handle::current(), tasks.clone());
        let checkout = Checkout::new(runner.clone(), clock.clone(), ids.clone(), terms);
        let cache = ReadThrough::new(shared.cache.clone(), Handle::current(), tasks.clone());
        let popular = PopularProducts {
            sales: Arc::new(database.clone()),
            store: Arc::new(database.clone()),
            cache: cache.clone(),
            live: PopularProducts::LIVE,
            views: Arc::new(ViewRecorder::default()),
            clock: clock.clone(),
            zone: terms.zone,
        };
        let mut secret = [0; 32];
        ids.fill_random(&mut secret);
        let tokens = Arc::new(JwtTokens::new(&secret, clock.clone(), ids.clone()));
        let authentication = Authentication::Header;
        let lanes = LaneSettings::default();
        Self {
            database,
            clock,
            ids,
            runner,
            checkout,
            lanes,
            cache,
            shared,
            popular,
            authentication,
            tokens,
            tasks,
        }
    }

    /// Returns what the HTTP handlers work with.
    pub fn services(&self, hash_cost: HashCost, gateway: &Gateway) -> Services {
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
            order_lanes: OrderLanes::new(self.checkout.clone(), RENDER_ORDER, self.lanes),
            runner: self.runner.clone(),
            catalog: Arc::new(CachedCatalog::new(database.clone(), self.cache.clone())),
            popular: self.popular.clone(),
            wallets: Arc::new(SharedWallets::new(database.clone())),
            carts: database.clone(),
            orders: Arc::new(SharedOrders::new(database.clone())),
            payments: database.clone(),
            payments_desk: PaymentDesk::new(self.checkout.clone(), gateway.client.clone(), database.clone()),
            notices: gateway.notices.clone(),
            refunds: database.clone(),
            refunds_desk: RefundDesk::new(self.checkout.clone(), gateway.client.clone(), database.clone()),
            coupons,
            claims,
            users: Arc::new(CachedDirectory::new(database.clone())),
            outbox: database.clone(),
            auditor: database.clone(),
            dependencies,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            authentication: self.authentication,
            metrics: telemetry::metrics_recorder(),
            passwords: Arc::new(PasswordBench::new(hash_cost, cores, self.ids.clone())),
            tokens: self.tokens.clone(),
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

    /// Returns what speaks to the payment gateway at `base`, whose notices are signed with `secret`.
    ///
    /// # Errors
    /// When the address or the secret cannot be used.
    pub fn gateway(&self, base: Url, secret: &SecretString) -> Result<Gateway, payment_gateway::SetupError> {
        let limits = payment_gateway::TimeLimits::default();
        let client = PaymentGatewayClient::new(base, limits, self.ids.clone())?;
        let notices = NoticeVerifier::new(secret, self.clock.clone())?;
        Ok(Gateway { client: Arc::new(client), notices: Arc::new(notices) })
    }

    /// Returns what settles orders, payments and refunds in the background.
    pub fn settlement(&self, gateway: &Gateway) -> Settlement {
        let database = Arc::new(self.database.clone());
        let (checkout, client) = (self.checkout.clone(), gateway.client.clone());
        Settlement {
            checkout: checkout.clone(),
            payments: PaymentResolver::new(checkout.clone(), client.clone(), database.clone()),
            refunds: RefundResolver::new(checkout, client, database.clone(), database.clone(), database),
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
        let sessions: Arc<dyn SessionJanitor> = database.clone();
        let janitor: Arc<dyn KeyJanitor> = database;
        let dispatcher = Dispatcher::new(queue, sink, self.clock.clone(), self.ids.clone());
        Ok(Worker { dispatcher, janitor, sessions, clock: self.clock.clone() })
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
