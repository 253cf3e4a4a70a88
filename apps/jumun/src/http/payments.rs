//! Payments: paying an order that waits for it, and what became of each attempt.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use checkout::{PayOrder, Rejection, RenderPayment, Resource, UseCaseError};
use kernel::{Money, OrderId, PaymentId, Timestamp, UserId, seconds};
use payment::{CardToken, FailureReason, Payment, PaymentError, PaymentFilter, PaymentStatus, Tender};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::answer::{problem_reply, reply, respond};
use super::body::Json;
use super::caller::Caller;
use super::compression::Coding;
use super::context::RequestContext;
use super::cursor::Cursor;
use super::idempotency::Idempotency;
use super::order_views::visible_order;
use super::params::{NoQuery, PathId, Query, page_size};
use super::problem::Problem;
use super::schema::{Amount, Instant, PaymentStatusName, Price};
use super::services::Services;
use super::wallets::visible_user;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(pay_order).service(show_payment).service(list_order_payments).service(list_user_payments);
}

/// What an order is paid with.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum MethodRequest {
    /// Points alone.
    Point,
    /// A card, and points beside it if `usePoint` says how many.
    Card,
}

/// A payment to make.
#[derive(Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PayRequest {
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    method: MethodRequest,
    /// What the gateway gave the buyer in place of a card; needed to pay by card.
    #[schema(example = "tok_ok", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    card_token: Option<String>,
    /// How much is paid with points, beside the card.
    #[schema(value_type = Option<Price>)]
    use_point: Option<Money>,
}

impl PayRequest {
    fn tender(&self) -> Result<Tender, Problem> {
        match (self.method, &self.card_token, self.use_point) {
            (MethodRequest::Point, None, None) => Ok(Tender::Points),
            (MethodRequest::Point, Some(_), _) => {
                Err(Problem::invalid_member("/cardToken", "goes with the method CARD only"))
            }
            (MethodRequest::Point, None, Some(_)) => {
                Err(Problem::invalid_member("/usePoint", "goes with the method CARD only"))
            }
            (MethodRequest::Card, None, _) => {
                Err(Problem::invalid_member("/cardToken", "is needed to pay by card"))
            }
            (MethodRequest::Card, Some(token), points) => {
                let token = CardToken::new(token).map_err(|error| Problem::at("/cardToken", &error))?;
                let points = points.unwrap_or(Money::ZERO);
                if points.is_negative() {
                    return Err(Problem::at("/usePoint", &PaymentError::InvalidPoints));
                }
                Ok(Tender::Card { token, points })
            }
        }
    }
}

/// An attempt to pay an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentResponse {
    #[schema(value_type = uuid::Uuid)]
    payment_id: PaymentId,
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    /// `PENDING`, `SUCCESS`, `FAILED`, or `REVERSED` for money that came too late and goes back.
    status: &'static str,
    /// `POINT` or `CARD`.
    method: &'static str,
    #[schema(value_type = Amount)]
    amount: Money,
    #[schema(value_type = Amount)]
    point_amount: Money,
    #[schema(value_type = Amount)]
    card_amount: Money,
    /// `DECLINED`, `GATEWAY_UNREACHABLE`, `UNKNOWN_TO_GATEWAY` or `ORDER_NOT_PAYABLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    /// Why the card was declined, in the gateway's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds::optional")]
    #[schema(value_type = Option<Instant>)]
    settled_at: Option<Timestamp>,
}

impl PaymentResponse {
    pub(crate) fn of(payment: &Payment) -> Self {
        Self {
            payment_id: payment.id,
            order_id: payment.order_id,
            user_id: payment.user_id,
            status: payment.status.as_str(),
            method: if payment.card_amount == Money::ZERO { "POINT" } else { "CARD" },
            amount: payment.amount(),
            point_amount: payment.point_amount,
            card_amount: payment.card_amount,
            failure_reason: payment.failure.map(FailureReason::as_str),
            decline_code: payment.decline_code.clone(),
            created_at: payment.created_at,
            settled_at: payment.settled_at,
        }
    }
}

/// Pays an order that waits for its payment, with points, by card, or with both.
#[utoipa::path(tag = "payments", request_body = PayRequest, responses(
    (status = 201, description = "The payment; the order is paid", body = PaymentResponse),
    (status = 202, description = "The gateway has not answered yet: look again at `Location`", body = PaymentResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 402, description = "PAYMENT_DECLINED"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "ALREADY_PAID, INSUFFICIENT_BALANCE, CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/payments")]
async fn pay_order(
    services: web::Data<Services>,
    caller: Caller,
    idempotency: Idempotency,
    http: HttpRequest,
    _query: Query<NoQuery>,
    body: Json<PayRequest>,
) -> Result<HttpResponse, Problem> {
    let pay = PayOrder {
        payment_id: PaymentId::from_uuid(services.ids.uuid()),
        order_id: body.0.order_id,
        user_id: caller.id,
        tender: body.0.tender()?,
        trace: RequestContext::trace_of(&http),
    };
    let request = idempotency.of(caller.id, &body.0)?;
    let render = render_for(RequestContext::of_message(&http)?);
    services.payments_desk.pay(pay, request, render).await.map(respond).map_err(refused)
}

/// How many points are too many is known once the order is.
fn refused(error: UseCaseError) -> Problem {
    match error {
        UseCaseError::Rejected(Rejection::Payment(error @ PaymentError::InvalidPoints)) => {
            Problem::at("/usePoint", &error)
        }
        error => error.into(),
    }
}

/// Answers a request with what became of its attempt. A card that was declined is an error, and one that is
/// stored under the request's key, since it tells of something that happened.
fn render_for(context: RequestContext) -> RenderPayment {
    Arc::new(move |payment| {
        let resource = Some(Resource::Payment(payment.id.as_uuid()));
        let problem = match (payment.status, payment.failure) {
            (PaymentStatus::Success, _) => {
                return reply(StatusCode::CREATED, resource, &PaymentResponse::of(payment));
            }
            (PaymentStatus::Pending, _) => {
                return reply(StatusCode::ACCEPTED, resource, &PaymentResponse::of(payment));
            }
            (PaymentStatus::Failed, Some(FailureReason::Declined)) => Problem::of(&PaymentError::Declined {
                payment: payment.id,
                code: payment.decline_code.clone().unwrap_or_default(),
            }),
            (PaymentStatus::Failed, _) => Problem::of(&PaymentError::GatewayUnreachable),
            (PaymentStatus::Reversed, _) => Problem::of(&PaymentError::TooLate(payment.id)),
        };
        Ok(problem_reply(&problem, &context, resource))
    })
}

pub(crate) async fn visible_payment(
    services: &Services,
    caller: Caller,
    id: PaymentId,
) -> Result<Payment, Problem> {
    let found = services.payments.find(id).await?.filter(|payment| caller.may_see(payment.user_id));
    found.ok_or_else(|| Problem::of(&PaymentError::NotFound(id)))
}

/// Shows a payment.
#[utoipa::path(tag = "payments", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The payment", body = PaymentResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/payments/{id}")]
async fn show_payment(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<PaymentId>,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let payment = visible_payment(&services, caller, id.payment()).await?;
    Ok(HttpResponse::Ok().json(PaymentResponse::of(&payment)))
}

/// Which payments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatusQuery {
    /// Only payments in this status.
    #[param(inline, value_type = Option<PaymentStatusName>)]
    status: Option<String>,
}

fn status_of(text: Option<String>) -> Result<Option<PaymentStatus>, Problem> {
    let status = text.map(|text| {
        let invalid = || Problem::invalid_member("/status", "must be a status of a payment");
        PaymentStatus::parse(&text).ok_or_else(invalid)
    });
    status.transpose()
}

/// Payments.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PaymentPage {
    content: Vec<PaymentResponse>,
    next_cursor: Option<String>,
}

/// Lists all attempts to pay an order, the oldest first.
#[utoipa::path(tag = "payments", params(("id" = uuid::Uuid, Path), StatusQuery), responses(
    (status = 200, description = "The attempts, on one page", body = PaymentPage),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/orders/{id}/payments")]
async fn list_order_payments(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<OrderId>,
    query: Query<StatusQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let status = status_of(query.0.status)?;
    let order = visible_order(&services, caller, id.order()).await?;
    let payments = services.payments.of_order(order.id).await?;
    let shown = payments.iter().filter(|payment| status.is_none_or(|status| payment.status == status));
    let content = shown.map(PaymentResponse::of).collect();
    coding.list(&PaymentPage { content, next_cursor: None })
}

/// Which of a user's payments to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only payments in this status.
    #[param(inline, value_type = Option<PaymentStatusName>)]
    status: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
}

/// Lists the payments of a user, the newest first.
#[utoipa::path(tag = "payments", params(("id" = uuid::Uuid, Path), ListQuery), responses(
    (status = 200, description = "A page of payments", body = PaymentPage),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/users/{id}/payments")]
async fn list_user_payments(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<UserId>,
    query: Query<ListQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let ListQuery { status, cursor, size } = query.0;
    let status = status_of(status)?;
    let after = Cursor::decode(cursor.as_deref())?;
    let size = page_size(size)?;
    let user_id = visible_user(&services, caller, id.user()).await?;
    let page = services.payments.list(PaymentFilter { user_id, status }, after, size).await?;
    coding.list(&PaymentPage {
        content: page.content.iter().map(PaymentResponse::of).collect(),
        next_cursor: page.next.map(|cursor| cursor.encode()),
    })
}
