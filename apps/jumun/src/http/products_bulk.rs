//! Creating up to 1,000 products at once, with a result for each.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use checkout::{CreateProducts, OnError, ProductOutcome, Reply};
use product::ProductError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use validator::Validate;

use super::answer::{reply, respond};
use super::body::{self, Json};
use super::caller::Admin;
use super::idempotency::Idempotency;
use super::params::{NoQuery, Query};
use super::problem::Problem;
use super::products::{NewProductRequest, ProductResponse, explain};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(create_products);
}

/// What becomes of the list if some products are not valid.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OnErrorRequest {
    /// None is created.
    #[default]
    Reject,
    /// The valid ones are created.
    Skip,
}

/// Products to create.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BulkRequest {
    #[serde(default)]
    on_error: OnErrorRequest,
    #[validate(length(min = 1, max = 1_000, message = "must have 1 to 1000 products"))]
    #[schema(value_type = Vec<NewProductRequest>, min_items = 1, max_items = 1_000)]
    products: Vec<Box<RawValue>>,
}

/// A product as it counts for the repetition of a request: as it was understood, or letter by letter.
#[derive(Serialize)]
#[serde(untagged)]
enum Understood<'b> {
    Product(NewProductRequest),
    Text(&'b RawValue),
}

/// What became of one product.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BulkResult {
    /// Its place in the request, from 0.
    index: usize,
    /// `CREATED` or `REJECTED`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<ProductResponse>,
    /// The code of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// What became of each product.
#[derive(Debug, Serialize, ToSchema)]
struct BulkResponse {
    created: usize,
    rejected: usize,
    results: Vec<BulkResult>,
}

/// Creates up to 1,000 products.
#[utoipa::path(tag = "products", request_body = BulkRequest, responses(
    (status = 201, description = "What became of each product", body = BulkResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
    (status = 409, description = "CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/products:bulk")]
async fn create_products(
    services: web::Data<Services>,
    admin: Admin,
    idempotency: Idempotency,
    _query: Query<NoQuery>,
    body: Json<BulkRequest>,
) -> Result<HttpResponse, Problem> {
    let mut understood = Vec::with_capacity(body.0.products.len());
    let mut drafts = Vec::with_capacity(body.0.products.len());
    let mut invalid = Vec::new();
    for (index, text) in body.0.products.iter().enumerate() {
        let draft = match body::parse::<NewProductRequest>(text.get().as_bytes()) {
            Ok(product) => {
                let draft = product.draft().map_err(|(pointer, error)| {
                    invalid.extend(Problem::at(pointer, &error).invalid_below(&format!("/products/{index}")));
                    error
                });
                understood.push(Understood::Product(product));
                draft
            }
            Err(problem) => {
                understood.push(Understood::Text(text));
                let reason = problem.detail().to_owned();
                invalid.extend(problem.invalid_below(&format!("/products/{index}")));
                Err(ProductError::Malformed(reason))
            }
        };
        drafts.push(draft);
    }
    let on_error = match body.0.on_error {
        OnErrorRequest::Reject if !invalid.is_empty() => return Err(Problem::invalid(invalid)),
        OnErrorRequest::Reject => OnError::Reject,
        OnErrorRequest::Skip => OnError::Skip,
    };
    let request = idempotency.of(admin.0.id, &(body.0.on_error, understood))?;
    let checkout = services.checkout.clone();
    let products = CreateProducts { drafts, on_error };
    let created = async move { checkout.create_products(products, request, render_results).await };
    Ok(respond(services.changing_products(created).await?))
}

#[expect(clippy::ptr_arg, reason = "the signature is that of `Render`")]
fn render_results(outcomes: &Vec<ProductOutcome>) -> Result<Reply, serde_json::Error> {
    let results: Vec<BulkResult> =
        outcomes.iter().enumerate().map(|(index, outcome)| result(index, outcome)).collect();
    let created = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let body = BulkResponse { created, rejected: outcomes.len() - created, results };
    reply(StatusCode::CREATED, None, &body)
}

fn result(index: usize, outcome: &ProductOutcome) -> BulkResult {
    match outcome {
        Ok(product) => BulkResult {
            index,
            status: "CREATED",
            product: Some(ProductResponse::of(product)),
            error: None,
            message: None,
        },
        Err(error) => {
            let (code, message) = explain(error);
            BulkResult { index, status: "REJECTED", product: None, error: Some(code), message: Some(message) }
        }
    }
}
