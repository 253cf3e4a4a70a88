//! Products: reading for everybody, changing for administrators.

use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};
use checkout::{
    AdjustStock, ChangeProduct, CreateProducts, OnError, ProductDraft, ProductOutcome, Reply, Resource,
};
use kernel::{DomainError, Money, Page, PageRequest, ProductId, Timestamp, seconds};
use product::{
    AdjustmentReason, ListedProduct, NewProduct, Product, ProductChange, ProductError, ProductFilter,
    ProductName, ProductSort, ProductStatus,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::answer::{reply, respond};
use super::body::Json;
use super::caller::{Admin, Visitor};
use super::compression::Coding;
use super::conditional::{Tagged, precondition, representation};
use super::context::RequestContext;
use super::idempotency::Idempotency;
use super::params::{NoQuery, PathId, Query, page_size};
use super::problem::Problem;
use super::schema::{Amount, Instant, Price, ProductStatusName};
use super::services::Services;
use super::shared_lists::{SharedList, SharedLists, product_page};

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(list_products)
        .service(show_product)
        .service(create_product)
        .service(change_product)
        .service(adjust_product_stock);
}

/// Which products to list, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The page, from 0.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    page: Option<u32>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
    /// `createdAt`, `price` or `name`, with `,asc` or `,desc`.
    #[param(example = "createdAt,desc", pattern = "^(createdAt|price|name)(,(asc|desc))?$")]
    sort: Option<String>,
    /// Only names that contain this text.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Only prices from here.
    #[param(value_type = Option<Amount>)]
    min_price: Option<String>,
    /// Only prices up to here, inclusive.
    #[param(value_type = Option<Amount>)]
    max_price: Option<String>,
    /// Only products with stock, or without.
    in_stock: Option<bool>,
}

impl ListQuery {
    fn read(self) -> Result<(ProductFilter, ProductSort, PageRequest), Problem> {
        let amount = |text: Option<String>, pointer| {
            let parsed = text.map(|text| text.parse::<Money>()).transpose();
            parsed.map_err(|error| Problem::invalid_member(pointer, error.to_string()))
        };
        if self.q.as_ref().is_some_and(|q| q.chars().count() > 200) {
            return Err(Problem::invalid_member("/q", "must have at most 200 characters"));
        }
        let filter = ProductFilter {
            name_contains: self.q.filter(|q| !q.is_empty()),
            min_price: amount(self.min_price, "/minPrice")?,
            max_price: amount(self.max_price, "/maxPrice")?,
            in_stock: self.in_stock,
        };
        let page = PageRequest { page: self.page.unwrap_or(0), size: page_size(self.size)? };
        Ok((filter, sort(self.sort.as_deref())?, page))
    }
}

fn sort(text: Option<&str>) -> Result<ProductSort, Problem> {
    match text {
        None | Some("createdAt,desc") => Ok(ProductSort::NewestFirst),
        Some("createdAt,asc" | "createdAt") => Ok(ProductSort::OldestFirst),
        Some("price,asc" | "price") => Ok(ProductSort::PriceAscending),
        Some("price,desc") => Ok(ProductSort::PriceDescending),
        Some("name,asc" | "name") => Ok(ProductSort::NameAscending),
        Some("name,desc") => Ok(ProductSort::NameDescending),
        Some(_) => {
            Err(Problem::invalid_member("/sort", "must be createdAt, price or name with ,asc or ,desc"))
        }
    }
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductResponse {
    #[schema(value_type = uuid::Uuid)]
    id: ProductId,
    name: String,
    #[schema(value_type = Amount)]
    price: Money,
    /// How many pieces are left now.
    stock: u32,
    sold_out: bool,
    /// `ACTIVE` or `INACTIVE`.
    status: &'static str,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
}

impl ProductResponse {
    pub(crate) fn of(product: &Product) -> Self {
        Self {
            id: product.id,
            name: product.name.to_string(),
            price: product.price,
            stock: product.stock,
            sold_out: product.stock == 0,
            status: product.status.as_str(),
            created_at: product.created_at,
        }
    }

    fn listed(product: &ListedProduct) -> Self {
        Self {
            id: product.id,
            name: product.name.to_string(),
            price: product.price,
            stock: product.stock,
            sold_out: product.stock == 0,
            status: ProductStatus::Active.as_str(),
            created_at: product.created_at,
        }
    }
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductPage {
    content: Vec<ProductResponse>,
    page: u32,
    size: u32,
    /// How many there are in all; it may lag behind by seconds.
    total_elements: u64,
    total_pages: u64,
}

impl ProductPage {
    pub(crate) fn of(page: &Page<ListedProduct>) -> Self {
        Self {
            content: page.content.iter().map(ProductResponse::listed).collect(),
            page: page.request.page,
            size: page.request.size.get(),
            total_elements: page.total,
            total_pages: page.pages(),
        }
    }
}

/// Lists the products that are for sale.
#[utoipa::path(tag = "products", params(ListQuery), responses(
    (status = 200, description = "A page of products", body = ProductPage),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/products")]
async fn list_products(
    services: web::Data<Services>,
    lists: web::Data<SharedLists>,
    query: Query<ListQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let (filter, sort, request) = query.0.read()?;
    // Lists with a filter may be slow, and there are as many as callers think of: nobody waits for another's.
    let page = if filter == ProductFilter::default() {
        lists.get(SharedList::Products(sort, request), coding).await?
    } else {
        product_page(services.catalog.as_ref(), &filter, sort, request, coding).await?
    };
    Ok(page.respond())
}

/// Shows a product, and counts that it was looked at.
#[utoipa::path(tag = "products", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The product", body = ProductResponse),
    (status = 304, description = "The caller has this state of it already"),
    (status = 401, description = "UNAUTHORIZED"),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/products/{id}")]
async fn show_product(
    services: web::Data<Services>,
    visitor: Visitor,
    id: PathId<ProductId>,
    request: HttpRequest,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let found = services.catalog.find(id.product()).await?;
    let visible = found.filter(|product| product.status == ProductStatus::Active || visitor.is_admin());
    let product = visible.ok_or_else(|| Problem::of(&ProductError::NotFound(id.product())))?;
    services.popular.record_view(product.id);
    representation(&request, &product.etag(), &ProductResponse::of(&product))
}

/// A product to create.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProductRequest {
    #[validate(length(min = 1, max = 200, message = "must have 1 to 200 characters"))]
    #[schema(example = "Oolong tea, 100 g", min_length = 1, max_length = 200)]
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    name: String,
    #[schema(value_type = Price)]
    price: Money,
    #[validate(range(max = 1_000_000_000, message = "must be between 0 and 1000000000"))]
    #[schema(example = 100, maximum = 1_000_000_000)]
    stock: u32,
}

impl NewProductRequest {
    /// Makes a draft of it, or says which member is wrong.
    pub(crate) fn draft(&self) -> Result<NewProduct, (&'static str, ProductError)> {
        let name = ProductName::new(&self.name).map_err(|error| ("/name", error))?;
        if self.price.is_negative() {
            return Err(("/price", ProductError::InvalidPrice));
        }
        Ok(NewProduct { name, price: self.price, stock: self.stock })
    }
}

/// Creates a product.
#[utoipa::path(tag = "products", request_body = NewProductRequest, responses(
    (status = 201, description = "The product", body = ProductResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
    (status = 409, description = "CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/products")]
async fn create_product(
    services: web::Data<Services>,
    admin: Admin,
    idempotency: Idempotency,
    _query: Query<NoQuery>,
    body: Json<NewProductRequest>,
) -> Result<HttpResponse, Problem> {
    let draft = body.0.draft().map_err(|(pointer, error)| Problem::at(pointer, &error))?;
    let request = idempotency.of(admin.0.id, &body.0)?;
    let products = CreateProducts { drafts: vec![ProductDraft::Ok(draft)], on_error: OnError::Reject };
    let checkout = services.checkout.clone();
    let created = async move { checkout.create_products(products, request, render_created).await };
    Ok(respond(services.changing_products(created).await?))
}

#[expect(clippy::ptr_arg, reason = "the signature is that of `Render`")]
fn render_created(outcomes: &Vec<ProductOutcome>) -> Result<Reply, serde_json::Error> {
    let created = outcomes.iter().find_map(|outcome| outcome.as_ref().ok());
    let resource = created.map(|product| Resource::Product(product.id.as_uuid()));
    reply(StatusCode::CREATED, resource, &created.map(ProductResponse::of))
}

/// What to change of a product; a member that is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ChangeProductRequest {
    #[schema(example = "Oolong tea, 200 g", min_length = 1, max_length = 200)]
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    name: Option<String>,
    #[schema(value_type = Option<Price>)]
    price: Option<Money>,
    #[schema(value_type = Option<ProductStatusName>)]
    status: Option<String>,
}

impl ChangeProductRequest {
    fn change(&self) -> Result<ProductChange, Problem> {
        let name = self.name.as_deref().map(ProductName::new).transpose();
        let status = self.status.as_deref().map(|text| {
            let invalid = || Problem::invalid_member("/status", "must be ACTIVE or INACTIVE");
            ProductStatus::parse(text).ok_or_else(invalid)
        });
        if self.price.is_some_and(Money::is_negative) {
            return Err(Problem::at("/price", &ProductError::InvalidPrice));
        }
        let change = ProductChange {
            name: name.map_err(|error| Problem::at("/name", &error))?,
            price: self.price,
            status: status.transpose()?,
        };
        if change == ProductChange::default() {
            return Err(Problem::invalid_member("", "must change name, price or status"));
        }
        Ok(change)
    }
}

/// Changes name, price or status of a product.
#[utoipa::path(tag = "products", params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    request_body = ChangeProductRequest, responses(
    (status = 200, description = "The product as it is now", body = ProductResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
    (status = 404, description = "NOT_FOUND"),
    (status = 412, description = "PRECONDITION_FAILED"),
))]
#[patch("/products/{id}")]
async fn change_product(
    services: web::Data<Services>,
    _admin: Admin,
    id: PathId<ProductId>,
    request: HttpRequest,
    _query: Query<NoQuery>,
    body: Json<ChangeProductRequest>,
) -> Result<HttpResponse, Problem> {
    let fits = precondition(&request)?;
    let change = ChangeProduct {
        product_id: id.product(),
        change: body.0.change()?,
        precondition: Box::new(move |product: &Product| fits(&product.etag())),
    };
    let checkout = services.checkout.clone();
    let product = services.changing_products(async move { checkout.change_product(change).await }).await?;
    Ok(HttpResponse::Ok().insert_header((ETAG, product.etag())).json(ProductResponse::of(&product)))
}

/// A change of stock.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct AdjustStockRequest {
    /// How many pieces come (above zero) or go.
    #[validate(range(min = -1_000_000_000, max = 1_000_000_000, message = "must be within 1000000000"))]
    #[schema(example = 50, minimum = -1_000_000_000, maximum = 1_000_000_000)]
    delta: i64,
    #[validate(length(min = 1, max = 200, message = "must have 1 to 200 characters"))]
    #[schema(example = "delivery", min_length = 1, max_length = 200)]
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    reason: String,
}

/// Adds or takes stock.
#[utoipa::path(tag = "products", params(("id" = uuid::Uuid, Path)), request_body = AdjustStockRequest, responses(
    (status = 200, description = "The product as it is now", body = ProductResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "OUT_OF_STOCK, CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/products/{id}/stock")]
async fn adjust_product_stock(
    services: web::Data<Services>,
    admin: Admin,
    id: PathId<ProductId>,
    idempotency: Idempotency,
    http: HttpRequest,
    _query: Query<NoQuery>,
    body: Json<AdjustStockRequest>,
) -> Result<HttpResponse, Problem> {
    let request = idempotency.of(admin.0.id, &body.0)?;
    if body.0.delta == 0 {
        return Err(Problem::at("/delta", &ProductError::InvalidAdjustment));
    }
    let adjustment = AdjustStock {
        product_id: id.product(),
        delta: body.0.delta,
        reason: AdjustmentReason::new(&body.0.reason).map_err(|error| Problem::at("/reason", &error))?,
        trace: RequestContext::trace_of(&http),
    };
    let checkout = services.checkout.clone();
    let adjusted = async move { checkout.adjust_stock(adjustment, request, render_adjusted).await };
    Ok(respond(services.changing_products(adjusted).await?))
}

fn render_adjusted(product: &Product) -> Result<Reply, serde_json::Error> {
    reply(StatusCode::OK, Some(Resource::Product(product.id.as_uuid())), &ProductResponse::of(product))
}

/// The code and the message of a product's refusal.
pub(crate) fn explain(error: &ProductError) -> (&'static str, String) {
    (error.code(), error.to_string())
}
