//! Orders: placing, showing, listing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use checkout::{OrderCommand, PlaceOrder, Receipt, Reply, Resource};
use coupon::{CouponCode, CouponError};
use kernel::{Money, OrderId, PaymentId, ProductId, Timestamp, UserId, seconds};
use order::{Actor, Basket, Order, OrderError, OrderFilter, OrderLine, OrderStatus, StatusChange};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::answer::{reply, respond};
use super::body::{Json, objects};
use super::caller::Caller;
use super::conditional::{Tagged, representation};
use super::context::RequestContext;
use super::cursor::Cursor;
use super::idempotency::Idempotency;
use super::params::{PathId, Query, optional_instant, page_size};
use super::problem::Problem;
use super::schema::{Amount, Instant};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(place_order).service(list_orders).service(show_order).service(show_order_history);
}

/// A product and how many pieces of it.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ItemRequest {
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    #[validate(range(min = 1, max = 1_000, message = "must be between 1 and 1000"))]
    #[schema(example = 2, minimum = 1, maximum = 1_000)]
    qty: u32,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
enum PaymentRequest {
    /// With points, at once.
    #[default]
    #[serde(rename = "POINT")]
    Point,
}

/// An order to place.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PlaceOrderRequest {
    /// 1 to 100 items; a product that is named twice is added up.
    #[validate(length(min = 1, max = 100, message = "must have 1 to 100 items"), nested)]
    #[serde(deserialize_with = "objects")]
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<ItemRequest>,
    /// The code of a coupon.
    #[validate(length(min = 1, max = 64, message = "must have 1 to 64 characters"))]
    #[schema(max_length = 64)]
    coupon_code: Option<String>,
    #[serde(default)]
    payment: PaymentRequest,
    /// What the buyer expects to pay; another sum is refused.
    #[schema(value_type = Option<Amount>)]
    expected_amount: Option<Money>,
}

impl PlaceOrderRequest {
    /// Reads the code; nobody holds a coupon of a code that cannot be one.
    fn coupon(&self) -> Result<Option<CouponCode>, Problem> {
        let code = self.coupon_code.as_deref().map(CouponCode::new).transpose();
        code.map_err(|_| Problem::of(&CouponError::NotHeld))
    }

    fn basket(&self) -> Result<Basket, Problem> {
        let items = self.items.iter().map(|item| (item.product_id, item.qty));
        Basket::new(items).map_err(|error| Problem::at("/items", &error))
    }
}

/// A line of an order; name and price are those of the moment of the order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LineResponse {
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    name: String,
    #[schema(value_type = Amount)]
    unit_price: Money,
    qty: u32,
    #[schema(value_type = Amount)]
    subtotal: Money,
}

impl LineResponse {
    fn of(line: &OrderLine) -> Self {
        Self {
            product_id: line.product_id,
            name: line.name.clone(),
            unit_price: line.unit_price,
            qty: line.quantity,
            subtotal: line.subtotal,
        }
    }
}

/// The coupon that an order used.
#[derive(Debug, Serialize, ToSchema)]
struct AppliedCouponResponse {
    code: String,
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OrderResponse {
    #[schema(value_type = uuid::Uuid)]
    order_id: OrderId,
    /// `PENDING`, `PAID`, `CANCELLED`, `EXPIRED`, `PARTIALLY_REFUNDED` or `REFUNDED`.
    status: &'static str,
    #[schema(value_type = Amount)]
    total_amount: Money,
    #[schema(value_type = Amount)]
    discount_amount: Money,
    #[schema(value_type = Amount)]
    paid_amount: Money,
    /// The coupon that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_coupon: Option<AppliedCouponResponse>,
    items: Vec<LineResponse>,
    /// What is left in the buyer's wallet; only in the answer to a new order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Amount>)]
    user_point_balance: Option<Money>,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
}

impl OrderResponse {
    fn of(order: &Order, balance: Option<Money>) -> Self {
        Self {
            order_id: order.id,
            status: order.status.as_str(),
            total_amount: order.total,
            discount_amount: order.discount,
            paid_amount: order.paid,
            applied_coupon: order
                .coupon
                .as_ref()
                .map(|coupon| AppliedCouponResponse { code: coupon.code.clone() }),
            items: order.lines.iter().map(LineResponse::of).collect(),
            user_point_balance: balance,
            created_at: order.created_at,
        }
    }
}

/// Places an order and pays it with points, all or nothing.
#[utoipa::path(tag = "orders", request_body = PlaceOrderRequest, responses(
    (status = 201, description = "The order, paid", body = OrderResponse),
    (status = 400, description = "VALIDATION_ERROR, AMOUNT_BELOW_MINIMUM, COUPON_INVALID"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "OUT_OF_STOCK, INSUFFICIENT_BALANCE, CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/orders")]
async fn place_order(
    services: web::Data<Services>,
    caller: Caller,
    idempotency: Idempotency,
    http: HttpRequest,
    body: Json<PlaceOrderRequest>,
) -> Result<HttpResponse, Problem> {
    let command = OrderCommand {
        order_id: OrderId::from_uuid(services.ids.uuid()),
        payment_id: PaymentId::from_uuid(services.ids.uuid()),
        user_id: caller.id,
        basket: body.0.basket()?,
        expected_amount: body.0.expected_amount,
        coupon_code: body.0.coupon()?,
        trace: RequestContext::trace_of(&http),
    };
    let request = idempotency.of(caller.id, &body.0)?;
    services
        .checkout
        .place_order(PlaceOrder { command, request }, render)
        .await
        .map(respond)
        .map_err(Problem::from)
}

fn render(receipt: &Receipt) -> Result<Reply, serde_json::Error> {
    let resource = Resource::Order(receipt.order.id.as_uuid());
    reply(StatusCode::CREATED, Some(resource), &OrderResponse::of(&receipt.order, Some(receipt.balance)))
}

/// Which of the caller's orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only orders in this status.
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
) -> Result<HttpResponse, Problem> {
    let ListQuery { status, from, to, cursor, size } = query.0;
    let status = status.map(|text| {
        let invalid = || Problem::invalid_member("/status", "must be a status of an order");
        OrderStatus::parse(&text).ok_or_else(invalid)
    });
    let filter = OrderFilter { user_id: caller.id, status: status.transpose()?, from, to };
    let after = Cursor::decode(cursor.as_deref())?;
    let page = services.orders.list(&filter, after, page_size(size)?).await?;
    Ok(HttpResponse::Ok().json(OrderPage {
        content: page.content.iter().map(|order| OrderResponse::of(order, None)).collect(),
        next_cursor: page.next.map(|cursor| cursor.encode()),
    }))
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
) -> Result<HttpResponse, Problem> {
    let order = visible_order(&services, caller, id.order()).await?;
    representation(&request, &order.etag(), &OrderResponse::of(&order, None))
}

async fn visible_order(services: &Services, caller: Caller, id: OrderId) -> Result<Order, Problem> {
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
}

/// Shows how an order came to its status.
#[utoipa::path(tag = "orders", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "Each status with its time and who changed it", body = HistoryResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/orders/{id}/history")]
async fn show_order_history(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<OrderId>,
) -> Result<HttpResponse, Problem> {
    let order = visible_order(&services, caller, id.order()).await?;
    let changes = services.orders.history(order.id).await?;
    let history = changes.iter().map(ChangeResponse::of).collect();
    Ok(HttpResponse::Ok().json(HistoryResponse { order_id: order.id, history }))
}
