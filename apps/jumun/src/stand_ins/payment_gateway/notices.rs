//! What the merchant is told on the gateway's own account.

use std::sync::Arc;
use std::time::Duration;

use chrono::SecondsFormat;
use kernel::{Clock, IdGenerator};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect;
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use url::{Host, Url};
use webhooks::WebhookKey;

use super::SetupError;
use super::charge::{Charge, Status};

/// Sends notices, each until it is confirmed or has failed too often.
pub(super) struct Notices {
    http: reqwest::Client,
    /// Where they go; unset: nowhere.
    to: Option<Url>,
    key: WebhookKey,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    room: Semaphore,
}

#[derive(Serialize)]
struct Notice<'a> {
    r#type: &'static str,
    timestamp: String,
    data: &'a Charge,
}

impl Notices {
    /// So many are under way at most; a merchant that is gone is told of no more.
    const MOST: usize = 1_000;
    /// How long an attempt may take.
    const LIMIT: Duration = Duration::from_secs(5);
    /// The pauses before further attempts.
    const PAUSES: [Duration; 4] =
        [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4), Duration::from_secs(15)];

    /// Makes a sender whose notices are signed with `secret`.
    pub(super) fn new(
        secret: &SecretString,
        to: Option<Url>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, SetupError> {
        let key = WebhookKey::new(secret)?;
        let mut http = reqwest::Client::builder()
            .timeout(Self::LIMIT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            // A connection is not kept for longer than the worker that made it.
            .pool_max_idle_per_host(0);
        if to.as_ref().is_none_or(|to| to.scheme() == "http") {
            // A machine without root certificates can still speak to a plain address.
            http = http.tls_certs_only([]);
        } else if to.as_ref().and_then(Url::host).is_some_and(|host| is_loopback(&host)) {
            // The certificate of the API on this machine is made out for the name that its callers use.
            http = http.tls_danger_accept_invalid_certs(true);
        }
        let http = http.build().map_err(SetupError::Client)?;
        Ok(Self { http, to, key, clock, ids, room: Semaphore::new(Self::MOST) })
    }

    /// Tells of a charge that is settled, without waiting for it.
    pub(super) fn tell(self: &Arc<Self>, charge: Charge) {
        let Some(to) = self.to.clone() else { return };
        let notices = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(_place) = notices.room.try_acquire() else {
                tracing::warn!(charge = charge.id, "stand-in payment gateway drops a notice");
                return;
            };
            notices.send(to, &charge).await;
        });
    }

    /// Sends one and the same notice until it is confirmed.
    async fn send(&self, to: Url, charge: &Charge) {
        let id = format!("msg_{}", self.ids.uuid().simple());
        let notice = Notice {
            r#type: if charge.status == Status::Succeeded { "payment.succeeded" } else { "payment.failed" },
            timestamp: self.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true),
            data: charge,
        };
        let Ok(body) = serde_json::to_string(&notice) else { return };
        for pause in Self::PAUSES.into_iter().map(Some).chain([None]) {
            if self.attempt(to.clone(), &id, body.clone()).await {
                return;
            }
            if let Some(pause) = pause {
                sleep(pause).await;
            }
        }
        tracing::warn!(id, charge = charge.id, "stand-in payment gateway gives a notice up");
    }

    /// Sends it once, signed now, and returns whether it was confirmed.
    async fn attempt(&self, to: Url, id: &str, body: String) -> bool {
        let now = self.clock.now();
        let Ok(signature) = self.key.sign(id, now, body.as_bytes()) else { return false };
        let request = self
            .http
            .post(to)
            .header(CONTENT_TYPE, "application/json")
            .header(webhooks::ID, id)
            .header(webhooks::TIMESTAMP, now.timestamp())
            .header(webhooks::SIGNATURE, signature)
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => true,
            Ok(response) => {
                tracing::debug!(id, status = response.status().as_u16(), "a notice is not confirmed");
                false
            }
            Err(error) => {
                tracing::debug!(id, error = kernel::causes(&error), "a notice does not arrive");
                false
            }
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(_) => false,
    }
}
