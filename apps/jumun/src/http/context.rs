//! What is known of a request before its handler runs.

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::ACCEPT_LANGUAGE;
use kernel::{Clock, IdGenerator, TraceContext};

use super::problem::Problem;

/// The language of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Korean,
}

/// What errors, logs and events say of the request that they belong to.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    pub(crate) trace: TraceContext,
    pub(crate) request_id: String,
    pub(crate) path: String,
    pub(crate) language: Language,
    pub(crate) received_at: kernel::Timestamp,
}

impl RequestContext {
    /// Reads the context of a request: its `traceparent` continued or a new trace begun, its
    /// `X-Request-Id` or a new one.
    pub(crate) fn of(request: &ServiceRequest, ids: &dyn IdGenerator, clock: &dyn Clock) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let trace = header("traceparent")
            .and_then(|text| text.parse::<TraceContext>().ok())
            .map_or_else(|| TraceContext::start(ids), |parent| parent.child(ids));
        let request_id = header("x-request-id")
            .filter(|id| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()))
            .map_or_else(|| random_id(ids), str::to_owned);
        Self {
            trace,
            request_id,
            path: request.path().to_owned(),
            language: Language::preferred(header(ACCEPT_LANGUAGE.as_str()).unwrap_or_default()),
            received_at: clock.now(),
        }
    }

    /// Returns the context of the request that `message` belongs to.
    pub(crate) fn of_message(message: &impl HttpMessage) -> Result<Self, Problem> {
        let context = message.extensions().get::<Self>().cloned();
        context.ok_or_else(|| Problem::internal("the request has no context"))
    }

    /// Returns the trace of the request that `message` belongs to.
    pub(crate) fn trace_of(message: &impl HttpMessage) -> Option<TraceContext> {
        message.extensions().get::<Self>().map(|context| context.trace)
    }
}

/// Makes an id for a request. It names no row, so it need not grow with time as others do.
fn random_id(ids: &dyn IdGenerator) -> String {
    let mut bytes = [0; 16];
    ids.fill_random(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

impl Language {
    /// Picks the language that `Accept-Language` (RFC 9110) weighs most; English where it names neither.
    fn preferred(accept: &str) -> Self {
        let mut best = (Self::English, 0.0_f32);
        for part in accept.split(',') {
            let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight =
                parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            let language =
                match range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "ko" => Self::Korean,
                    "en" => Self::English,
                    _ => continue,
                };
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_weighs_most_is_spoken() {
        let cases = [
            ("", Language::English),
            ("ko", Language::Korean),
            ("ko-KR,ko;q=0.9,en;q=0.8", Language::Korean),
            ("en-US,en;q=0.9,ko;q=0.8", Language::English),
            ("en;q=0.2, ko;q=0.7", Language::Korean),
            ("fr, de", Language::English),
            ("ko;q=0", Language::English),
            ("ko;q=oops", Language::English),
        ];
        for (accept, expected) in cases {
            assert_eq!(Language::preferred(accept), expected, "{accept}");
        }
    }
}
