//! The data platform: takes events, once each, and lists what arrived.
//!
//! | | |
//! |---|---|
//! | `POST /v1/events` | takes a `CloudEvent` in structured JSON mode; answers `{received, duplicate}` |
//! | `GET /v1/events` | lists the events in the order of their first arrival, filtered by `type` and `subject` |
//! | `DELETE /v1/events` | forgets them |
//!
//! `PUT /v1/faults` makes `POST /v1/events` slow or failing.
//!
//! With a secret it demands the signature of Standard Webhooks. An event that comes again is counted and
//! otherwise ignored: its first version stays.

mod cloud_event;
mod event_log;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse, web};
use kernel::{Clock, IdGenerator};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
pub use webhooks::InvalidSecret;
use webhooks::WebhookKey;

use self::cloud_event::CloudEvent;
use self::event_log::{Capacity, EventLog};
use super::faults::FaultSwitch;

/// The longest event that is taken, in bytes.
const MAX_EVENT: usize = 1024 * 1024;

/// A data platform; clones are the same one.
#[derive(Clone)]
pub struct DataPlatform {
    key: Option<Arc<WebhookKey>>,
    clock: Arc<dyn Clock>,
    faults: FaultSwitch,
    log: Arc<Mutex<EventLog>>,
}

impl DataPlatform {
    /// Makes an empty one without faults. Given a `secret`, `whsec_<base64>`, it takes signed events
    /// only; `ids` chooses the requests that fail once faults are set.
    ///
    /// # Errors
    /// When the secret has another form.
    pub fn new(
        secret: Option<&SecretString>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, InvalidSecret> {
        let key = secret.map(WebhookKey::new).transpose()?.map(Arc::new);
        let log = Arc::new(Mutex::new(EventLog::new(Capacity::default())));
        Ok(Self { key, clock, faults: FaultSwitch::new(ids), log })
    }

    /// Returns how it misbehaves.
    pub(super) const fn faults(&self) -> &FaultSwitch {
        &self.faults
    }

    fn log(&self) -> MutexGuard<'_, EventLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event or says why not.
    fn take(&self, request: &HttpRequest, body: &[u8]) -> HttpResponse {
        let now = self.clock.now();
        let headers = |name| request.headers().get_all(name).map(HeaderValue::as_bytes);
        if let Some(key) = &self.key
            && let Err(error) = key.verify(headers, body, now)
        {
            return refuse(StatusCode::UNAUTHORIZED, &error);
        }
        let event = match CloudEvent::parse(body) {
            Ok(event) => event,
            Err(error) => return refuse(StatusCode::BAD_REQUEST, &error),
        };
        let webhook_id = request.headers().get(webhooks::ID);
        if webhook_id.is_some_and(|webhook_id| webhook_id.as_bytes() != event.id.as_bytes()) {
            return refuse(StatusCode::BAD_REQUEST, &"webhook-id is not the id of the event");
        }
        let first = self.log().record(event, now);
        HttpResponse::Ok().json(json!({ "received": true, "duplicate": !first }))
    }
}

/// Registers the routes.
pub fn configure(cfg: &mut web::ServiceConfig, platform: DataPlatform) {
    cfg.service(
        web::resource("/v1/events")
            .app_data(web::PayloadConfig::new(MAX_EVENT))
            .app_data(web::Data::new(platform))
            .route(web::post().to(receive))
            .route(web::get().to(list))
            .route(web::delete().to(clear)),
    );
}

async fn receive(platform: web::Data<DataPlatform>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    platform.faults.around(|| platform.take(&request, &body)).await
}

/// Which events are listed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    r#type: Option<String>,
    subject: Option<String>,
}

async fn list(platform: web::Data<DataPlatform>, filter: web::Query<Filter>) -> HttpResponse {
    let Filter { r#type, subject } = filter.into_inner();
    let matches = |event: &CloudEvent| {
        r#type.as_ref().is_none_or(|wanted| *wanted == event.r#type)
            && subject.as_ref().is_none_or(|wanted| Some(wanted) == event.subject.as_ref())
    };
    let json = platform.log().to_json(matches);
    HttpResponse::Ok().content_type("application/json").body(json)
}

async fn clear(platform: web::Data<DataPlatform>) -> HttpResponse {
    platform.log().clear();
    HttpResponse::NoContent().finish()
}

fn refuse(status: StatusCode, reason: &dyn std::fmt::Display) -> HttpResponse {
    tracing::warn!(status = status.as_u16(), %reason, "stand-in data platform refuses an event");
    HttpResponse::build(status).json(json!({ "error": reason.to_string() }))
}
