//! Who calls, and what they may do. A role is the user's, never the request's.

use std::future::{Ready, ready};

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, web};
use kernel::UserId;
use user::Role;

use super::params::hyphenated;
use super::problem::Problem;
use super::services::{Authentication, Services};

/// The header that names the caller where a gateway in front has checked it.
pub(crate) const USER_ID: &str = "X-User-Id";

/// What a bearer is told whose token is bad (RFC 6750). Whatever is wrong with it, the answer is the same.
const BAD_TOKEN: &str = "Bearer realm=\"jumun\", error=\"invalid_token\"";

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

    /// Finds out whether the user whom a request names exists, and what that user may do.
    async fn known(named: Named, services: &Services) -> Result<Self, Problem> {
        let id = named.user?;
        match services.users.role(id).await? {
            Some(role) => Ok(Self { id, role }),
            None => Err(named.by.refuse(services.authentication, "the caller is not known")),
        }
    }
}

/// By what a request names its caller.
#[derive(Clone, Copy, Debug)]
enum Credential {
    Header,
    Bearer,
}

impl Credential {
    /// Refuses what the request brought; of a token nothing is said but that it is bad.
    fn refuse(self, authentication: Authentication, detail: &str) -> Problem {
        match self {
            Self::Header => Problem::unauthorized(authentication.challenge(), detail),
            Self::Bearer => Problem::unauthorized(BAD_TOKEN, "the access token is not valid"),
        }
    }
}

/// Whom a request names in the way that is in force; whether there is such a user is not known yet.
struct Named {
    by: Credential,
    user: Result<UserId, Problem>,
}

impl Named {
    /// Reads what the request brings; `None` if that is nothing. A bearer token has been verified.
    fn of(request: &HttpRequest, services: &Services) -> Option<Self> {
        let headers = request.headers();
        let by = match services.authentication {
            Authentication::Jwt => Credential::Bearer,
            Authentication::Both if headers.contains_key(AUTHORIZATION) => Credential::Bearer,
            Authentication::Header | Authentication::Both => Credential::Header,
        };
        let user = match by {
            Credential::Header if !headers.contains_key(USER_ID) => return None,
            Credential::Bearer if !headers.contains_key(AUTHORIZATION) => return None,
            Credential::Header => header_user(headers),
            Credential::Bearer => bearer_user(headers, services),
        };
        let refused = || by.refuse(services.authentication, "X-User-Id must be given once, as a UUID");
        Some(Self { by, user: user.ok_or_else(refused) })
    }
}

/// Reads the one `X-User-Id`; nobody if it is none.
fn header_user(headers: &HeaderMap) -> Option<UserId> {
    hyphenated(once(headers.get_all(USER_ID))?).map(UserId::from_uuid)
}

/// Verifies the token in the one `Authorization`; nobody if it is none of ours.
fn bearer_user(headers: &HeaderMap, services: &Services) -> Option<UserId> {
    let (scheme, token) = once(headers.get_all(AUTHORIZATION))?.split_once(' ')?;
    let token = scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_start_matches(' '))?;
    services.tokens.verify(token).ok()
}

/// Returns the text of a header that is given once.
fn once<'h>(mut values: impl Iterator<Item = &'h HeaderValue>) -> Option<&'h str> {
    let first = values.next()?;
    Some(first).filter(|_| values.next().is_none())?.to_str().ok()
}

/// Finds out whom a request names, and keeps it for [`identify`]. Returns the user, if one is named in a way
/// that can be believed.
pub(crate) fn named(request: &ServiceRequest) -> Option<UserId> {
    let services = request.app_data::<web::Data<Services>>()?;
    let named = Named::of(request.request(), services)?;
    let user = named.user.as_ref().ok().copied();
    request.extensions_mut().insert(named);
    user
}

/// What is known of the caller that a request names.
struct Identified(Result<Caller, Problem>);

/// Finds out who calls before anything else of the request is read. So whoever is nobody, or may not do
/// this, is told so, whatever else is wrong with the request.
pub(crate) async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let named = request.extensions_mut().remove::<Named>();
    if let (Some(named), Some(services)) = (named, request.app_data::<web::Data<Services>>()) {
        let identified = Identified(Caller::known(named, services).await);
        request.extensions_mut().insert(identified);
    }
    next.call(request).await
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identified = request.extensions_mut().remove::<Identified>();
        ready(identified.map_or_else(|| Err(nobody(request)), |Identified(caller)| caller))
    }
}

/// Asks a caller who did not say who it is.
fn nobody(request: &HttpRequest) -> Problem {
    let Some(services) = request.app_data::<web::Data<Services>>() else {
        return Problem::internal("the services are not there");
    };
    let detail = match services.authentication {
        Authentication::Header => "X-User-Id is missing",
        Authentication::Jwt | Authentication::Both => "an access token is missing",
    };
    Problem::unauthorized(services.authentication.challenge(), detail)
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
