//! Requests and answers, within their limits.

use std::time::Duration;

use reqwest::{Client, Request, RequestBuilder, StatusCode, redirect};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::client::TimeLimits;
use crate::failure::Failure;
use crate::setup_error::SetupError;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// How long is waited before a call is repeated.
const PAUSE: Duration = Duration::from_millis(100);

/// An answer that has come to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

/// Which failures a call is repeated after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// What moves money: only if it was never sent.
    Unsent,
    /// A question: also if the connection broke.
    Unanswered,
}

impl Repeat {
    const fn after(self, failure: &Failure) -> bool {
        match failure {
            Failure::NotConnected(_) => true,
            Failure::NoAnswer(_) => matches!(self, Self::Unanswered),
            _ => false,
        }
    }
}

/// Sends requests. It holds a pool of connections.
pub(crate) struct Transport {
    http: Client,
    limits: TimeLimits,
}

impl Transport {
    /// As many connections as the payments under way usually need are kept.
    const IDLE_CONNECTIONS: usize = 16;
    /// For how long they are kept.
    const IDLE_FOR: Duration = Duration::from_secs(30);

    /// Makes one for `endpoint`. It takes no proxy from the environment, follows no redirect and repeats
    /// nothing by itself.
    pub(crate) fn new(endpoint: &Url, limits: TimeLimits) -> Result<Self, SetupError> {
        let mut http = Client::builder()
            .user_agent(concat!("jumun/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(Self::IDLE_CONNECTIONS)
            .pool_idle_timeout(Self::IDLE_FOR);
        if endpoint.scheme() == "http" {
            // A machine without root certificates can still speak to a plain address.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(SetupError::Client)?;
        Ok(Self { http, limits })
    }

    /// Begins a question.
    pub(crate) fn get(&self, url: Url) -> RequestBuilder {
        self.http.get(url)
    }

    /// Begins what moves money.
    pub(crate) fn post(&self, url: Url) -> RequestBuilder {
        self.http.post(url)
    }

    /// Sends a request, once more after such failures as `repeat` says. All of it together ends within the
    /// total limit.
    pub(crate) async fn send(&self, request: RequestBuilder, repeat: Repeat) -> Result<Answer, Failure> {
        let end = Instant::now() + self.limits.total;
        let request = request.build().map_err(Failure::of_request)?;
        let again = request.try_clone();
        let answer = self.attempt(request, self.limits.total).await;
        match (answer, again) {
            (Err(failure), Some(again)) if repeat.after(&failure) => {
                let left = end.saturating_duration_since(Instant::now() + PAUSE);
                // With less time a connection that does not come to stand would look like a lost answer.
                if left <= self.limits.connect {
                    return Err(failure);
                }
                tracing::debug!(error = kernel::causes(&failure), "the payment gateway is called once more");
                sleep(PAUSE).await;
                self.attempt(again, left).await
            }
            (answer, _) => answer,
        }
    }

    /// Sends a request and reads the answer to its end, within `limit`.
    async fn attempt(&self, mut request: Request, limit: Duration) -> Result<Answer, Failure> {
        *request.timeout_mut() = Some(limit);
        let mut response = self.http.execute(request).await.map_err(Failure::of_request)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failure::of_answer)? {
            if body.len() + chunk.len() > LONGEST {
                return Err(Failure::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }
}
