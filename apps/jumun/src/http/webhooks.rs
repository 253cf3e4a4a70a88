//! Notices of the payment gateway (Standard Webhooks).

use actix_web::http::header::HeaderValue;
use actix_web::{HttpRequest, HttpResponse, post, web};
use kernel::DomainError;
use payment::{GatewayNotice, PaymentError};
use payment_gateway::{Notice, NoticeError, NoticeKind, Received};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::Raw;
use super::params::{NoQuery, Query};
use super::problem::Problem;
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(hear_gateway);
}

/// What the payment gateway tells of a charge.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "it describes the body, which is checked and read by the gateway's adapter")]
struct NoticeRequest {
    /// `payment.succeeded` or `payment.failed`; others are confirmed and ignored.
    r#type: String,
    /// When it happened.
    timestamp: String,
    /// The charge.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// What a caller is asked for who is not the gateway.
const CHALLENGE: &str = "Signature realm=\"payment-gateway\"";

/// Hears what the payment gateway says of a charge: each notice once, in any order.
#[utoipa::path(tag = "payments", request_body = NoticeRequest,
    params(("webhook-id" = String, Header), ("webhook-timestamp" = i64, Header),
        ("webhook-signature" = String, Header)),
    responses(
    (status = 204, description = "It is taken note of, now or before"),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 401, description = "UNAUTHORIZED"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "CONFLICT"),
))]
#[post("/webhooks/payment-gateway")]
async fn hear_gateway(
    services: web::Data<Services>,
    http: HttpRequest,
    query: Result<Query<NoQuery>, Problem>,
    body: Raw,
) -> Result<HttpResponse, Problem> {
    let values = |name: &'static str| http.headers().get_all(name).map(HeaderValue::as_bytes);
    let received = services.notices.verify(values, &body.0).map_err(|error| match error {
        NoticeError::Unauthorized(_) => Problem::unauthorized(CHALLENGE, "the notice is not believed"),
        NoticeError::Invalid(_) => Problem::of(&error),
    })?;
    // Whoever is not the gateway is told nothing else.
    query?;
    if let Received::Notice(Notice { id, kind, payment_id, charge, .. }) = received {
        let kind = match kind {
            NoticeKind::Succeeded => "payment.succeeded",
            NoticeKind::Failed => "payment.failed",
        };
        let received_at = services.clock.now();
        let notice = GatewayNotice { id, payment_id, kind: kind.to_owned(), received_at };
        services.payments_desk.hear(notice, charge).await.map_err(refused)?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// A notice that cannot be true is not a defect of ours: a person has to look at it.
fn refused(error: checkout::UseCaseError) -> Problem {
    match error {
        checkout::UseCaseError::Rejected(checkout::Rejection::Payment(
            error @ (PaymentError::AmountMismatch | PaymentError::Inconsistent),
        )) => {
            tracing::error!(
                code = error.code(),
                reason = error.to_string(),
                "a notice of the gateway cannot be"
            );
            Problem::conflict("the notice does not fit what is known of the payment")
        }
        error => error.into(),
    }
}
