//! Coupons: creating and showing.

use std::collections::BTreeSet;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, get, post, web};
use checkout::Resource;
use coupon::{Benefit, Coupon, CouponCode, CouponError, CouponName, NewCoupon, Period};
use kernel::{CouponId, Money, ProductId, Timestamp, seconds};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::answer::{reply, respond};
use super::body::Json;
use super::caller::Admin;
use super::compression::Coding;
use super::cursor::Cursor;
use super::idempotency::Idempotency;
use super::params::{NoQuery, Query, instant, page_size};
use super::problem::{InvalidMember, Problem};
use super::schema::{Amount, AmountAboveZero, Instant};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(create_coupon).service(list_coupons).service(show_coupon);
}

/// What a coupon takes off.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum CouponType {
    /// A share of the price; `value` is 0.01 to 100.00 percent.
    Percent,
    /// An amount.
    Fixed,
}

impl CouponType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "PERCENT",
            Self::Fixed => "FIXED",
        }
    }
}

/// A coupon to create.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateCouponRequest {
    /// 1 to 64 letters, digits, hyphens and underscores.
    #[schema(example = "WELCOME10", min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$")]
    code: String,
    #[schema(example = "Welcome", min_length = 1, max_length = 200)]
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    name: String,
    #[serde(rename = "type")]
    kind: CouponType,
    /// Percent or an amount, by the type.
    #[schema(value_type = AmountAboveZero)]
    value: Money,
    /// How many pieces there are, 1 to 10,000,000.
    #[schema(example = 1000, minimum = 1, maximum = 10_000_000)]
    quantity: u32,
    /// From when it can be claimed and used.
    #[serde(deserialize_with = "instant")]
    #[schema(value_type = Instant)]
    starts_at: Timestamp,
    /// Until when, exclusive.
    #[serde(deserialize_with = "instant")]
    #[schema(value_type = Instant)]
    ends_at: Timestamp,
    /// What an order must come to before the discount.
    #[schema(value_type = Option<AmountAboveZero>)]
    min_order_amount: Option<Money>,
    /// What it takes off at most.
    #[schema(value_type = Option<AmountAboveZero>)]
    max_discount_amount: Option<Money>,
    /// The only products to which it applies, 1 to 100.
    #[schema(value_type = Option<Vec<uuid::Uuid>>, min_items = 1, max_items = 100)]
    product_ids: Option<BTreeSet<ProductId>>,
}

impl CreateCouponRequest {
    /// Reads the terms, or says of every member what is wrong with it.
    fn terms(&self) -> Result<NewCoupon, Problem> {
        let benefit = Benefit::new(self.kind.as_str(), self.value).unwrap_or(Err(CouponError::InvalidAmount));
        let period = Period::new(self.starts_at, self.ends_at);
        let positive = |amount: Option<Money>| {
            amount.filter(|it| *it <= Money::ZERO).map(|_| CouponError::InvalidAmount)
        };
        let quantity =
            (!(1..=Coupon::MAX_QUANTITY).contains(&self.quantity)).then_some(CouponError::InvalidQuantity);
        let products = self.product_ids.as_ref().map(BTreeSet::len);
        let products = products
            .filter(|count| !(1..=Coupon::MAX_PRODUCTS).contains(count))
            .map(|_| CouponError::InvalidProducts);
        let rest = [
            ("/quantity", quantity),
            ("/minOrderAmount", positive(self.min_order_amount)),
            ("/maxDiscountAmount", positive(self.max_discount_amount)),
            ("/productIds", products),
        ];
        let refused: Vec<_> = rest.into_iter().filter(|(_, error)| error.is_some()).collect();
        match (CouponCode::new(&self.code), CouponName::new(&self.name), benefit, period) {
            (Ok(code), Ok(name), Ok(benefit), Ok(period)) if refused.is_empty() => Ok(NewCoupon {
                code,
                name,
                benefit,
                quantity: self.quantity,
                period,
                min_order_amount: self.min_order_amount,
                max_discount: self.max_discount_amount,
                products: self.product_ids.clone(),
            }),
            (code, name, benefit, period) => {
                let parsed = [
                    ("/code", code.err()),
                    ("/name", name.err()),
                    ("/value", benefit.err()),
                    ("/endsAt", period.err()),
                ];
                let invalid = parsed.into_iter().chain(refused).filter_map(|(pointer, error)| {
                    error.map(|error| InvalidMember::new(pointer, error.to_string()))
                });
                Err(Problem::invalid(invalid.collect()))
            }
        }
    }
}

/// A coupon.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CouponResponse {
    #[schema(value_type = uuid::Uuid)]
    coupon_id: CouponId,
    code: String,
    name: String,
    /// `PERCENT` or `FIXED`.
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = Amount)]
    value: Money,
    quantity: u32,
    /// How many pieces are left.
    remaining: u32,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    starts_at: Timestamp,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    ends_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Amount>)]
    min_order_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Amount>)]
    max_discount_amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<uuid::Uuid>>)]
    product_ids: Option<BTreeSet<ProductId>>,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
}

impl CouponResponse {
    fn of(coupon: &Coupon) -> Self {
        let terms = &coupon.terms;
        Self {
            coupon_id: coupon.id,
            code: terms.code.to_string(),
            name: terms.name.to_string(),
            kind: terms.benefit.kind(),
            value: terms.benefit.value(),
            quantity: terms.quantity,
            remaining: coupon.remaining(),
            starts_at: terms.period.starts_at(),
            ends_at: terms.period.ends_at(),
            min_order_amount: terms.min_order_amount,
            max_discount_amount: terms.max_discount,
            product_ids: terms.products.clone(),
            created_at: coupon.created_at,
        }
    }
}

/// Creates a coupon.
#[utoipa::path(tag = "coupons", request_body = CreateCouponRequest, responses(
    (status = 201, description = "The coupon", body = CouponResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
    (status = 409, description = "CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/coupons")]
async fn create_coupon(
    services: web::Data<Services>,
    admin: Admin,
    idempotency: Idempotency,
    _query: Query<NoQuery>,
    body: Json<CreateCouponRequest>,
) -> Result<HttpResponse, Problem> {
    let terms = body.0.terms()?;
    let request = idempotency.of(admin.0.id, &body.0)?;
    let created = services.checkout.create_coupon(terms, request, |coupon| {
        let resource = Resource::Coupon(coupon.id.as_uuid());
        reply(StatusCode::CREATED, Some(resource), &CouponResponse::of(coupon))
    });
    created.await.map(respond).map_err(Problem::from)
}

/// The code in a path; `None` if no coupon can have it.
pub(crate) struct PathCode(pub(crate) Option<CouponCode>);

impl FromRequest for PathCode {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("code").unwrap_or_default();
        ready(Ok(Self(CouponCode::new(text).ok())))
    }
}

/// Shows a coupon.
#[utoipa::path(tag = "coupons", params(("code" = String, Path)), responses(
    (status = 200, description = "The coupon, with how many pieces are left", body = CouponResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/coupons/{code}")]
async fn show_coupon(
    services: web::Data<Services>,
    code: PathCode,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::not_found("there is no coupon of this code");
    let code = code.0.ok_or_else(missing)?;
    let coupon = services.coupons.find(&code).await?.ok_or_else(missing)?;
    Ok(HttpResponse::Ok().json(CouponResponse::of(&coupon)))
}

/// Which coupons to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
}

/// A page of coupons, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CouponPage {
    content: Vec<CouponResponse>,
    next_cursor: Option<String>,
}

/// Lists the coupons, the newest first.
#[utoipa::path(tag = "coupons", params(ListQuery), responses(
    (status = 200, description = "A page of coupons", body = CouponPage),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/coupons")]
async fn list_coupons(
    services: web::Data<Services>,
    query: Query<ListQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let after = Cursor::decode(query.0.cursor.as_deref())?;
    let page = services.coupons.list(after, page_size(query.0.size)?).await?;
    coding.list(&CouponPage {
        content: page.content.iter().map(CouponResponse::of).collect(),
        next_cursor: page.next.map(|cursor| cursor.encode()),
    })
}
