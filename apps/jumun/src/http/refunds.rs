//! Refunds: giving back a payment or a part of it, and what became of it.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use checkout::{RefundPayment, Rejection, RenderRefund, Resource, UseCaseError, plan_refund};
use kernel::{Money, OrderId, PaymentId, ProductId, RefundId, Timestamp, UserId, seconds};
use order::OrderError;
use refund::{Refund, RefundError, RefundItem, RefundReason, RefundRequest, RefundStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::answer::{problem_reply, reply, respond};
use super::body::{Json, optional_objects};
use super::caller::Caller;
use super::compression::Coding;
use super::context::RequestContext;
use super::idempotency::Idempotency;
use super::params::{NoQuery, PathId, Query};
use super::payments::visible_payment;
use super::problem::Problem;
use super::schema::{Amount, Instant};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(refund_payment).service(preview_refund).service(show_refund).service(list_refunds);
}

/// A product and how many pieces of it to give back.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RefundItemRequest {
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    #[validate(range(min = 1, max = 1_000, message = "must be between 1 and 1000"))]
    #[schema(example = 1, minimum = 1, maximum = 1_000)]
    qty: u32,
}

/// What to give back, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RefundPaymentRequest {
    #[schema(example = "too small", min_length = 1, max_length = 200)]
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    reason: String,
    /// 1 to 100 items; a product that is named twice is added up. Without items all that is left.
    #[validate(length(min = 1, max = 100, message = "must have 1 to 100 items"), nested)]
    #[serde(default, deserialize_with = "optional_objects")]
    #[schema(min_items = 1, max_items = 100)]
    items: Option<Vec<RefundItemRequest>>,
}

impl RefundPaymentRequest {
    fn reason(&self) -> Result<RefundReason, Problem> {
        RefundReason::new(&self.reason).map_err(|error| Problem::at("/reason", &error))
    }

    fn wanted(&self) -> Result<RefundRequest, Problem> {
        let items = self.items.as_ref();
        let items = items.map(|items| items.iter().map(|item| (item.product_id, item.qty)).collect());
        RefundRequest::new(items).map_err(|error| Problem::at("/items", &error))
    }
}

/// Pieces of a product that go back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefundItemResponse {
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    qty: u32,
    /// What is given back for them.
    #[schema(value_type = Amount)]
    amount: Money,
}

impl RefundItemResponse {
    fn of(item: &RefundItem) -> Self {
        Self { product_id: item.product_id, qty: item.quantity, amount: item.amount }
    }
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefundResponse {
    #[schema(value_type = uuid::Uuid)]
    refund_id: RefundId,
    #[schema(value_type = uuid::Uuid)]
    payment_id: PaymentId,
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    /// `PENDING` until the money is back, then `SUCCESS`; `FAILED` if the gateway refuses it.
    status: &'static str,
    reason: String,
    /// What comes back; nothing for money that came too late and is sent back by the system.
    items: Vec<RefundItemResponse>,
    #[schema(value_type = Amount)]
    amount: Money,
    /// What goes back to the wallet.
    #[schema(value_type = Amount)]
    point_amount: Money,
    /// What goes back to the card.
    #[schema(value_type = Amount)]
    card_amount: Money,
    /// The user who asked for it, or `SYSTEM`.
    requested_by: String,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds::optional")]
    #[schema(value_type = Option<Instant>)]
    settled_at: Option<Timestamp>,
}

impl RefundResponse {
    pub(crate) fn of(refund: &Refund) -> Self {
        Self {
            refund_id: refund.id,
            payment_id: refund.payment_id,
            order_id: refund.order_id,
            status: refund.status.as_str(),
            reason: refund.reason.as_str().to_owned(),
            items: refund.items.iter().map(RefundItemResponse::of).collect(),
            amount: refund.amount(),
            point_amount: refund.point_amount,
            card_amount: refund.card_amount,
            requested_by: refund.requested_by.as_ref().map_or_else(|| "SYSTEM".into(), UserId::to_string),
            created_at: refund.created_at,
            settled_at: refund.settled_at,
        }
    }
}

/// Gives a payment back, whole or in part: stock to the shelves, points to the wallet, money to the card.
#[utoipa::path(tag = "refunds", params(("id" = uuid::Uuid, Path)), request_body = RefundPaymentRequest, responses(
    (status = 201, description = "The refund, done", body = RefundResponse),
    (status = 202, description = "The gateway has not confirmed yet: look again at `Location`", body = RefundResponse),
    (status = 400, description = "VALIDATION_ERROR, REFUND_WINDOW_CLOSED"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "ALREADY_REFUNDED, CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/payments/{id}/refund")]
async fn refund_payment(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<PaymentId>,
    idempotency: Idempotency,
    http: HttpRequest,
    _query: Query<NoQuery>,
    body: Json<RefundPaymentRequest>,
) -> Result<HttpResponse, Problem> {
    let payment = visible_payment(&services, caller, id.payment()).await?;
    let wanted = RefundPayment {
        refund_id: RefundId::from_uuid(services.ids.uuid()),
        payment_id: payment.id,
        wanted: body.0.wanted()?,
        reason: body.0.reason()?,
        requested_by: caller.id,
        trace: RequestContext::trace_of(&http),
    };
    let request = idempotency.of(caller.id, &body.0)?;
    let render = render_for(RequestContext::of_message(&http)?);
    services.refunds_desk.refund(wanted, request, render).await.map(respond).map_err(refused)
}

fn refused(error: UseCaseError) -> Problem {
    match error {
        UseCaseError::Rejected(Rejection::Refund(error)) => not_refundable(&error),
        error => error.into(),
    }
}

/// What is wrong with a refund that could be read is wrong with its items.
fn not_refundable(error: &RefundError) -> Problem {
    Problem::at("/items", error)
}

/// Answers a request with what became of its refund. One that the gateway refused is an error, and one that
/// is stored under the request's key, since it tells of something that happened.
fn render_for(context: RequestContext) -> RenderRefund {
    Arc::new(move |refund| {
        let resource = Some(Resource::Refund(refund.id.as_uuid()));
        let status = match refund.status {
            RefundStatus::Success => StatusCode::CREATED,
            RefundStatus::Pending => StatusCode::ACCEPTED,
            RefundStatus::Failed => {
                let problem = Problem::of(&RefundError::RefusedByGateway(refund.id));
                return Ok(problem_reply(&problem, &context, resource));
            }
        };
        reply(status, resource, &RefundResponse::of(refund))
    })
}

/// What a refund would give back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PreviewResponse {
    #[schema(value_type = uuid::Uuid)]
    payment_id: PaymentId,
    items: Vec<RefundItemResponse>,
    #[schema(value_type = Amount)]
    amount: Money,
    #[schema(value_type = Amount)]
    point_amount: Money,
    #[schema(value_type = Amount)]
    card_amount: Money,
    /// Whether nothing would be left.
    full: bool,
}

/// Shows what a refund would give back, and does nothing.
#[utoipa::path(tag = "refunds", params(("id" = uuid::Uuid, Path)), request_body = RefundPaymentRequest, responses(
    (status = 200, description = "What would be given back", body = PreviewResponse),
    (status = 400, description = "VALIDATION_ERROR, REFUND_WINDOW_CLOSED"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "ALREADY_REFUNDED, CONFLICT"),
))]
#[post("/payments/{id}/refund:preview")]
async fn preview_refund(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<PaymentId>,
    _query: Query<NoQuery>,
    body: Json<RefundPaymentRequest>,
) -> Result<HttpResponse, Problem> {
    let payment = visible_payment(&services, caller, id.payment()).await?;
    body.0.reason()?;
    let wanted = body.0.wanted()?;
    let order = services.orders.find(payment.order_id).await?;
    let order = order.ok_or_else(|| Problem::of(&OrderError::NotFound(payment.order_id)))?;
    let earlier = services.refunds.of_payment(payment.id).await?;
    let plan = plan_refund(&order, &payment, &earlier, &wanted, services.clock.now());
    let plan = plan.map_err(|error| not_refundable(&error))?;
    Ok(HttpResponse::Ok().json(PreviewResponse {
        payment_id: payment.id,
        items: plan.items.iter().map(RefundItemResponse::of).collect(),
        amount: plan.amount(),
        point_amount: plan.point_amount,
        card_amount: plan.card_amount,
        full: plan.full,
    }))
}

/// Shows a refund.
#[utoipa::path(tag = "refunds", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The refund", body = RefundResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/refunds/{id}")]
async fn show_refund(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<RefundId>,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let found = services.refunds.find(id.refund()).await?.filter(|refund| caller.may_see(refund.user_id));
    let refund = found.ok_or_else(|| Problem::of(&RefundError::NotFound(id.refund())))?;
    Ok(HttpResponse::Ok().json(RefundResponse::of(&refund)))
}

/// The refunds of a payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefundPage {
    content: Vec<RefundResponse>,
    next_cursor: Option<String>,
}

/// Lists all refunds of a payment, the newest first.
#[utoipa::path(tag = "refunds", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The refunds, on one page", body = RefundPage),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/payments/{id}/refunds")]
async fn list_refunds(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<PaymentId>,
    _query: Query<NoQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let payment = visible_payment(&services, caller, id.payment()).await?;
    let refunds = services.refunds.of_payment(payment.id).await?;
    let content = refunds.iter().map(RefundResponse::of).collect();
    coding.list(&RefundPage { content, next_cursor: None })
}
