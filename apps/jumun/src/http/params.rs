//! Ids in paths and parameters in queries.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{Datelike, Timelike};
use kernel::{OrderId, PageSize, ProductId, Timestamp, UserId};
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
        // Only the form with hyphens, for other forms would be other names of the same thing.
        let id = Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
        ready(
            id.map(|id| Self { id, kind: PhantomData })
                .ok_or_else(|| Problem::invalid_member("/id", "must be a UUID")),
        )
    }
}

/// The parameters of a query; unknown ones are refused by the types that are read.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parsed = actix_web::web::Query::<T>::from_query(request.query_string());
        ready(parsed.map(|query| Self(query.into_inner())).map_err(|error| match error {
            actix_web::error::QueryPayloadError::Deserialize(error) => {
                Problem::invalid_member("/query", error.to_string())
            }
            _ => Problem::invalid_member("/query", "is not valid"),
        }))
    }
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
