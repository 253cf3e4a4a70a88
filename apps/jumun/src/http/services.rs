//! What handlers work with.

use std::sync::Arc;

use async_trait::async_trait;
use cart::CartReader;
use checkout::outbox::OutboxAdmin;
use checkout::{
    Auditor, Checkout, CouponClaims, OrderLanes, PaymentDesk, RefundDesk, SignIn, TransactionRunner,
    UseCaseError,
};
use coupon::CouponReader;
use kernel::{Clock, IdGenerator};
use metrics_exporter_prometheus::PrometheusHandle;
use order::OrderReader;
use payment::PaymentReader;
use payment_gateway::NoticeVerifier;
use point::WalletReader;
use product::ProductCatalog;
use refund::RefundReader;
use user::{AccessTokens, Passwords, UserDirectory};

use crate::popular::PopularProducts;
use crate::settings::AuthMode;

/// How a caller says who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `X-User-Id` is believed: a gateway in front has checked it. `Authorization` is not looked at.
    Header,
    /// `Authorization: Bearer` with an access token of ours. `X-User-Id` is not looked at.
    Jwt,
    /// A bearer token where there is an `Authorization`, even a bad one, and else `X-User-Id`.
    Both,
}

impl From<AuthMode> for Authentication {
    fn from(mode: AuthMode) -> Self {
        match mode {
            AuthMode::Header => Self::Header,
            AuthMode::Jwt => Self::Jwt,
            AuthMode::Both => Self::Both,
        }
    }
}

impl Authentication {
    /// Returns what a caller is asked for who did not say who it is.
    pub(crate) const fn challenge(self) -> &'static str {
        match self {
            Self::Header => "X-User-Id realm=\"jumun\"",
            Self::Jwt => "Bearer realm=\"jumun\"",
            Self::Both => "Bearer realm=\"jumun\", X-User-Id realm=\"jumun\"",
        }
    }
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
    /// Where orders are placed.
    pub order_lanes: OrderLanes,
    /// Runs what must not stop half-way.
    pub runner: TransactionRunner,
    /// The products.
    pub catalog: Arc<dyn ProductCatalog>,
    /// The popular products.
    pub popular: PopularProducts,
    /// The wallets.
    pub wallets: Arc<dyn WalletReader>,
    /// The carts.
    pub carts: Arc<dyn CartReader>,
    /// The orders.
    pub orders: Arc<dyn OrderReader>,
    /// The payments.
    pub payments: Arc<dyn PaymentReader>,
    /// Takes payments.
    pub payments_desk: PaymentDesk,
    /// Reads the notices of the payment gateway.
    pub notices: Arc<NoticeVerifier>,
    /// The refunds.
    pub refunds: Arc<dyn RefundReader>,
    /// Gives payments back.
    pub refunds_desk: RefundDesk,
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
    /// Hashes passwords and verifies them.
    pub passwords: Arc<dyn Passwords>,
    /// Issues and checks access tokens.
    pub tokens: Arc<dyn AccessTokens>,
}

impl Services {
    /// Returns what lets users in.
    pub(crate) fn sign_in(&self) -> SignIn {
        SignIn::new(
            self.runner.clone(),
            self.users.clone(),
            self.passwords.clone(),
            self.tokens.clone(),
            (self.clock.clone(), self.ids.clone()),
        )
    }

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
}
