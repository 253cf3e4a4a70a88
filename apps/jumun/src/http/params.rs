//! Ids in paths and parameters in queries.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{Datelike, Timelike};
use kernel::{OrderId, PageSize, PaymentId, ProductId, RefundId, Timestamp, UserId};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::problem::Problem;

/// The id in a path, of the kind of `T`.
pub(crate) struct PathId<T> {
    pub(crate) id: Uuid,
    kind: PhantomData<T>,
}

impl PathId<OrderId> {
    pub(crate) const fn order(&self) -> OrderId {
        OrderId::from_uuid(self.id)
    }
}

impl PathId<ProductId> {
    pub(crate) const fn product(&self) -> ProductId {
        ProductId::from_uuid(self.id)
    }
}

impl PathId<PaymentId> {
    pub(crate) const fn payment(&self) -> PaymentId {
        PaymentId::from_uuid(self.id)
    }
}

impl PathId<RefundId> {
    pub(crate) const fn refund(&self) -> RefundId {
        RefundId::from_uuid(self.id)
    }
}

impl PathId<UserId> {
    pub(crate) const fn user(&self) -> UserId {
        UserId::from_uuid(self.id)
    }
}

impl<T: 'static> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        ready(
            hyphenated(text)
                .map(|id| Self { id, kind: PhantomData })
                .ok_or_else(|| Problem::invalid_member("/id", "must be a UUID")),
        )
    }
}

/// Reads a UUID in the form with hyphens only, for other forms would be other names of the same thing.
pub(crate) fn hyphenated(text: &str) -> Option<Uuid> {
    Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok())
}

/// The parameters of a query; unknown ones are refused by the types that are read.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = url::form_urlencoded::parse(request.query_string().as_bytes());
        let parsed = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs));
        ready(parsed.map(Self).map_err(|error| {
            let path = error.path().to_string();
            let message = error.into_inner().to_string();
            let name = named_in(&message).unwrap_or(&path);
            Problem::invalid_member(format!("/{name}"), message.as_str())
        }))
    }
}

/// The parameters of an endpoint that takes none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// Returns the parameter that a message of serde names: "unknown field `x`", "duplicate field `x`".
fn named_in(message: &str) -> Option<&str> {
    let (kind, rest) = message.split_once(" field `")?;
    matches!(kind, "unknown" | "missing" | "duplicate").then(|| rest.split('`').next())?
}

/// Tells whether an instant is one that every database can compare with: of the years 1000 to 9999, and
/// no leap second. MySQL's driver breaks its connection over others.
pub(crate) fn is_comparable(at: &Timestamp) -> bool {
    (1_000..=9_999).contains(&at.year()) && at.nanosecond() < 1_000_000_000
}

/// Reads an instant to compare with.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let refused = || D::Error::custom("must be an instant of the years 1000 to 9999 and no leap second");
    Timestamp::deserialize(deserializer).and_then(|at| Some(at).filter(is_comparable).ok_or_else(refused))
}

/// Reads an instant to compare with that may be left out.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    instant(deserializer).map(Some)
}

/// Reads the size of a page, 20 without one.
pub(crate) fn page_size(size: Option<u32>) -> Result<PageSize, Problem> {
    size.map_or(Ok(PageSize::default()), PageSize::new)
        .map_err(|error| Problem::invalid_member("/size", error.to_string()))
}
