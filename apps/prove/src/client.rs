//! A client that behaves as clients do, and remembers exactly what it was told.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Client as Http, Method};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::Failure;

/// How long an answer is waited for: longer than the service may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The method.
    pub(crate) method: Method,
    /// Path and query behind `/api/v1`.
    pub(crate) path: String,
    /// Who asks.
    pub(crate) caller: Uuid,
    /// The key that makes it one request however often it is sent.
    pub(crate) key: Option<String>,
    /// The body as it is sent.
    pub(crate) body: Option<String>,
}

impl Request {
    /// Reads something.
    pub(crate) fn get(path: impl Into<String>, caller: Uuid) -> Self {
        Self { method: Method::GET, path: path.into(), caller, key: None, body: None }
    }

    /// Asks for an effect.
    pub(crate) fn post(path: impl Into<String>, caller: Uuid, body: &Value) -> Self {
        let body = Some(body.to_string());
        Self { method: Method::POST, path: path.into(), caller, key: None, body }
    }

    /// Gives it a key.
    pub(crate) fn keyed(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An answer, whole.
    Heard {
        /// Its status.
        status: u16,
        /// Its body.
        body: String,
        /// Whether it said that it was a replay.
        is_replay: bool,
        /// Whether it said when to come back.
        has_retry_after: bool,
    },
    /// Nothing, or half an answer: the request may have been carried out.
    Lost(String),
    /// Nothing, since the client went away before it could hear: the same, and nobody's fault.
    Gone,
    /// No instance took the connection: nobody has read the request.
    Unsent,
}

impl Answer {
    /// Returns the status of an answer.
    pub(crate) const fn status(&self) -> Option<u16> {
        if let Self::Heard { status, .. } = self { Some(*status) } else { None }
    }

    /// Returns the body of an answer.
    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Heard { body, .. } => serde_json::from_str(body).unwrap_or_default(),
            Self::Lost(_) | Self::Gone | Self::Unsent => Value::Null,
        }
    }

    /// Returns the code of a problem.
    pub(crate) fn code(&self) -> Option<String> {
        self.json()["error"].as_str().map(str::to_owned)
    }
}

/// A client of the instances, one connection a request.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: Http,
}

impl Client {
    /// Makes one.
    pub(crate) fn new() -> Result<Self, Failure> {
        let http = Http::builder().pool_max_idle_per_host(0).timeout(PATIENCE).no_proxy();
        Ok(Self { http: http.build()? })
    }

    /// Sends a request to the first instance that takes the connection, as a balancer does; none asks
    /// another instance once it may have been read. Returns which one, the answer, and how long it took.
    pub(crate) async fn send(&self, addrs: &[SocketAddr], request: &Request) -> (usize, Answer, Duration) {
        let begun = Instant::now();
        for (place, addr) in addrs.iter().enumerate() {
            match self.send_to(*addr, request).await {
                Answer::Unsent => {}
                answer => return (place, answer, begun.elapsed()),
            }
        }
        (0, Answer::Unsent, begun.elapsed())
    }

    /// Sends a request to one instance.
    pub(crate) async fn send_to(&self, addr: SocketAddr, request: &Request) -> Answer {
        let url = format!("http://{addr}/api/v1{}", request.path);
        let mut builder = self.http.request(request.method.clone(), url);
        builder = builder.header("X-User-Id", request.caller.to_string());
        if let Some(key) = &request.key {
            builder = builder.header("Idempotency-Key", key);
        }
        if let Some(body) = &request.body {
            builder = builder.header("Content-Type", "application/json").body(body.clone());
        }
        let response = match builder.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Answer::Unsent,
            Err(error) => return Answer::Lost(reason(&error)),
        };
        let status = response.status().as_u16();
        let is_replay = response.headers().contains_key("idempotency-replayed");
        let has_retry_after = response.headers().contains_key("retry-after");
        match response.text().await {
            Ok(body) => Answer::Heard { status, body, is_replay, has_retry_after },
            Err(error) => Answer::Lost(reason(&error)),
        }
    }

    /// Sends a request and resets the connection after `patience`, without reading an answer.
    pub(crate) async fn abandon(addrs: &[SocketAddr], request: &Request, patience: Duration) -> Answer {
        let (mut stream, addr) = 'taken: {
            for addr in addrs {
                if let Ok(stream) = TcpStream::connect(addr).await {
                    break 'taken (stream, addr);
                }
            }
            return Answer::Unsent;
        };
        let Request { method, path, caller, .. } = request;
        let (key, body) = (request.key.as_deref(), request.body.as_deref().unwrap_or_default());
        let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
        let text = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {addr}\r\nX-User-Id: {caller}\r\n{key}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
        );
        let sent = stream.write_all(text.as_bytes()).await;
        tokio::time::sleep(patience).await;
        let _ = stream.set_zero_linger();
        if sent.is_ok() { Answer::Gone } else { Answer::Lost("cut while it was sent".to_owned()) }
    }
}

/// Names the innermost reason.
fn reason(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
