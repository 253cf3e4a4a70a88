//! Rules beyond the type of a single setting.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::setting::Setting;
use super::{Profile, SecretKey, Settings, SettingsError, WebhookSecret};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// The secrets of `local`, which everybody can read.
pub(super) struct Published {
    pub(super) keys: [SecretKey; 2],
    pub(super) webhook_secrets: [WebhookSecret; 2],
}

impl Settings {
    /// Checks the rules that hold in every profile, then those of production.
    pub(super) fn check(&self, published: &Published) -> Result<(), SettingsError> {
        within("http_workers", &self.http_workers.unwrap_or(1), 1..=1024)?;
        within("http_max_connections", &self.http_max_connections, 1..=1_000_000)?;
        within("http_backlog", &self.http_backlog, 1..=65_535)?;
        within("http_keep_alive", &self.http_keep_alive, SECOND..=DAY)?;
        within("trusted_proxies", &self.trusted_proxies, 0..=16)?;
        within("shutdown_timeout", &self.shutdown_timeout, SECOND..=5 * MINUTE)?;
        within("database_max_connections", &self.database_max_connections, 1..=1000)?;
        within("order_lanes", &self.order_lanes, 1..=64)?;
        within("order_queue", &self.order_queue, 1..=100_000)?;
        within("order_lines", &self.order_lines, 1..=1_000)?;
        within("order_payment_window", &self.order_payment_window, SECOND..=30 * DAY)?;
        within("idempotency_ttl", &self.idempotency_ttl, SECOND..=30 * DAY)?;
        refuse(
            "tls_key",
            self.tls_certificate.is_some() && self.tls_key.is_none(),
            "not set; use the file with the key of JUMUN_TLS_CERTIFICATE, or unset that",
        )?;
        refuse(
            "tls_certificate",
            self.tls_certificate.is_none() && self.tls_key.is_some(),
            "not set; use the file with the certificate of JUMUN_TLS_KEY, or unset that",
        )?;
        refuse(
            "pii_key_previous",
            self.pii_key_previous.as_ref() == Some(&self.pii_key),
            "the same as JUMUN_PII_KEY; use the key that it takes the place of, or unset it",
        )?;
        match self.profile {
            Profile::Local | Profile::Dev => Ok(()),
            Profile::Prod => self.check_secrets(published).and_then(|()| self.check_surroundings()),
        }
    }

    fn check_secrets(&self, published: &Published) -> Result<(), SettingsError> {
        const REASON: &str = "a published secret of local is refused in prod; use one of your own";
        refuse("jwt_secret", published.keys.contains(&self.jwt_secret), REASON)?;
        refuse("pii_key", published.keys.contains(&self.pii_key), REASON)?;
        let webhook_secrets = &published.webhook_secrets;
        refuse("data_platform_secret", webhook_secrets.contains(&self.data_platform_secret), REASON)?;
        refuse("payment_gateway_secret", webhook_secrets.contains(&self.payment_gateway_secret), REASON)
    }

    /// Each service for which `serve` would start a stand-in has to be there.
    fn check_surroundings(&self) -> Result<(), SettingsError> {
        const STAND_IN: &str =
            "not set, and the built-in stand-in is refused in prod; use http://… or https://…";
        refuse(
            "auth",
            self.auth.header() && !self.trusted_gateway,
            "header and both are refused in prod, since anybody could send X-User-Id; use jwt, or set \
             JUMUN_TRUSTED_GATEWAY=true if a gateway checks every caller and sets the header itself",
        )?;
        refuse("data_platform_url", self.data_platform_url.is_none(), STAND_IN)?;
        refuse("payment_gateway_url", self.payment_gateway_url.is_none(), STAND_IN)
    }
}

fn refuse(key: &'static str, condition: bool, reason: &'static str) -> Result<(), SettingsError> {
    if condition { Err(SettingsError::Refused { key, reason }) } else { Ok(()) }
}

fn within<T>(key: &'static str, value: &T, range: RangeInclusive<T>) -> Result<(), SettingsError>
where
    T: Setting + PartialOrd,
{
    if range.contains(value) {
        return Ok(());
    }
    let [value, least, most] = [value, range.start(), range.end()].map(|bound| {
        let literal = bound.literal().unwrap_or_default();
        literal.trim_matches('"').to_owned()
    });
    Err(SettingsError::OutOfRange { key, value, least, most })
}
