//! The payment gateway: takes money by card, once a key, and gives it back.
//!
//! | | |
//! |---|---|
//! | `POST /v1/payments` | takes `{amount, currency: "KRW", cardToken, orderId}`; answers 201, or 202 while it is not settled, with the charge |
//! | `GET /v1/payments?key=` | shows the charge with a key, or 404 `charge_not_found` |
//! | `GET /v1/payments` | lists all charges as `{content: […]}` |
//! | `POST /v1/payments/{id}/refunds` | takes `{amount}`; answers 201 with `{id, key, status, amount}` |
//! | `GET /v1/payments/{id}/refunds` | lists them as `{content: […]}` |
//!
//! A charge is `{id, key, status: "SUCCEEDED" | "DECLINED" | "PENDING", amount, declineCode?,
//! refundedAmount}`. Both POSTs want an `Idempotency-Key`: with one that was there before they answer with
//! what has become of it and do nothing, for another body 409. A refusal is `{error}`.
//!
//! | card token | what happens |
//! |---|---|
//! | `tok_ok` | SUCCEEDED, and a notice while the answer is on its way |
//! | `tok_declined` | DECLINED, `insufficient_funds`, and a notice |
//! | `tok_late` | 202 PENDING; a second later SUCCEEDED, and a notice |
//! | `tok_timeout` | SUCCEEDED, and no answer for a minute; only asking tells |
//! | `tok_error` | 500 and no money; asking shows DECLINED, `processing_error` |
//! | any other | DECLINED, `invalid_card`, and a notice |
//!
//! Notices are signed by Standard Webhooks: `{type: "payment.succeeded" | "payment.failed", timestamp,
//! data: the charge}`, sent up to five times until they are answered 2xx. `PUT /v1/faults` makes charges,
//! refunds and questions by key slow or failing, and neither the lists nor the notices.

mod charge;
mod ledger;
mod notices;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use kernel::{Clock, IdGenerator, Money};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;
use tokio::time::sleep;
use url::Url;
use webhooks::InvalidSecret;

use self::charge::{ChargeRequest, Course, Refusal, Status};
use self::ledger::{CAPACITY, Ledger};
use self::notices::Notices;
use super::faults::FaultSwitch;

/// How long an answer that never comes is not coming.
const SILENCE: Duration = Duration::from_mins(1);
/// How late `tok_late` is.
const LATENESS: Duration = Duration::from_secs(1);
/// The longest body that is taken, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Why there can be no gateway.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The secret has no form that Standard Webhooks knows.
    #[error(transparent)]
    InvalidSecret(#[from] InvalidSecret),
    /// The client that sends the notices cannot be built.
    #[error("the HTTP client for notices could not be built")]
    Client(#[source] reqwest::Error),
}

/// A payment gateway; clones are the same one.
#[derive(Clone)]
pub struct PaymentGateway {
    ids: Arc<dyn IdGenerator>,
    faults: FaultSwitch,
    ledger: Arc<Mutex<Ledger>>,
    notices: Arc<Notices>,
}

impl PaymentGateway {
    /// Makes one that has taken nothing yet, without faults. Its notices go to `notice_url`, if there is
    /// one, signed with `secret`, `whsec_<base64>`.
    ///
    /// # Errors
    /// When the secret has another form.
    pub fn new(
        secret: &SecretString,
        notice_url: Option<Url>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, SetupError> {
        let notices = Arc::new(Notices::new(secret, notice_url, clock, ids.clone())?);
        let ledger = Arc::new(Mutex::new(Ledger::new(CAPACITY)));
        Ok(Self { faults: FaultSwitch::new(ids.clone()), ids, ledger, notices })
    }

    /// Returns how it misbehaves.
    pub(super) const fn faults(&self) -> &FaultSwitch {
        &self.faults
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.ids.uuid().simple())
    }

    /// Takes money; `None` if that is never answered.
    fn charge(&self, request: &HttpRequest, body: &[u8]) -> Option<HttpResponse> {
        let Some(key) = idempotency_key(request) else {
            return Some(refuse(StatusCode::BAD_REQUEST, "missing_idempotency_key"));
        };
        let wanted: ChargeRequest = match serde_json::from_slice(body) {
            Ok(wanted) => wanted,
            Err(_) => return Some(refuse(StatusCode::BAD_REQUEST, "invalid_request")),
        };
        if wanted.currency != "KRW" {
            return Some(refuse(StatusCode::UNPROCESSABLE_ENTITY, "unsupported_currency"));
        }
        if wanted.amount <= Money::ZERO {
            return Some(refuse(StatusCode::UNPROCESSABLE_ENTITY, "invalid_amount"));
        }
        let course = Course::of(&wanted.card_token);
        let charged = self.ledger().charge(key, wanted, || self.new_id("pay"));
        let (charge, is_new) = match charged {
            Ok(charged) => charged,
            Err(refusal) => return Some(refused(refusal)),
        };
        let status =
            if charge.status == Status::Pending { StatusCode::ACCEPTED } else { StatusCode::CREATED };
        let answer = HttpResponse::build(status).json(&charge);
        match course {
            Course::Unanswered => return None,
            Course::Failing => return Some(refuse(StatusCode::INTERNAL_SERVER_ERROR, "processing_error")),
            Course::Prompt | Course::Declined(_) if is_new => self.notices.tell(charge),
            Course::Late if is_new => self.settle_later(charge.key),
            Course::Prompt | Course::Declined(_) | Course::Late => {}
        }
        Some(answer)
    }

    fn settle_later(&self, key: String) {
        let gateway = self.clone();
        tokio::spawn(async move {
            sleep(LATENESS).await;
            let settled = gateway.ledger().settle(&key);
            if let Some(charge) = settled {
                gateway.notices.tell(charge);
            }
        });
    }

    /// Gives money back.
    fn refund(&self, request: &HttpRequest, charge_id: &str, body: &[u8]) -> HttpResponse {
        let Some(key) = idempotency_key(request) else {
            return refuse(StatusCode::BAD_REQUEST, "missing_idempotency_key");
        };
        let Ok(RefundRequest { amount }) = serde_json::from_slice(body) else {
            return refuse(StatusCode::BAD_REQUEST, "invalid_request");
        };
        if amount <= Money::ZERO {
            return refuse(StatusCode::UNPROCESSABLE_ENTITY, "invalid_amount");
        }
        match self.ledger().refund(charge_id, key, amount, || self.new_id("ref")) {
            Ok(refund) => HttpResponse::Created().json(refund),
            Err(refusal) => refused(refusal),
        }
    }
}

/// Registers the routes.
pub fn configure(cfg: &mut web::ServiceConfig, gateway: PaymentGateway) {
    let gateway = web::Data::new(gateway);
    cfg.service(
        web::resource("/v1/payments")
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .app_data(gateway.clone())
            .route(web::post().to(charge))
            .route(web::get().to(show)),
    );
    cfg.service(
        web::resource("/v1/payments/{id}/refunds")
            .app_data(web::PayloadConfig::new(MAX_BODY))
            .app_data(gateway)
            .route(web::post().to(refund))
            .route(web::get().to(refunds)),
    );
}

/// The money is taken before anything is waited for: whoever gives up in between has paid all the same.
async fn charge(gateway: web::Data<PaymentGateway>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let mut is_silent = false;
    let work = || {
        let answer = gateway.charge(&request, &body);
        is_silent = answer.is_none();
        answer.unwrap_or_else(|| HttpResponse::GatewayTimeout().finish())
    };
    let answer = gateway.faults.around(work).await;
    if is_silent {
        sleep(SILENCE).await;
    }
    answer
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundRequest {
    amount: Money,
}

async fn refund(
    gateway: web::Data<PaymentGateway>,
    request: HttpRequest,
    charge_id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    gateway.faults.around(|| gateway.refund(&request, &charge_id, &body)).await
}

/// Which charges are shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    key: Option<String>,
}

async fn show(gateway: web::Data<PaymentGateway>, wanted: web::Query<Wanted>) -> HttpResponse {
    let Some(key) = &wanted.key else {
        return HttpResponse::Ok().json(List { content: &gateway.ledger().all() });
    };
    let work = || match gateway.ledger().find(key) {
        Some(charge) => HttpResponse::Ok().json(charge),
        None => refused(Refusal::NotFound),
    };
    gateway.faults.around(work).await
}

async fn refunds(gateway: web::Data<PaymentGateway>, charge_id: web::Path<String>) -> HttpResponse {
    match gateway.ledger().refunds(&charge_id) {
        Some(refunds) => HttpResponse::Ok().json(List { content: refunds }),
        None => refused(Refusal::NotFound),
    }
}

/// A list as it is shown. In a `Value` amounts would lose their decimals.
#[derive(Serialize)]
struct List<'a, T> {
    content: &'a [T],
}

/// Returns the key by which a repetition is known.
fn idempotency_key(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all("idempotency-key");
    let key = values.next()?.to_str().ok().filter(|key| (1..=255).contains(&key.len()))?;
    values.next().is_none().then_some(key)
}

fn refused(refusal: Refusal) -> HttpResponse {
    let status = match refusal {
        Refusal::NotFound => StatusCode::NOT_FOUND,
        Refusal::KeyReused => StatusCode::CONFLICT,
        Refusal::NotCaptured | Refusal::ExceedsCharge | Refusal::TooMany => StatusCode::UNPROCESSABLE_ENTITY,
    };
    refuse(status, refusal.code())
}

fn refuse(status: StatusCode, code: &str) -> HttpResponse {
    tracing::debug!(status = status.as_u16(), code, "stand-in payment gateway refuses");
    HttpResponse::build(status).json(json!({ "error": code }))
}
