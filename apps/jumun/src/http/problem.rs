//! Errors as `application/problem+json` (RFC 9457). The one place that gives an error its HTTP status.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use checkout::{Rejection, UseCaseError};
use kernel::{BoxError, Details, DomainError, ErrorKind, StoreError, seconds};
use serde::Serialize;

use super::context::{Language, RequestContext};
use super::korean;

/// A member of a request that breaks its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct InvalidMember {
    /// Where it is, a JSON pointer (RFC 6901); for a parameter `/` and its name, for a header its name.
    pub(crate) pointer: String,
    /// What is wrong with it.
    pub(crate) message: String,
}

impl InvalidMember {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// What a problem says that has no facts of its own, in the order of the members' names as in all others.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    detail: &'a str,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a Vec<InvalidMember>>,
    instance: &'a str,
    message: &'a str,
    path: &'a str,
    status: u16,
    timestamp: String,
    title: &'a str,
    trace_id: String,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// An error on its way to the caller.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    detail: String,
    details: Details,
    invalid: Vec<InvalidMember>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<BoxError>,
}

/// The status of each kind of error.
const fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::PaymentRequired => StatusCode::PAYMENT_REQUIRED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// The media type of problems (RFC 9457).
    pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            detail: detail.into(),
            details: Details::default(),
            invalid: Vec::new(),
            headers: Vec::new(),
            source: None,
        }))
    }

    fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.0.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Parts of the request break their rules.
    pub(crate) fn invalid(members: Vec<InvalidMember>) -> Self {
        let detail = members.first().map_or_else(
            || "the request is not valid".to_owned(),
            |first| {
                let place = first.pointer.trim_start_matches('/');
                if place.is_empty() { first.message.clone() } else { format!("{place}: {}", first.message) }
            },
        );
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", detail);
        problem.0.invalid = members;
        problem
    }

    /// One part of the request breaks its rules.
    pub(crate) fn invalid_member(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![InvalidMember::new(pointer, message)])
    }

    /// A domain says no to a value that stands at `pointer`.
    pub(crate) fn at(pointer: &str, error: &impl DomainError) -> Self {
        let mut problem = Self::of(error);
        for member in &mut problem.0.invalid {
            pointer.clone_into(&mut member.pointer);
        }
        problem
    }

    /// Returns the invalid members, as parts of something that stands at `base`.
    pub(crate) fn invalid_below(self, base: &str) -> Vec<InvalidMember> {
        let below =
            |member: InvalidMember| InvalidMember { pointer: format!("{base}{}", member.pointer), ..member };
        self.0.invalid.into_iter().map(below).collect()
    }

    /// A domain says no.
    pub(crate) fn of(error: &impl DomainError) -> Self {
        let detail = error.to_string();
        let mut problem = Self::new(status_of(error.kind()), error.code(), detail.clone());
        problem.0.details = error.details();
        if problem.0.code == "VALIDATION_ERROR" {
            problem.0.invalid.push(InvalidMember::new("", detail));
        }
        if matches!(problem.0.code, "REQUEST_IN_PROGRESS" | "SERVICE_UNAVAILABLE") {
            problem = problem.with_header(RETRY_AFTER, "1");
        }
        problem
    }

    /// The caller did not say who it is, or not in a way that can be believed.
    pub(crate) fn unauthorized(challenge: &str, detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail).with_header(WWW_AUTHENTICATE, challenge)
    }

    /// The caller may not do this.
    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "this is for administrators")
    }

    /// There is no such thing, or it is not the caller's to see.
    pub(crate) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
    }

    /// The resource exists and does not know this method.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("this resource allows {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", detail).with_header(ALLOW, allowed)
    }

    /// The state of the resource forbids the action.
    pub(crate) fn conflict(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", detail)
    }

    /// The body is not JSON by its type.
    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "the body must be application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail)
    }

    /// The body is too long.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body must not exceed {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", detail)
    }

    /// The body did not arrive in time.
    pub(crate) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "the body did not arrive in time")
    }

    /// The caller asks too often. `policy` and `state` are the `RateLimit` fields.
    pub(crate) fn too_many_requests(retry_after: u64, policy: &str, state: &str) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "too many requests, slow down")
            .with_header(RETRY_AFTER, &retry_after.to_string())
            .with_header(HeaderName::from_static("ratelimit-policy"), policy)
            .with_header(HeaderName::from_static("ratelimit"), state)
    }

    /// A defect. The caller learns nothing of the inside.
    pub(crate) fn internal(source: impl Into<BoxError>) -> Self {
        let detail = "something went wrong on our side";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", detail).with_source(source)
    }

    fn unavailable(detail: &str, source: BoxError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", detail)
            .with_header(RETRY_AFTER, "1")
            .with_source(source)
    }

    /// Gives a status that no handler chose, as the framework does, the form of every error.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found("there is nothing here"),
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(status, "PAYLOAD_TOO_LARGE", "the request is too large")
            }
            status if status.is_server_error() => Self::internal(format!("an unexpected {status}")),
            status => {
                let mut problem = Self::invalid_member("", status.canonical_reason().unwrap_or("not valid"));
                problem.0.status = status;
                problem
            }
        }
    }

    /// Returns the stable code by which callers tell errors apart.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// Returns what happened, in English.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Logs what the caller is not told, once.
    pub(crate) fn log(&self) {
        let Some(source) = &self.0.source else { return };
        let causes = kernel::causes(source.as_ref());
        if self.0.status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(code = self.0.code, causes, "request could not be served");
        } else {
            tracing::error!(code = self.0.code, causes, "request failed");
        }
    }

    /// Returns the status.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Writes the problem for the caller of a request.
    pub(crate) fn render(&self, context: &RequestContext) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.content_type(Self::MEDIA_TYPE).body(self.text(context))
    }

    /// Writes the body of the problem for the caller of a request.
    pub(crate) fn text(&self, context: &RequestContext) -> String {
        let message = match context.language {
            Language::English => self.0.detail.clone(),
            Language::Korean => {
                korean::message(self.0.code, &self.0.details).unwrap_or_else(|| self.0.detail.clone())
            }
        };
        let kind = format!("urn:jumun:problem:{}", self.0.code.to_ascii_lowercase().replace('_', "-"));
        if self.0.details.is_empty() {
            let members = Members {
                detail: &self.0.detail,
                error: self.0.code,
                errors: (self.0.code == "VALIDATION_ERROR").then_some(&self.0.invalid),
                instance: &context.path,
                message: &message,
                path: &context.path,
                status: self.0.status.as_u16(),
                timestamp: seconds::format(context.received_at),
                title: self.0.status.canonical_reason().unwrap_or("Error"),
                trace_id: context.trace.trace_id(),
                kind: &kind,
            };
            return serde_json::to_string(&members).unwrap_or_default();
        }
        let mut members = self
            .0
            .details
            .clone()
            .with("type", &kind)
            .with("title", &self.0.status.canonical_reason().unwrap_or("Error"))
            .with("status", &self.0.status.as_u16())
            .with("detail", &self.0.detail)
            .with("instance", &context.path)
            .with("timestamp", &seconds::format(context.received_at))
            .with("path", &context.path)
            .with("error", &self.0.code)
            .with("message", &message)
            .with("traceId", &context.trace.trace_id());
        if self.0.code == "VALIDATION_ERROR" {
            members = members.with("errors", &self.0.invalid);
        }
        let body: BTreeMap<_, _> = members.into_iter().collect();
        serde_json::to_string(&body).unwrap_or_default()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

/// Handlers return problems as errors; the envelope around all handlers renders them.
impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contended(_) => {
                Self::unavailable("too many others change the same things, try again", Box::new(error))
            }
            StoreError::Unavailable(_) => {
                Self::unavailable("a service that is needed is down", Box::new(error))
            }
            StoreError::OutcomeUnknown(_) => {
                let detail =
                    "the outcome is not known: repeat it with the Idempotency-Key it had, or look first";
                Self::unavailable(detail, Box::new(error))
            }
            StoreError::Duplicate(what) => Self::conflict(&format!("this {what} exists already")),
            StoreError::Internal(_) => Self::internal(error),
        }
    }
}

impl From<UseCaseError> for Problem {
    fn from(error: UseCaseError) -> Self {
        match error {
            UseCaseError::Rejected(rejection) => rejection.into(),
            UseCaseError::Failed(error) => error.into(),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::of(&rejection)
    }
}
