//! The coupons of users: claiming and listing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use checkout::{Claimant, Claimed, Reply, Resource};
use coupon::{CouponError, HeldCoupon, UserCouponStatus};
use kernel::{CouponId, Money, Timestamp, UserId, seconds};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{reply, respond};
use super::body::NoBody;
use super::caller::Caller;
use super::compression::Coding;
use super::context::RequestContext;
use super::coupons::PathCode;
use super::idempotency::Idempotency;
use super::params::{NoQuery, PathId, Query};
use super::problem::Problem;
use super::schema::{Amount, Instant};
use super::services::Services;
use super::wallets::visible_user;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(claim_coupon).service(list_user_coupons);
}

/// A piece that the caller got.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClaimResponse {
    #[schema(value_type = uuid::Uuid)]
    coupon_id: CouponId,
    code: String,
    /// `PERCENT` or `FIXED`.
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = Amount)]
    value: Money,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    claimed_at: Timestamp,
    /// `CLAIMED`.
    status: &'static str,
}

/// Claims a piece of a coupon, first come, first served, one a user.
#[utoipa::path(tag = "coupons", params(("code" = String, Path)), responses(
    (status = 200, description = "The piece", body = ClaimResponse),
    (status = 400, description = "COUPON_INVALID, VALIDATION_ERROR"),
    (status = 409, description = "COUPON_SOLD_OUT, COUPON_ALREADY_CLAIMED, CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/coupons/{code}/claim")]
async fn claim_coupon(
    services: web::Data<Services>,
    caller: Caller,
    code: PathCode,
    idempotency: Idempotency,
    http: HttpRequest,
    _query: Query<NoQuery>,
    _body: NoBody,
) -> Result<HttpResponse, Problem> {
    let code = code.0.ok_or_else(|| Problem::of(&CouponError::Unknown))?;
    let claimant = Claimant {
        user_id: caller.id,
        request: idempotency.of(caller.id, &())?,
        trace: RequestContext::trace_of(&http),
    };
    services.claims.claim(code, claimant, render).await.map(respond).map_err(Problem::from)
}

fn render(claimed: &Claimed) -> Result<Reply, serde_json::Error> {
    let terms = &claimed.coupon.terms;
    let body = ClaimResponse {
        coupon_id: claimed.coupon.id,
        code: terms.code.to_string(),
        kind: terms.benefit.kind(),
        value: terms.benefit.value(),
        claimed_at: claimed.piece.claimed_at,
        status: claimed.piece.status.as_str(),
    };
    reply(StatusCode::OK, Some(Resource::UserCoupon(claimed.piece.id.as_uuid())), &body)
}

/// A piece that a user holds or has used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HeldCouponResponse {
    #[schema(value_type = uuid::Uuid)]
    coupon_id: CouponId,
    code: String,
    /// `CLAIMED` or `USED`.
    status: &'static str,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    claimed_at: Timestamp,
    #[serde(serialize_with = "seconds::optional", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Instant>)]
    used_at: Option<Timestamp>,
}

impl HeldCouponResponse {
    fn of(held: &HeldCoupon) -> Self {
        Self {
            coupon_id: held.coupon.id,
            code: held.coupon.terms.code.to_string(),
            status: held.piece.status.as_str(),
            claimed_at: held.piece.claimed_at,
            used_at: match held.piece.status {
                UserCouponStatus::Claimed => None,
                UserCouponStatus::Used { at, .. } => Some(at),
            },
        }
    }
}

/// What a user holds and has used, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserCouponsResponse {
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    coupons: Vec<HeldCouponResponse>,
}

/// Shows the coupons of a user.
#[utoipa::path(tag = "coupons", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The user's coupons", body = UserCouponsResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/users/{id}/coupons")]
async fn list_user_coupons(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<UserId>,
    _query: Query<NoQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let user_id = visible_user(&services, caller, id.user()).await?;
    let held = services.coupons.held_by(user_id).await?;
    let coupons = held.iter().map(HeldCouponResponse::of).collect();
    coding.list(&UserCouponsResponse { user_id, coupons })
}
