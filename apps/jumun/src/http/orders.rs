//! Orders: placing and giving up.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use checkout::{
    CancelOrder, OrderCommand, PaymentTerms, PlaceOrder, Receipt, Render, Reply, Resource, UseCaseError,
};
use coupon::{CouponCode, CouponError};
use kernel::{Money, OrderId, PaymentId, ProductId, Timestamp, seconds};
use order::{Basket, Order, OrderLine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::answer::{reply, respond};
use super::body::{Json, NoBody, optional_objects};
use super::caller::Caller;
use super::cart;
use super::conditional::{Tagged, precondition};
use super::context::RequestContext;
use super::idempotency::Idempotency;
use super::order_views::visible_order;
use super::params::{NoQuery, PathId, Query};
use super::problem::Problem;
use super::schema::{Amount, Instant};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(place_order).service(cancel_order);
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

/// When an order is paid.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum PaymentRequest {
    /// At once, with points.
    #[default]
    Point,
    /// Later: stock and coupon are held until the order is paid, cancelled or expires.
    Later,
}

impl PaymentRequest {
    fn terms(self) -> PaymentTerms {
        match self {
            Self::Point => PaymentTerms::Points,
            Self::Later => PaymentTerms::Later,
        }
    }
}

/// An order to place.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PlaceOrderRequest {
    /// 1 to 100 items; a product that is named twice is added up.
    #[validate(length(min = 1, max = 100, message = "must have 1 to 100 items"), nested)]
    #[serde(default, deserialize_with = "optional_objects", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<ItemRequest>>, min_items = 1, max_items = 100)]
    items: Option<Vec<ItemRequest>>,
    /// Whether what is in the buyer's cart is ordered, instead of items; the cart is empty then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    from_cart: bool,
    /// The code of a coupon.
    #[validate(length(min = 1, max = 64, message = "must have 1 to 64 characters"))]
    #[schema(min_length = 1, max_length = 64)]
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

    /// Returns the items that are named; `None` for what is in the cart.
    fn basket(&self) -> Result<Option<Basket>, Problem> {
        match (&self.items, self.from_cart) {
            (Some(items), false) => {
                let items = items.iter().map(|item| (item.product_id, item.qty));
                Basket::new(items).map(Some).map_err(|error| Problem::at("/items", &error))
            }
            (None, true) => Ok(None),
            (Some(_), true) => Err(Problem::invalid_member("/fromCart", "does not go with items")),
            (None, false) => Err(Problem::invalid_member("/items", "are needed, unless fromCart is true")),
        }
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
pub(crate) struct OrderResponse {
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
    /// When it expires unless it is paid; only while it waits.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds::optional")]
    #[schema(value_type = Option<Instant>)]
    expires_at: Option<Timestamp>,
}

impl OrderResponse {
    pub(crate) fn of(order: &Order, balance: Option<Money>) -> Self {
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
            expires_at: order.expires_at,
        }
    }
}

/// Places an order, all or nothing: it is paid with points at once, or waits for its payment.
#[utoipa::path(tag = "orders", params(("If-Match" = Option<String>, Header, description = "The tag of the cart that is ordered from")),
    request_body = PlaceOrderRequest, responses(
    (status = 201, description = "The order, paid or waiting for its payment", body = OrderResponse),
    (status = 400, description = "VALIDATION_ERROR, AMOUNT_BELOW_MINIMUM, COUPON_INVALID"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "OUT_OF_STOCK, INSUFFICIENT_BALANCE, CONFLICT, REQUEST_IN_PROGRESS"),
    (status = 412, description = "PRECONDITION_FAILED"),
))]
#[post("/orders")]
async fn place_order(
    services: web::Data<Services>,
    caller: Caller,
    idempotency: Idempotency,
    http: HttpRequest,
    _query: Query<NoQuery>,
    body: Json<PlaceOrderRequest>,
) -> Result<HttpResponse, Problem> {
    let named = body.0.basket()?;
    let request = idempotency.of(caller.id, &body.0)?;
    let (basket, cart) = match named {
        Some(basket) => (basket, None),
        None => match cart::to_order(&services, caller.id, &http).await? {
            Ok((basket, version)) => (basket, Some(version)),
            Err(refusal) => {
                let refused = services.checkout.refuse(refusal, request).await;
                return refused.map(respond).map_err(cart_refused);
            }
        },
    };
    let command = OrderCommand {
        order_id: OrderId::from_uuid(services.ids.uuid()),
        payment_id: PaymentId::from_uuid(services.ids.uuid()),
        terms: body.0.payment.terms(),
        user_id: caller.id,
        basket,
        cart,
        expected_amount: body.0.expected_amount,
        coupon_code: body.0.coupon()?,
        trace: RequestContext::trace_of(&http),
    };
    services.order_lanes.place(PlaceOrder { command, request }).await.map(respond).map_err(Problem::from)
}

/// A cart that cannot be ordered is what is wrong with `fromCart`.
fn cart_refused(error: UseCaseError) -> Problem {
    match error {
        UseCaseError::Rejected(rejection) => Problem::at("/fromCart", &rejection),
        failed @ UseCaseError::Failed(_) => failed.into(),
    }
}

/// Tells a buyer of the order.
pub const RENDER_ORDER: Render<Receipt> = |receipt| {
    let resource = Resource::Order(receipt.order.id.as_uuid());
    reply(StatusCode::CREATED, Some(resource), &OrderResponse::of(&receipt.order, Some(receipt.balance)))
};

/// Gives an order up that waits for its payment; its stock and its coupon go back.
#[utoipa::path(tag = "orders",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, description = "The order, cancelled", body = OrderResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "CONFLICT, REQUEST_IN_PROGRESS"),
    (status = 412, description = "PRECONDITION_FAILED"),
))]
#[post("/orders/{id}/cancel")]
async fn cancel_order(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<OrderId>,
    idempotency: Idempotency,
    http: HttpRequest,
    _query: Query<NoQuery>,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let order = visible_order(&services, caller, id.order()).await?;
    let fits = precondition(&http)?;
    let cancel = CancelOrder {
        order_id: order.id,
        by: caller.id,
        precondition: Box::new(move |order: &Order| fits(&order.etag())),
        trace: RequestContext::trace_of(&http),
    };
    let request = idempotency.of(caller.id, &())?;
    let cancelled = services.checkout.cancel_order(cancel, request, render_cancelled).await;
    cancelled.map(respond).map_err(Problem::from)
}

fn render_cancelled(order: &Order) -> Result<Reply, serde_json::Error> {
    reply(StatusCode::OK, Some(Resource::Order(order.id.as_uuid())), &OrderResponse::of(order, None))
}
