//! The OpenAPI document and Swagger UI, both from the code and compiled in.

use std::collections::BTreeMap;

use actix_web::{App, HttpResponse, get, web};
use utoipa::OpenApi as _;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use super::examples;
use super::{
    admin, auth, cart, coupons, health, order_views, orders, payments, popular, products, products_bulk,
    refunds, user_coupons, users, wallets, webhooks,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Jumun",
        description = "The order service of an online shop: products with stock, carts, a prepaid wallet, coupons, orders, payments.\n\n\
            Callers show an access token (`Authorization: Bearer`, from `POST /api/v1/auth/login`) or, where the service is \
            set up so, are named by `X-User-Id`, which a gateway in front has checked. Amounts are JSON numbers \
            with two decimals, instants ISO 8601 in UTC to the second. Every error is `application/problem+json`.",
        license(name = "MIT", identifier = "MIT"),
    ),
    components(schemas(examples::Problem)),
    modifiers(&CallerHeader),
)]
struct Document;

/// Declares how callers name themselves.
struct CallerHeader;

impl utoipa::Modify for CallerHeader {
    fn modify(&self, api: &mut OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let header = ApiKeyValue::with_description("X-User-Id", "The caller, checked by a gateway in front");
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let bearer = bearer.description(Some("An access token, from `POST /api/v1/auth/login`")).build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("caller", SecurityScheme::ApiKey(ApiKey::Header(header)));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Registers the endpoints of the API.
pub(super) fn api(config: &mut ServiceConfig) {
    config
        .configure(popular::configure)
        .configure(products::configure)
        .configure(products_bulk::configure)
        .configure(wallets::configure)
        .configure(cart::configure)
        .configure(orders::configure)
        .configure(order_views::configure)
        .configure(payments::configure)
        .configure(refunds::configure)
        .configure(webhooks::configure)
        .configure(coupons::configure)
        .configure(user_coupons::configure)
        .configure(users::configure)
        .configure(auth::configure)
        .configure(admin::configure);
}

/// Registers what stands beside the API.
pub(super) fn operation(config: &mut ServiceConfig) {
    config.configure(health::configure);
}

/// Returns the OpenAPI document (3.1) of everything that is served.
pub fn openapi() -> OpenApi {
    let (_, document) = App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .service(utoipa_actix_web::scope("/api/v1").configure(api))
        .configure(operation)
        .split_for_parts();
    complete(document)
}

/// Adds what every operation shares, and an example to each response.
fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let api = path.starts_with("/api/v1");
        let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for (index, operation) in methods.into_iter().enumerate() {
            let Some(operation) = operation else { continue };
            let responses = &mut operation.responses.responses;
            if api {
                let public = ["/api/v1/products", "/api/v1/coupons", "/api/v1/stats"];
                let open = index == 0 && public.iter().any(|public| path.starts_with(public))
                    || path == "/api/v1/users" && index == 1
                    || path.starts_with("/api/v1/webhooks")
                    || path.starts_with("/api/v1/auth/");
                if !open {
                    // Either will do, as the service is set up.
                    let either = ["bearer", "caller"];
                    operation.security = Some(
                        either
                            .map(|scheme| utoipa::openapi::SecurityRequirement::new(scheme, [""; 0]))
                            .to_vec(),
                    );
                    responses.entry("401".into()).or_insert_with(|| described("UNAUTHORIZED"));
                }
                if path.contains('{') || index != 0 {
                    responses.entry("400".into()).or_insert_with(|| described("VALIDATION_ERROR"));
                }
                responses.entry("429".into()).or_insert_with(|| described("TOO_MANY_REQUESTS"));
                responses.entry("500".into()).or_insert_with(|| described("INTERNAL_ERROR"));
                responses.entry("503".into()).or_insert_with(|| described("SERVICE_UNAVAILABLE"));
                if promises(responses, "REQUEST_IN_PROGRESS") {
                    operation.parameters.get_or_insert_default().push(RefOr::T(idempotency_key()));
                }
                if operation.request_body.is_some() {
                    responses.entry("408".into()).or_insert_with(|| described("REQUEST_TIMEOUT"));
                    responses.entry("413".into()).or_insert_with(|| described("PAYLOAD_TOO_LARGE"));
                    responses.entry("415".into()).or_insert_with(|| described("UNSUPPORTED_MEDIA_TYPE"));
                }
            }
            for (status, response) in responses {
                if let RefOr::T(response) = response {
                    illustrate(path, status, response);
                }
            }
        }
    }
    document
}

/// Tells whether a response can have an error code.
fn promises(responses: &BTreeMap<String, RefOr<Response>>, code: &str) -> bool {
    responses
        .values()
        .any(|response| matches!(response, RefOr::T(response) if response.description.contains(code)))
}

/// The header by which a repetition is known.
fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "The caller's name for this request, 1 to 255 characters: sent again, it is answered again",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(255))
                .pattern(Some("^[ -~]+$")),
        ))
        .build()
}

fn described(codes: &str) -> RefOr<Response> {
    RefOr::T(ResponseBuilder::new().description(codes).build())
}

/// Gives a response its example; an error also gets its schema.
fn illustrate(path: &str, status: &str, response: &mut Response) {
    let error = path.starts_with("/api/v1") && status.starts_with(['4', '5']);
    if error {
        let schema = Some(RefOr::<Schema>::Ref(Ref::from_schema_name("Problem")));
        let code = response.description.split(", ").next().unwrap_or_default();
        let example = examples::problem(path, status.parse().unwrap_or_default(), code);
        let content = ContentBuilder::new().schema(schema).example(Some(example)).build();
        response.content.insert("application/problem+json".into(), RefOr::T(content));
        return;
    }
    for content in response.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let name = match &content.schema {
            Some(RefOr::Ref(schema)) => schema.ref_location.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => "Metrics".to_owned(),
        };
        content.example = content.example.take().or_else(|| examples::of_schema(&name));
    }
}

/// Serves the document.
#[get("/openapi.json")]
pub(super) async fn openapi_json(document: web::Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document.get_ref())
}

/// Leads to Swagger UI.
#[get("/docs")]
pub(super) async fn swagger_ui() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_response_with_a_body_has_an_example() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut missing = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for (status, response) in operation["responses"].as_object().unwrap() {
                    for content in response["content"].as_object().into_iter().flat_map(|map| map.values()) {
                        if content.get("example").is_none() {
                            missing.push(format!("{method} {path} {status}"));
                        }
                    }
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
        assert_eq!(document["openapi"], "3.1.0");
    }
}
