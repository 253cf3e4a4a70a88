//! What the OpenAPI document says of values that several endpoints share.

use std::borrow::Cow;

use checkout::outbox::OutboxStatus;
use order::OrderStatus;
use payment::PaymentStatus;
use product::ProductStatus;
use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Declares schemas that have a name of their own in the document.
macro_rules! schemas {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema.build()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

/// Amounts in KRW from a minimum to a maximum.
fn amounts(minimum: f64, maximum: f64, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::Custom("decimal".into())))
        .minimum(Some(minimum))
        .maximum(Some(maximum))
        .description(Some(description))
        .examples([json!(19900.00)])
}

/// Texts of which there are only these.
fn words(words: impl IntoIterator<Item = &'static str>, description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.into_iter().collect::<Vec<_>>()))
        .description(Some(description))
}

/// The largest amount.
const MAX: f64 = 9_999_999_999_999.99;

schemas! {
    /// An amount in KRW: a number with at most two decimals, exact, never a float.
    Amount = amounts(-MAX, MAX, "An amount in KRW with at most two decimals, exact.");
    /// An amount that is never below zero.
    Price = amounts(0.0, MAX, "An amount in KRW of at least 0 with at most two decimals, exact.");
    /// An amount that is always above zero.
    AmountAboveZero = amounts(0.01, MAX, "An amount in KRW above 0 with at most two decimals, exact.");
    /// What can be charged at once.
    Charge = amounts(1_000.0, 1_000_000.0, "An amount in KRW that can be charged at once.");
    /// Where an order stands.
    OrderStatusName = words(OrderStatus::ALL.map(OrderStatus::as_str), "Where an order stands.");
    /// How far an attempt to pay has come.
    PaymentStatusName = words(PaymentStatus::ALL.map(PaymentStatus::as_str), "How far a payment has come.");
    /// How far the delivery of an event has come.
    OutboxStatusName = words(OutboxStatus::ALL.map(OutboxStatus::as_str), "How far an event has come.");
    /// Whether a product is for sale.
    ProductStatusName = words(
        [ProductStatus::Active, ProductStatus::Inactive].map(ProductStatus::as_str),
        "Whether a product is for sale.",
    );
}

/// An instant in ISO 8601, UTC, to the second, that every database can compare with.
pub(crate) struct Instant;

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .pattern(Some("^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]"))
            .description(Some("An instant in ISO 8601, UTC, to the second, of the years 1000 to 9999."))
            .examples([json!("2026-03-01T03:00:00Z")]);
        RefOr::T(Schema::Object(schema.build()))
    }
}

impl ToSchema for Instant {
    fn name() -> Cow<'static, str> {
        "Instant".into()
    }
}
