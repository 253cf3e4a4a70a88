//! Who calls, and what they may do. A role is the user's, never the request's.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use kernel::UserId;
use user::Role;

use super::params::hyphenated;
use super::problem::Problem;
use super::services::{Authentication, Services};

/// The header that names the caller where a gateway in front has checked it.
pub(crate) const USER_ID: &str = "X-User-Id";

/// What a caller is asked for who did not say who it is.
const CHALLENGE: &str = "X-User-Id realm=\"jumun\"";

/// A user who is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) id: UserId,
    pub(crate) role: Role,
}

impl Caller {
    /// Tells whether the caller may see what belongs to `owner`. Whoever may not is told that it does
    /// not exist.
    pub(crate) fn may_see(self, owner: UserId) -> bool {
        self.id == owner || self.role == Role::Admin
    }

    async fn identify(request: &HttpRequest) -> Result<Self, Problem> {
        let Some(services) = request.app_data::<web::Data<Services>>() else {
            return Err(Problem::internal("the services are not there"));
        };
        let Authentication::Header = services.authentication;
        let id = header_user(request)?;
        match services.users.role(id).await? {
            Some(role) => Ok(Self { id, role }),
            None => Err(Problem::unauthorized(CHALLENGE, "the caller is not known")),
        }
    }
}

/// Reads the header of a request that has it.
fn header_user(request: &HttpRequest) -> Result<UserId, Problem> {
    let mut values = request.headers().get_all(USER_ID);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthorized(CHALLENGE, "X-User-Id must be given once"));
    };
    let id = value.to_str().ok().and_then(hyphenated);
    id.map(UserId::from_uuid).ok_or_else(|| Problem::unauthorized(CHALLENGE, "X-User-Id must be a UUID"))
}

/// What is known of the caller that a request names.
struct Identified(Result<Caller, Problem>);

/// Finds out who calls before anything else of the request is read. So whoever is nobody, or may not do
/// this, is told so, whatever else is wrong with the request.
pub(crate) async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.headers().contains_key(USER_ID) {
        let identified = Identified(Caller::identify(request.request()).await);
        request.extensions_mut().insert(identified);
    }
    next.call(request).await
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identified = request.extensions_mut().remove::<Identified>();
        let nobody = || Err(Problem::unauthorized(CHALLENGE, "X-User-Id is missing"));
        ready(identified.map_or_else(nobody, |Identified(caller)| caller))
    }
}

/// A caller, if the request names one, at an endpoint that is open to everybody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor(pub(crate) Option<Caller>);

impl Visitor {
    /// Tells whether an administrator calls.
    pub(crate) fn is_admin(self) -> bool {
        self.0.is_some_and(|caller| caller.role == Role::Admin)
    }
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identified = request.extensions_mut().remove::<Identified>();
        ready(identified.map(|Identified(caller)| caller).transpose().map(Self))
    }
}

/// An administrator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admin(pub(crate) Caller);

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        ready(caller.and_then(|caller| match caller.role {
            Role::Admin => Ok(Self(caller)),
            Role::User => Err(Problem::forbidden()),
        }))
    }
}
