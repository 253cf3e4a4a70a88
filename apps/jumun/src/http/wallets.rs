//! Wallets: one's own, and those of named users for administrators.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use checkout::{ChargeWallet, Reply, Resource};
use kernel::{Money, OrderId, Timestamp, UserId, seconds};
use point::{ChargeAmount, PointEntry, Wallet};
use serde::{Deserialize, Serialize};
use user::UserError;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::answer::{reply, respond};
use super::body::Json;
use super::caller::Caller;
use super::compression::Coding;
use super::cursor::Cursor;
use super::idempotency::Idempotency;
use super::params::{NoQuery, PathId, Query, page_size};
use super::problem::Problem;
use super::schema::{Amount, Charge, Instant};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(charge_wallet)
        .service(show_wallet)
        .service(list_wallet_entries)
        .service(show_points)
        .service(charge_points);
}

/// A wallet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WalletResponse {
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
    #[schema(value_type = Amount)]
    balance: Money,
}

impl WalletResponse {
    const fn of(wallet: &Wallet) -> Self {
        Self { user_id: wallet.user_id(), balance: wallet.balance() }
    }
}

/// Money to pay in.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ChargeRequest {
    /// 1,000.00 to 1,000,000.00.
    #[schema(value_type = Charge)]
    amount: Money,
}

/// Charges the caller's wallet.
#[utoipa::path(tag = "wallets", request_body = ChargeRequest, responses(
    (status = 200, description = "What is in the wallet now", body = WalletResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 409, description = "CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/wallets/charge")]
async fn charge_wallet(
    services: web::Data<Services>,
    caller: Caller,
    idempotency: Idempotency,
    _query: Query<NoQuery>,
    body: Json<ChargeRequest>,
) -> Result<HttpResponse, Problem> {
    pay_in(&services, caller, caller.id, idempotency, &body.0).await
}

/// Charges a named user's wallet.
#[utoipa::path(tag = "wallets", params(("id" = uuid::Uuid, Path)), request_body = ChargeRequest, responses(
    (status = 200, description = "What is in the wallet now", body = WalletResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 404, description = "NOT_FOUND"),
    (status = 409, description = "CONFLICT, REQUEST_IN_PROGRESS"),
))]
#[post("/users/{id}/points/charge")]
async fn charge_points(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<UserId>,
    idempotency: Idempotency,
    _query: Query<NoQuery>,
    body: Json<ChargeRequest>,
) -> Result<HttpResponse, Problem> {
    let user = visible_user(&services, caller, id.user()).await?;
    pay_in(&services, caller, user, idempotency, &body.0).await
}

async fn pay_in(
    services: &Services,
    caller: Caller,
    user_id: UserId,
    idempotency: Idempotency,
    body: &ChargeRequest,
) -> Result<HttpResponse, Problem> {
    let amount = ChargeAmount::new(body.amount).map_err(|error| Problem::at("/amount", &error))?;
    let request = idempotency.of(caller.id, body)?;
    let charge = ChargeWallet { user_id, amount };
    services.checkout.charge_wallet(charge, request, render).await.map(respond).map_err(Problem::from)
}

fn render(wallet: &Wallet) -> Result<Reply, serde_json::Error> {
    let resource = Resource::Wallet(wallet.user_id().as_uuid());
    reply(StatusCode::OK, Some(resource), &WalletResponse::of(wallet))
}

/// Shows the caller's wallet.
#[utoipa::path(tag = "wallets", responses(
    (status = 200, description = "The wallet; empty for a user who never charged", body = WalletResponse),
))]
#[get("/wallets")]
async fn show_wallet(
    services: web::Data<Services>,
    caller: Caller,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let wallet = services.wallets.wallet(caller.id).await?;
    Ok(HttpResponse::Ok().json(WalletResponse::of(&wallet)))
}

/// Shows a named user's wallet.
#[utoipa::path(tag = "wallets", params(("id" = uuid::Uuid, Path)), responses(
    (status = 200, description = "The wallet; empty for a user who never charged", body = WalletResponse),
    (status = 404, description = "NOT_FOUND"),
))]
#[get("/users/{id}/points")]
async fn show_points(
    services: web::Data<Services>,
    caller: Caller,
    id: PathId<UserId>,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let user = visible_user(&services, caller, id.user()).await?;
    let wallet = services.wallets.wallet(user).await?;
    Ok(HttpResponse::Ok().json(WalletResponse::of(&wallet)))
}

/// Returns the user if the caller may see it and it exists.
/// Returns the user that a path names, if the caller may see it.
pub(crate) async fn visible_user(
    services: &Services,
    caller: Caller,
    user: UserId,
) -> Result<UserId, Problem> {
    let hidden = !caller.may_see(user) || services.users.role(user).await?.is_none();
    if hidden { Err(Problem::of(&UserError::NotFound)) } else { Ok(user) }
}

/// Where a page of a ledger starts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LedgerQuery {
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
}

/// A change of a wallet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EntryResponse {
    /// `CHARGE`, `PAYMENT` or `REFUND`.
    kind: &'static str,
    #[schema(value_type = Amount)]
    delta: Money,
    #[schema(value_type = Amount)]
    balance_before: Money,
    #[schema(value_type = Amount)]
    balance_after: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<uuid::Uuid>)]
    order_id: Option<OrderId>,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    created_at: Timestamp,
}

impl EntryResponse {
    fn of(entry: &PointEntry) -> Self {
        Self {
            kind: entry.cause.kind().as_str(),
            delta: entry.delta,
            balance_before: entry.balance_before,
            balance_after: entry.balance_after,
            order_id: entry.cause.order_id(),
            created_at: entry.created_at,
        }
    }
}

/// A page of changes, the newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LedgerPage {
    content: Vec<EntryResponse>,
    next_cursor: Option<String>,
}

/// Lists the changes of the caller's wallet, the newest first.
#[utoipa::path(tag = "wallets", params(LedgerQuery), responses(
    (status = 200, description = "A page of changes", body = LedgerPage),
    (status = 400, description = "VALIDATION_ERROR"),
))]
#[get("/wallets/ledger")]
async fn list_wallet_entries(
    services: web::Data<Services>,
    caller: Caller,
    query: Query<LedgerQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let before = u32::decode(query.0.cursor.as_deref())?;
    let page = services.wallets.ledger(caller.id, before, page_size(query.0.size)?).await?;
    coding.list(&LedgerPage {
        content: page.content.iter().map(EntryResponse::of).collect(),
        next_cursor: page.next.map(|cursor| cursor.encode()),
    })
}
