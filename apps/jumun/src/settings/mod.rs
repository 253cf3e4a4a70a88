//! Settings: defaults < `config/{local,dev,prod}.toml` < the environment (`JUMUN_…`).
//!
//! Each setting is declared once, below: its name is the key in the file and, in capitals after
//! `JUMUN_`, the variable; its type is the rule for its values; its default, if it has one, is safe in
//! production. What only one profile has as a default is in that profile's file. A wrong or missing
//! value is one line that names the variable, and never shows a secret.

mod address;
mod cron;
mod error;
#[cfg(test)]
mod http_tests;
mod load;
mod log_filter;
mod mode;
mod rate;
mod rules;
mod secret_key;
mod setting;
mod show;
#[cfg(test)]
mod tests;
mod webhook_secret;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use url::Url;

pub use address::{DatabaseUrl, RedisUrl};
pub use cron::Schedule;
pub use error::SettingsError;
use load::Given;
pub use log_filter::LogFilter;
pub use mode::{AuthMode, LogFormat, Profile};
pub use rate::{Rate, RateLimit};
pub use secret_key::SecretKey;
use setting::Setting;
pub use webhook_secret::WebhookSecret;

/// Declares the settings, so that a key, its type, its default and its place in [`Settings`] are one.
macro_rules! settings {
    ($($(#[$doc:meta])+ $name:ident: $kind:ty $(= $default:literal)?,)+) => {
        /// Everything that can be set, checked.
        #[derive(Clone, Debug)]
        pub struct Settings {
            /// Where the service runs; chosen by `JUMUN_PROFILE` alone, since it chooses the file.
            pub profile: Profile,
            $($(#[$doc])+ pub $name: $kind,)+
        }

        impl Settings {
            const KEYS: &[&str] = &[$(stringify!($name)),+];
            const DEFAULTS: &[(&str, &str)] = &[$($((stringify!($name), $default),)?)+];

            fn read(profile: Profile, given: &Given) -> Result<Self, SettingsError> {
                Ok(Self { profile, $($name: given.value(stringify!($name))?,)+ })
            }

            /// Returns each setting with its value as a TOML literal, masked, or `None` if it is unset.
            fn literals(&self) -> Vec<(&'static str, Option<String>)> {
                vec![("profile", self.profile.literal()), $((stringify!($name), self.$name.literal())),+]
            }
        }
    };
}

settings! {
    /// Where the API listens; port 0 takes any that is free.
    http_addr: SocketAddr = "127.0.0.1:8080",
    /// How many threads serve requests; unset: one a core.
    http_workers: Option<usize>,
    /// How many connections of one thread are open at once; further ones wait to be accepted.
    http_max_connections: usize = "10000",
    /// How many connections wait to be accepted; what the kernel allows is the limit (`somaxconn`).
    http_backlog: u32 = "4096",
    /// How long a quiet connection is kept.
    http_keep_alive: Duration = "75s",
    /// The certificate that the API shows, in PEM, and those of its issuers after it; unset: plain HTTP.
    tls_certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    tls_key: Option<PathBuf>,
    /// How long a shutdown waits for what was begun.
    shutdown_timeout: Duration = "30s",
    /// The database: SQLite or MySQL.
    database_url: DatabaseUrl = "sqlite://data/jumun.db?mode=rwc",
    /// The most connections to the database at a time.
    database_max_connections: u32 = "20",
    /// How many transactions that place orders are under way at once.
    order_lanes: usize = "2",
    /// How many orders wait for one at the most; further ones are answered 503.
    order_queue: usize = "1024",
    /// How many lines the orders of one transaction have together, but for the last order.
    order_lines: usize = "512",
    /// Redis; unset: in-process adapters, and one instance only.
    redis_url: Option<RedisUrl>,
    /// How a caller is known.
    auth: AuthMode = "jwt",
    /// Whether a gateway in front of every instance checks the caller and sets `X-User-Id` itself.
    trusted_gateway: bool = "false",
    /// Signs access tokens.
    jwt_secret: SecretKey,
    /// Encrypts personal data at rest.
    pii_key: SecretKey,
    /// What else personal data may be encrypted with, while keys are rotated.
    pii_key_previous: Option<SecretKey>,
    /// The data platform; unset: the built-in stand-in.
    data_platform_url: Option<Url>,
    /// Signs what is sent to the data platform.
    data_platform_secret: WebhookSecret,
    /// The payment gateway; unset: the built-in stand-in.
    payment_gateway_url: Option<Url>,
    /// Signs the notices of the payment gateway.
    payment_gateway_secret: WebhookSecret,
    /// Where the built-in stand-ins listen.
    stand_ins_addr: Option<SocketAddr>,
    /// Where the stand-in for the payment gateway sends its notices; unset: to the API beside it.
    stand_ins_notice_url: Option<Url>,
    /// Whether the outbox worker and the schedulers run inside `serve`.
    worker: bool = "false",
    /// Where `worker` shows its health and metrics; unset: nowhere.
    worker_http_addr: Option<SocketAddr>,
    /// How many requests a caller may send.
    rate_limit: RateLimit = "100/s",
    /// How often it may be tried to log in and to register from one address.
    sign_in_limit: RateLimit = "60/m",
    /// How many proxies in front say in `X-Forwarded-For` by whom they were called.
    trusted_proxies: u32 = "0",
    /// Whether `/docs` and `/openapi.json` are shown.
    docs: bool = "false",
    /// How long an order waits for its payment.
    order_payment_window: Duration = "30m",
    /// How long the answer to an idempotency key is kept.
    idempotency_ttl: Duration = "24h",
    /// The time zone in which days begin for the business.
    business_zone: Tz = "Asia/Seoul",
    /// When the ranking of the last three days is published, in the business zone.
    ranking_daily_cron: Schedule = "0 1 * * *",
    /// When the ranking of the last seven days is published, in the business zone.
    ranking_weekly_cron: Schedule = "0 2 * * 1",
    /// Which log lines are written.
    log: LogFilter = "info",
    /// How log lines are written.
    log_format: LogFormat = "json",
}
