//! From the answers of use cases to HTTP responses.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, LOCATION};
use checkout::{Answer, Reply, Resource};
use serde::Serialize;

use super::context::RequestContext;
use super::problem::Problem;

/// Writes a reply that can be stored with the effect it tells of.
pub(crate) fn reply(
    status: StatusCode,
    resource: Option<Resource>,
    body: &impl Serialize,
) -> Result<Reply, serde_json::Error> {
    Ok(Reply { status: status.as_u16(), body: serde_json::to_string(body)?, resource })
}

/// Writes an error that is stored with the effect it tells of, as its caller is to get it.
pub(crate) fn problem_reply(
    problem: &Problem,
    context: &RequestContext,
    resource: Option<Resource>,
) -> Reply {
    Reply { status: problem.status().as_u16(), body: problem.text(context), resource }
}

/// Sends an answer as it was stored, and says so if it is a repetition.
pub(crate) fn respond(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    if answer.replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    if matches!(status, StatusCode::CREATED | StatusCode::ACCEPTED)
        && let Some(location) = answer.reply.resource.and_then(location)
    {
        response.insert_header((LOCATION, location));
    }
    if status.is_client_error() {
        return response.content_type(Problem::MEDIA_TYPE).body(answer.reply.body);
    }
    response.insert_header(ContentType::json()).body(answer.reply.body)
}

fn location(resource: Resource) -> Option<String> {
    match resource {
        Resource::Order(id) => Some(format!("/api/v1/orders/{id}")),
        Resource::Product(id) => Some(format!("/api/v1/products/{id}")),
        Resource::Payment(id) => Some(format!("/api/v1/payments/{id}")),
        Resource::Refund(id) => Some(format!("/api/v1/refunds/{id}")),
        // Coupons are looked up by their code; what a user holds has no page of its own.
        Resource::Wallet(_) | Resource::Coupon(_) | Resource::UserCoupon(_) => None,
    }
}
