//! Logging in, staying logged in, logging out. They serve whoever comes, however callers are known.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, post, web};
use checkout::{Rejection, SignedIn, UseCaseError};
use kernel::{DomainError, ErrorKind};
use serde::{Deserialize, Serialize};
use user::{AccessToken, Email, IssuedToken, LoginAttempts, Password, RefreshToken, UserError};
use utoipa::ToSchema;
use validator::Validate;

use super::body::Json;
use super::params::{NoQuery, Query};
use super::problem::{InvalidMember, Problem};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(log_in).service(refresh).service(log_out);
}

/// Who somebody claims to be, and the proof.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    #[schema(example = "user2@example.com", format = Email, max_length = 254)]
    email: String,
    #[schema(example = "demo-password-2", format = Password, min_length = 8, max_length = 72)]
    password: String,
}

impl LoginRequest {
    /// Nothing is hashed that could not be a password.
    fn read(self) -> Result<(Email, Password), Problem> {
        match (Email::new(&self.email), Password::new(self.password)) {
            (Ok(email), Ok(password)) => Ok((email, password)),
            (email, password) => {
                let refused = [("/email", email.err()), ("/password", password.err())];
                let invalid = refused.into_iter().filter_map(|(pointer, error)| {
                    error.map(|error| InvalidMember::new(pointer, error.to_string()))
                });
                Err(Problem::invalid(invalid.collect()))
            }
        }
    }
}

/// A refresh token.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RefreshRequest {
    #[schema(example = "Zm9yIGV4YW1wbGUgb25seSwgZXhjaGFuZ2VkIG9uY2U")]
    refresh_token: String,
}

/// The tokens of a session. Times are in seconds from now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TokenResponse {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    expires_in: u64,
    /// To be exchanged for new tokens, once.
    refresh_token: String,
    refresh_expires_in: u64,
    /// `Bearer`.
    token_type: &'static str,
}

/// Hands out tokens, which nobody on the way may keep (RFC 6749, section 5.1).
fn answer(signed_in: &SignedIn) -> HttpResponse {
    let body = TokenResponse {
        access_token: signed_in.access.expose().to_owned(),
        expires_in: AccessToken::LIFETIME.as_secs(),
        refresh_token: signed_in.refresh.expose(),
        refresh_expires_in: IssuedToken::LIFETIME.as_secs(),
        token_type: "Bearer",
    };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body)
}

/// Says no, with a challenge or a time to come back.
fn refuse(error: UseCaseError, services: &Services) -> Problem {
    match error {
        UseCaseError::Rejected(Rejection::User(UserError::TooManyAttempts { retry_after })) => {
            let seconds = (retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0)).max(1);
            let (limit, window) = (LoginAttempts::LIMIT, LoginAttempts::WINDOW.as_secs());
            let policy = format!("\"login\";q={limit};w={window}");
            Problem::too_many_requests(seconds, &policy, &format!("\"login\";r=0;t={seconds}"))
        }
        UseCaseError::Rejected(Rejection::User(
            error @ (UserError::WrongCredentials | UserError::InvalidToken),
        )) => Problem::unauthorized(services.authentication.challenge(), &error.to_string()),
        UseCaseError::Rejected(defect) if defect.kind() == ErrorKind::Internal => Problem::internal(defect),
        error => error.into(),
    }
}

/// Logs in by e-mail address and password.
///
/// A wrong password and an unknown address are answered alike, after the same time. After five failures in
/// 15 minutes nobody gets in by that address until the oldest of them is 15 minutes old.
#[utoipa::path(tag = "auth", request_body = LoginRequest, responses(
    (status = 200, description = "The tokens", body = TokenResponse),
    (status = 401, description = "UNAUTHORIZED"),
))]
#[post("/auth/login")]
async fn log_in(
    services: web::Data<Services>,
    _: Query<NoQuery>,
    body: Json<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let (email, password) = body.0.read()?;
    let signed_in = services.sign_in().log_in(email, password).await;
    Ok(answer(&signed_in.map_err(|error| refuse(error, &services))?))
}

/// Exchanges a refresh token for new tokens.
///
/// Each refresh token is good once. One that is sent again ends its session: all of its refresh tokens lose
/// their worth.
#[utoipa::path(tag = "auth", request_body = RefreshRequest, responses(
    (status = 200, description = "The tokens", body = TokenResponse),
    (status = 401, description = "UNAUTHORIZED"),
))]
#[post("/auth/refresh")]
async fn refresh(
    services: web::Data<Services>,
    _: Query<NoQuery>,
    body: Json<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    let unknown = || UseCaseError::rejected(UserError::InvalidToken);
    let refreshed = match RefreshToken::parse(&body.0.refresh_token).ok_or_else(unknown) {
        Ok(token) => services.sign_in().refresh(&token).await,
        Err(error) => Err(error),
    };
    Ok(answer(&refreshed.map_err(|error| refuse(error, &services))?))
}

/// Logs out: ends the session of a refresh token.
///
/// A token that is not known, or whose session has ended, is answered alike (RFC 7009). Access tokens live on
/// until they expire.
#[utoipa::path(tag = "auth", request_body = RefreshRequest, responses(
    (status = 204, description = "The session has ended"),
))]
#[post("/auth/logout")]
async fn log_out(
    services: web::Data<Services>,
    _: Query<NoQuery>,
    body: Json<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    if let Some(token) = RefreshToken::parse(&body.0.refresh_token) {
        services.sign_in().log_out(&token).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}
