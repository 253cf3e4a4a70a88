//! Orders: showing, listing, and how each came to its status.

use actix_web::{HttpRequest, HttpResponse, get, web};
use kernel::{OrderId, Timestamp, UserId, seconds};
use order::{Actor, Order, OrderError, OrderFilter, OrderStatus, StatusChange};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::compression::Coding;
use super::conditional::{Tagged, representation};
use super::cursor::Cursor;
use super::orders::OrderResponse;
use super::params::{NoQuery, PathId, Query, optional_instant, page_size};
use super::payments::PaymentResponse;
use super::problem::Problem;
use super::refunds::RefundResponse;
use super::schema::{Instant, OrderStatusName};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(list_orders).service(show_order).service(show_order_history);
}

/// Which of the caller's orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only orders in this status.
    #[param(inline, value_type = Option<OrderStatusName>)]
    status: Option<String>,
    /// Only orders placed at this time or later.
    #[serde(default, deserialize_with = "optional_instant")]
    #[param(value_type = Option<Instant>)]
    from: Option<Timestamp>,
    /// Only orders placed before this time.
    #[serde(default, deserialize_with = "optional_instant")]
    #[param(value_type = Option<Instant>)]
    to: Option<Timestamp>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
}

/// A page of orders, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderPage {
    content: Vec<OrderResponse>,
    next_cursor: Option<String>,
}

/// Lists the caller's orders, the newest first.
#[utoipa::path(tag = "orders", params(ListQuery), responses(
    (status = 200, description = "A page of orders", body = OrderPage),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/orders")]
async fn list_orders(
    services: web::Data<Services>,
    caller: Caller,
    query: Query<ListQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let ListQuery { status, from, to, cursor, size } = query.0;
    let status = status.map(|text| {
        let invalid = || Problem::invalid_member("/status", "must be a status of an order");
        OrderStatus::parse(&text).ok_or_else(invalid)
    });
    let filter = OrderFilter { user_id: caller.id, status: status.transpose()?, from, to };
    let after = Cursor::decode(cursor.as_deref())?;
    let page = services.orders.list(&filter, after, page_size(size)?).await?;
    coding.list(&OrderPage {
        content: page.content.iter().map(|order| OrderResponse::of(order, None)).collect(),
        next_cursor: page.next.map(|cursor| cursor.encode()),
    })
}

/// Shows an order.
#[utoipa::path(tag = "orders", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The order", body = OrderResponse),
    (status = 304, description = "The caller has this state of it already"),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/orders/{id}")]
async fn show_order(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<OrderId>,
    request: HttpRequest,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let order = visible_order(&services, caller, id.order()).await?;
    representation(&request, &order.etag(), &OrderResponse::of(&order, None))
}

pub(crate) async fn visible_order(
    services: &Services,
    caller: Caller,
    id: OrderId,
) -> Result<Order, Problem> {
    let found = services.orders.find(id).await?.filter(|order| caller.may_see(order.user_id));
    found.ok_or_else(|| Problem::of(&OrderError::NotFound(id)))
}

/// A change of an order's status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeResponse {
    /// The status before; none for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    /// The status after.
    status: &'static str,
    /// The user who changed it, or `SYSTEM`.
    changed_by: String,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    changed_at: Timestamp,
}

impl ChangeResponse {
    fn of(change: &StatusChange) -> Self {
        Self {
            from: change.from.map(OrderStatus::as_str),
            status: change.to.as_str(),
            changed_by: match change.changed_by {
                Actor::User(user) => UserId::to_string(&user),
                Actor::System => "SYSTEM".to_owned(),
            },
            changed_at: change.changed_at,
        }
    }
}

/// The history of an order, the first change first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HistoryResponse {
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    history: Vec<ChangeResponse>,
    /// What was paid, or should have been, the oldest first; also money that came too late.
    payments: Vec<PaymentResponse>,
    /// What was given back, of all payments; also by the system.
    refunds: Vec<RefundResponse>,
}

/// Shows how an order came to its status.
#[utoipa::path(tag = "orders", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "Each status with its time and who changed it, and the money that moved", body = HistoryResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/orders/{id}/history")]
async fn show_order_history(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<OrderId>,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let order = visible_order(&services, caller, id.order()).await?;
    let changes = services.orders.history(order.id).await?;
    let payments = services.payments.of_order(order.id).await?;
    let mut refunds = Vec::new();
    for payment in payments.iter().filter(|payment| payment.settled_at.is_some()) {
        refunds.extend(services.refunds.of_payment(payment.id).await?.iter().map(RefundResponse::of));
    }
    Ok(HttpResponse::Ok().json(HistoryResponse {
        order_id: order.id,
        history: changes.iter().map(ChangeResponse::of).collect(),
        payments: payments.iter().map(PaymentResponse::of).collect(),
        refunds,
    }))
}
