//! What handlers work with.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use checkout::outbox::OutboxAdmin;
use checkout::{Auditor, Checkout, CouponClaims, TransactionRunner, UseCaseError};
use coupon::CouponReader;
use kernel::{Clock, IdGenerator};
use metrics_exporter_prometheus::PrometheusHandle;
use order::OrderReader;
use point::WalletReader;
use product::ProductCatalog;
use tokio::sync::Semaphore;
use user::{HashCost, Password, PasswordHash, UserDirectory, UserError};

use crate::popular::PopularProducts;

/// How long a password waits for its turn to be hashed.
const HASHING_PATIENCE: Duration = Duration::from_secs(2);

/// How a caller says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `X-User-Id` is believed: a gateway in front has checked it.
    Header,
}

/// Something that answers for requests to be served, or to be served well.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Returns the name under which it is reported.
    fn name(&self) -> &'static str;

    /// Tells whether requests cannot be served without it. What is not required only helps (ADR-022).
    fn is_required(&self) -> bool {
        true
    }

    /// Asks for a sign of life, within a few seconds.
    async fn is_ready(&self) -> bool;
}

/// The ports and use cases that handlers call.
#[derive(Clone)]
pub struct Services {
    /// The use cases that change something.
    pub checkout: Checkout,
    /// Runs what must not stop half-way.
    pub runner: TransactionRunner,
    /// The products.
    pub catalog: Arc<dyn ProductCatalog>,
    /// The popular products.
    pub popular: PopularProducts,
    /// The wallets.
    pub wallets: Arc<dyn WalletReader>,
    /// The orders.
    pub orders: Arc<dyn OrderReader>,
    /// The coupons.
    pub coupons: Arc<dyn CouponReader>,
    /// Claims of coupons.
    pub claims: CouponClaims,
    /// The users.
    pub users: Arc<dyn UserDirectory>,
    /// The outbox.
    pub outbox: Arc<dyn OutboxAdmin>,
    /// The audit.
    pub auditor: Arc<dyn Auditor>,
    /// What answers for requests to be served.
    pub dependencies: Vec<Arc<dyn Readiness>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids and randomness.
    pub ids: Arc<dyn IdGenerator>,
    /// How callers say who they are.
    pub authentication: Authentication,
    /// What has been measured.
    pub metrics: PrometheusHandle,
    /// How much work a password's hash takes.
    pub hash_cost: HashCost,
    /// Bounds the passwords that are hashed at a time, each of which takes a core and 19 MiB.
    pub hashing: Arc<Semaphore>,
}

impl Services {
    /// Changes products and has what was remembered of them forgotten, whatever the caller does meanwhile.
    /// Whoever asks after this returns sees the change.
    ///
    /// # Errors
    /// Those of the change.
    pub async fn changing_products<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, UseCaseError>> + Send + 'static,
    ) -> Result<T, UseCaseError> {
        let (catalog, popular) = (self.catalog.clone(), self.popular.clone());
        let changed = self.runner.to_the_end(async move {
            let changed = change.await;
            catalog.changed().await;
            // Rankings show name and price, and only what is for sale.
            popular.forget().await;
            changed
        });
        changed.await?
    }

    /// Hashes a password on a thread that serves no requests.
    ///
    /// # Errors
    /// When too many wait for theirs, or the hash cannot be made.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, UserError> {
        let permit = tokio::select! {
            permit = self.hashing.clone().acquire_owned() => permit.map_err(|_| UserError::Hashing)?,
            () = tokio::time::sleep(HASHING_PATIENCE) => return Err(UserError::Busy),
        };
        let mut salt = [0; 16];
        self.ids.fill_random(&mut salt);
        let cost = self.hash_cost;
        let hashed = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            password.hash(salt, cost)
        });
        hashed.await.unwrap_or(Err(UserError::Hashing))
    }
}
