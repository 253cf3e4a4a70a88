//! The client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use checkout::outbox::{DeliveryError, EventSink};
use kernel::{BoxError, Clock, DomainEvent, IdGenerator};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Request, Response, redirect};
use secrecy::SecretString;
use url::Url;
use webhooks::WebhookKey;

use crate::cloud_event::{self, MEDIA_TYPE};
use crate::retry_after;
use crate::setup_error::SetupError;

/// How long an attempt may take. What it takes at most bounds how long a worker holds an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// Until a connection stands, name resolution and TLS included.
    pub connect: Duration,
    /// Until the answer has come, the connection included.
    pub total: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(1), total: Duration::from_secs(3) }
    }
}

/// Sends events to the data platform. It holds a pool of connections: make one and share it.
pub struct DataPlatformClient {
    http: Client,
    endpoint: Url,
    key: WebhookKey,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl DataPlatformClient {
    /// As many connections as the dispatcher has deliveries under way are kept between rounds.
    const IDLE_CONNECTIONS: usize = 16;
    /// For how long they are kept.
    const IDLE_FOR: Duration = Duration::from_secs(30);

    /// Makes a client for the platform at `base`, which signs with `secret`, `whsec_<base64>`.
    ///
    /// It takes no proxy from the environment and follows no redirect.
    pub fn new(
        base: Url,
        secret: &SecretString,
        limits: TimeLimits,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, SetupError> {
        let endpoint = endpoint(base)?;
        let key = WebhookKey::new(secret).map_err(|_| SetupError::InvalidSecret)?;
        let mut http = Client::builder()
            .user_agent(concat!("jumun/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(Self::IDLE_CONNECTIONS)
            .pool_idle_timeout(Self::IDLE_FOR);
        if endpoint.scheme() == "http" {
            // A machine without root certificates can still speak to a plain address.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(SetupError::Client)?;
        Ok(Self { http, endpoint, key, clock, ids })
    }

    /// Puts an event into a request, signed now and in a span of its own in the event's trace.
    fn request(&self, event: &DomainEvent) -> Result<Request, BoxError> {
        let id = event.id.to_string();
        let now = self.clock.now();
        let body = cloud_event::encode(event)?;
        let signature = self.key.sign(&id, now, body.as_bytes())?;
        let mut request = self
            .http
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(webhooks::ID, id)
            .header(webhooks::TIMESTAMP, now.timestamp())
            .header(webhooks::SIGNATURE, signature)
            .body(body);
        if let Some(trace) = event.trace {
            request = request.header("traceparent", trace.child(&*self.ids).to_string());
        }
        Ok(request.build()?)
    }

    fn refusal(&self, response: &Response) -> DeliveryError {
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after::parse(value, self.clock.now()));
        DeliveryError::Refused { status: response.status().as_u16(), retry_after }
    }
}

#[async_trait]
impl EventSink for DataPlatformClient {
    async fn send(&self, event: &DomainEvent) -> Result<(), DeliveryError> {
        let request = self.request(event).map_err(DeliveryError::Encoding)?;
        // The status says it all: the answer is dropped with its body unread, however long that is.
        let response =
            self.http.execute(request).await.map_err(|error| DeliveryError::Unreachable(error.into()))?;
        if response.status().is_success() { Ok(()) } else { Err(self.refusal(&response)) }
    }
}

/// Shows where events go, and no secret.
impl fmt::Debug for DataPlatformClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataPlatformClient")
            .field("endpoint", &self.endpoint.as_str())
            .finish_non_exhaustive()
    }
}

/// Appends the path of the endpoint to an address, which may have a path of its own.
fn endpoint(mut base: Url) -> Result<Url, SetupError> {
    let plain = matches!(base.scheme(), "http" | "https")
        && base.username().is_empty()
        && base.password().is_none()
        && base.query().is_none()
        && base.fragment().is_none();
    if !plain {
        return Err(SetupError::InvalidAddress);
    }
    base.path_segments_mut()
        .map_err(|()| SetupError::InvalidAddress)?
        .pop_if_empty()
        .extend(["v1", "events"]);
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_lies_under_the_address() {
        for (base, expected) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081/v1/events"),
            ("https://data.example.com/", "https://data.example.com/v1/events"),
            ("https://example.com/data/platform", "https://example.com/data/platform/v1/events"),
            ("https://example.com/data/platform/", "https://example.com/data/platform/v1/events"),
        ] {
            assert_eq!(endpoint(base.parse().unwrap()).unwrap().as_str(), expected, "{base}");
        }
    }

    #[test]
    fn addresses_that_would_hide_something_are_refused() {
        for base in [
            "ftp://example.com",
            "data:text/plain,hello",
            "https://user@example.com",
            "https://:password@example.com",
            "https://example.com?tenant=1",
            "https://example.com#top",
        ] {
            let refused = endpoint(base.parse().unwrap());
            assert!(matches!(refused, Err(SetupError::InvalidAddress)), "{base}");
        }
    }
}
