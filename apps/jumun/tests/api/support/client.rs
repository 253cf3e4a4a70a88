//! A client that says what tests want to say.

use std::pin::Pin;
use std::time::Duration;

use kernel::UserId;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::Value;

use super::Answer;

/// A client of one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    /// Makes a client of the server at `base`.
    pub(crate) fn new(base: &str) -> Self {
        // What a server sends is looked at as it is, whatever another crate of the workspace asks of reqwest.
        let http = reqwest::Client::builder()
            .no_gzip()
            .no_proxy()
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self { http, base: base.trim_end_matches('/').to_owned() }
    }

    /// Begins a request to a path outside the API.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call(self.http.request(method, format!("{}{path}", self.base)))
    }

    /// Begins a request to a path of the API.
    pub(crate) fn api(&self, method: Method, path: &str) -> Call {
        self.call(method, &format!("/api/v1{path}"))
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.api(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.api(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call {
        self.api(Method::PATCH, path)
    }
}

/// A request; it is sent when it is awaited.
pub(crate) struct Call(RequestBuilder);

impl Call {
    /// Names the caller.
    pub(crate) fn by(self, user: UserId) -> Self {
        self.header("X-User-Id", user.to_string())
    }

    /// Gives the request a name by which its repetition is known.
    pub(crate) fn key(self, key: impl AsRef<[u8]>) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// Adds a header, once more if it is there already.
    pub(crate) fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        Self(self.0.header(name, HeaderValue::from_bytes(value.as_ref()).unwrap()))
    }

    /// Sends a JSON document.
    #[expect(clippy::needless_pass_by_value, reason = "what `json!` makes is passed on at once")]
    pub(crate) fn json(self, body: Value) -> Self {
        self.body(body.to_string())
    }

    /// Sends a text that claims to be JSON.
    pub(crate) fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.header(CONTENT_TYPE, "application/json").body(body))
    }

    /// Sends a body and says nothing of its type.
    pub(crate) fn untyped(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let response = self.0.send().await.unwrap();
            Answer {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                path: response.url().path().to_owned(),
                text: response.text().await.unwrap(),
            }
        })
    }
}
