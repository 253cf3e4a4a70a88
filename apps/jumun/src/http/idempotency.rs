//! The `Idempotency-Key` of a request, bound to what it asks for.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use checkout::{IdempotencyKey, KeyedRequest};
use kernel::UserId;
use serde::Serialize;

use super::header::single;
use super::problem::Problem;

/// What a request says of its repetition.
pub(crate) struct Idempotency {
    key: Option<IdempotencyKey>,
    method: String,
    path: String,
}

impl FromRequest for Idempotency {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

impl Idempotency {
    const HEADER: &'static str = "Idempotency-Key";

    fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let key = single(request, Self::HEADER)?
            .map(|text| IdempotencyKey::new(text).map_err(|error| Problem::at(Self::HEADER, &error)))
            .transpose()?;
        Ok(Self { key, method: request.method().to_string(), path: request.path().to_owned() })
    }

    /// Binds the key, if there is one, to its caller and to a body. The body counts as it was understood:
    /// white space and the order of its members make no difference.
    pub(crate) fn of(self, caller: UserId, body: &impl Serialize) -> Result<Option<KeyedRequest>, Problem> {
        let Some(key) = self.key else { return Ok(None) };
        let body = serde_json::to_string(body).map_err(Problem::internal)?;
        Ok(Some(KeyedRequest::new(caller, key, &self.method, &self.path, &body)))
    }
}
