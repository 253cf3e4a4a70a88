//! The caller's cart: showing and changing it.

use std::fmt::Write as _;

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use cart::{Cart, CartError, ShownCart, ShownLine};
use checkout::{CartChange, ChangeCart, offer};
use kernel::{Money, ProductId, UserId};
use order::Basket;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use validator::Validate;

use super::body::{Json, NoBody};
use super::caller::Caller;
use super::conditional::{representation, version_precondition};
use super::params::{NoQuery, PathId, Query};
use super::problem::Problem;
use super::schema::Amount;
use super::services::Services;
use super::wallets::visible_user;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(show_cart)
        .service(put_cart_item)
        .service(remove_cart_item)
        .service(clear_cart)
        .service(show_users_cart);
}

/// A product in a cart, with what the shop says of it now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CartItemResponse {
    #[schema(value_type = uuid::Uuid)]
    product_id: ProductId,
    name: String,
    /// What one piece costs now.
    #[schema(value_type = Amount)]
    unit_price: Money,
    qty: u32,
    #[schema(value_type = Amount)]
    subtotal: Money,
    /// How many pieces there are to buy now; none if the product is not for sale any more.
    stock: u32,
    sold_out: bool,
    /// Whether the product is for sale and as many pieces are left.
    available: bool,
    /// Whether it costs something else than when the quantity was last set.
    price_changed: bool,
    /// What it cost then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Amount>)]
    previous_price: Option<Money>,
}

impl CartItemResponse {
    fn of(line: &ShownLine) -> Self {
        Self {
            product_id: line.product_id,
            name: line.name.clone(),
            unit_price: line.unit_price,
            qty: line.quantity,
            subtotal: line.subtotal,
            stock: line.stock,
            sold_out: line.sold_out(),
            available: line.available,
            price_changed: line.previous_price.is_some(),
            previous_price: line.previous_price,
        }
    }
}

/// A cart, with prices and stock of this moment. It reserves nothing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CartResponse {
    /// In the order in which the products came.
    items: Vec<CartItemResponse>,
    /// How many different products.
    item_count: usize,
    /// How many pieces.
    total_qty: u32,
    /// What all of it comes to now, before any coupon.
    #[schema(value_type = Amount)]
    total_amount: Money,
    /// Whether there is something in it and every piece can be had.
    orderable: bool,
}

impl CartResponse {
    fn of(cart: &ShownCart) -> Self {
        Self {
            items: cart.lines.iter().map(CartItemResponse::of).collect(),
            item_count: cart.lines.len(),
            total_qty: cart.quantity(),
            total_amount: cart.total,
            orderable: cart.is_orderable(),
        }
    }

    /// Returns the tag of this representation of a version of a cart (ADR-037). `If-Match` looks at the
    /// version alone, `If-None-Match` at all of it.
    fn etag(&self, version: u32) -> Result<String, Problem> {
        let text = serde_json::to_string(self).map_err(Problem::internal)?;
        let mut tag = format!("\"{version}-");
        for byte in &Sha256::digest(text.as_bytes())[..8] {
            // Writing to a string does not fail.
            let _ = write!(tag, "{byte:02x}");
        }
        Ok(tag + "\"")
    }
}

/// Looks up what the shop says of the products in a cart.
async fn look_up(services: &Services, cart: &Cart) -> Result<(CartResponse, String), Problem> {
    let ids: Vec<ProductId> = cart.pieces().map(|(product, _)| product).collect();
    let products = services.catalog.find_all(&ids).await?;
    let offers = products.iter().filter_map(offer).map(|offer| (offer.product_id, offer)).collect();
    let response = CartResponse::of(&cart.shown(&offers));
    let etag = response.etag(cart.version)?;
    Ok((response, etag))
}

/// Shows the caller's cart with the prices and the stock of this moment.
#[utoipa::path(tag = "cart", params(("If-None-Match" = Option<String>, Header)), responses(
    (status = 200, description = "The cart; empty for a user who never used one", body = CartResponse),
    (status = 304, description = "The caller has this state of it already, prices and stock included"),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/cart")]
async fn show_cart(
    services: web::Data<Services>,
    caller: Caller,
    request: HttpRequest,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    show(&services, caller.id, &request).await
}

/// Shows a named user's cart.
#[utoipa::path(tag = "cart", params(("id" = uuid::Uuid, Path), ("If-None-Match" = Option<String>, Header)), responses(
    (status = 200, description = "The cart; empty for a user who never used one", body = CartResponse),
    (status = 304, description = "The caller has this state of it already, prices and stock included"),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/users/{id}/cart")]
async fn show_users_cart(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<UserId>,
    request: HttpRequest,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let user = visible_user(&services, caller, id.user()).await?;
    show(&services, user, &request).await
}

async fn show(services: &Services, user: UserId, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let cart = services.carts.cart(user).await?;
    let (response, etag) = look_up(services, &cart).await?;
    representation(request, &etag, &response)
}

/// How many pieces of a product are to be in a cart.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct CartItemRequest {
    #[validate(range(min = 1, max = 1_000, message = "must be between 1 and 1000"))]
    #[schema(example = 2, minimum = 1, maximum = 1_000)]
    qty: u32,
}

/// Sets how many pieces of a product are in the caller's cart. Stock is not asked for: the cart shows it.
#[utoipa::path(tag = "cart", params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = CartItemRequest, responses(
    (status = 200, description = "The cart as it is now", body = CartResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "CONFLICT"),
    (status = 412, description = "PRECONDITION_FAILED"),
))]
#[put("/cart/items/{id}")]
async fn put_cart_item(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<ProductId>,
    request: HttpRequest,
    _query: Query<NoQuery>,
    body: Json<CartItemRequest>,
) -> Result<HttpResponse, Problem> {
    let product = services.catalog.find(id.product()).await?;
    let put = CartChange::Put { product_id: id.product(), product, quantity: body.0.qty };
    change(&services, caller, &request, put).await
}

/// Takes a product out of the caller's cart; one that is not in it is out already.
#[utoipa::path(tag = "cart", params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)), responses(
    (status = 200, description = "The cart as it is now", body = CartResponse),
    (status = 412, description = "PRECONDITION_FAILED"),
))]
#[delete("/cart/items/{id}")]
async fn remove_cart_item(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<ProductId>,
    request: HttpRequest,
    _query: Query<NoQuery>,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    change(&services, caller, &request, CartChange::Remove(id.product())).await
}

/// Takes everything out of the caller's cart.
#[utoipa::path(tag = "cart", params(("If-Match" = Option<String>, Header)), responses(
    (status = 200, description = "The cart, empty", body = CartResponse),
    (status = 412, description = "PRECONDITION_FAILED"),
))]
#[delete("/cart")]
async fn clear_cart(
    services: web::Data<Services>,
    caller: Caller,
    request: HttpRequest,
    _query: Query<NoQuery>,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    change(&services, caller, &request, CartChange::Clear).await
}

async fn change(
    services: &Services,
    caller: Caller,
    request: &HttpRequest,
    change: CartChange,
) -> Result<HttpResponse, Problem> {
    let fits = version_precondition(request)?;
    let precondition = Box::new(move |cart: &Cart| fits(cart.version));
    let cart = services.checkout.change_cart(ChangeCart { user_id: caller.id, change, precondition }).await?;
    let (response, etag) = look_up(services, &cart).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, etag)).json(response))
}

/// Returns what is to be ordered from a user's cart, and which version of it that is; the inner error says
/// why there is nothing to order.
pub(crate) async fn to_order(
    services: &Services,
    user: UserId,
    request: &HttpRequest,
) -> Result<Result<(Basket, u32), CartError>, Problem> {
    let fits = version_precondition(request)?;
    let cart = services.carts.cart(user).await?;
    if !fits(cart.version) {
        return Ok(Err(CartError::NotAsSeen));
    }
    if cart.is_empty() {
        return Ok(Err(CartError::Empty));
    }
    let basket = Basket::new(cart.pieces()).map_err(|error| Problem::at("/fromCart", &error))?;
    Ok(Ok((basket, cart.version)))
}
