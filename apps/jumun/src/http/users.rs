//! Users: registering and looking up.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, get, post, web};
use checkout::RegisterUser;
use kernel::{Timestamp, UserId, seconds};
use serde::{Deserialize, Serialize};
use user::{Email, Password, User, UserError, UserName};
use utoipa::ToSchema;
use validator::Validate;

use super::body::Json;
use super::caller::Caller;
use super::params::{NoQuery, PathId, Query};
use super::problem::{InvalidMember, Problem};
use super::schema::Instant;
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(register_user).service(show_user);
}

/// A user to register.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RegisterRequest {
    #[schema(example = "kim@example.com", format = Email, max_length = 254)]
    email: String,
    #[schema(example = "Kim", min_length = 1, max_length = 100)]
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
    name: String,
    #[schema(example = "a password", format = Password, min_length = 8, max_length = 72)]
    password: String,
}

impl RegisterRequest {
    fn read(self) -> Result<(Email, UserName, Password), Problem> {
        match (Email::new(&self.email), UserName::new(&self.name), Password::new(self.password)) {
            (Ok(email), Ok(name), Ok(password)) => Ok((email, name, password)),
            (email, name, password) => {
                let refused = [("/email", email.err()), ("/name", name.err()), ("/password", password.err())];
                let invalid = refused.into_iter().filter_map(|(pointer, error)| {
                    error.map(|error| InvalidMember::new(pointer, error.to_string()))
                });
                Err(Problem::invalid(invalid.collect()))
            }
        }
    }
}

/// A user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserResponse {
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    email: String,
    name: String,
    /// `USER` or `ADMIN`.
    role: &'static str,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
}

impl UserResponse {
    fn of(user: &User) -> Self {
        Self {
            user_id: user.id,
            email: user.email.as_str().to_owned(),
            name: user.name.as_str().to_owned(),
            role: user.role.as_str(),
            created_at: user.created_at,
        }
    }
}

/// Registers a user.
#[utoipa::path(tag = "users", request_body = RegisterRequest, responses(
    (status = 201, description = "The user", body = UserResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 409, description = "DUPLICATE_EMAIL"),
))]
#[post("/users")]
async fn register_user(
    services: web::Data<Services>,
    _query: Query<NoQuery>,
    body: Json<RegisterRequest>,
) -> Result<HttpResponse, Problem> {
    let (email, name, password) = body.0.read()?;
    let password_hash = services.passwords.hash(password).await.map_err(|error| Problem::of(&error))?;
    let user = services.checkout.register_user(RegisterUser { email, name, password_hash }).await?;
    let location = format!("/api/v1/users/{}", user.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(UserResponse::of(&user)))
}

/// Shows a user.
#[utoipa::path(tag = "users", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The user", body = UserResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/users/{id}")]
async fn show_user(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<UserId>,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let found = if caller.may_see(id.user()) { services.users.find(id.user()).await? } else { None };
    let user = found.ok_or_else(|| Problem::of(&UserError::NotFound))?;
    Ok(HttpResponse::Ok().json(UserResponse::of(&user)))
}
