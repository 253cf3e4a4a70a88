//! What the OpenAPI document says of values that several endpoints share.

use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An amount in KRW: a number with at most two decimals, exact, never a float.
pub(crate) struct Amount;

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::Number)
            .format(Some(SchemaFormat::Custom("decimal".into())))
            .minimum(Some(-9_999_999_999_999.99))
            .maximum(Some(9_999_999_999_999.99))
            .description(Some("An amount in KRW with at most two decimals, exact."))
            .examples([json!(19900.00)]);
        RefOr::T(Schema::Object(schema.build()))
    }
}

impl ToSchema for Amount {
    fn name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
}

/// An instant in ISO 8601, UTC, to the second.
pub(crate) struct Instant;

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("An instant in ISO 8601, UTC, to the second."))
            .examples([json!("2026-03-01T03:00:00Z")]);
        RefOr::T(Schema::Object(schema.build()))
    }
}

impl ToSchema for Instant {
    fn name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
}
