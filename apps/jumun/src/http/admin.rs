//! Administration: the outbox, the feed of events, the audit.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use checkout::AuditReport;
use checkout::outbox::{OutboxEntry, OutboxStatus, Replay};
use kernel::{EventId, Timestamp, seconds};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::body::Json;
use super::caller::Admin;
use super::compression::Coding;
use super::cursor::Cursor;
use super::params::{NoQuery, PathId, Query, instant, page_size};
use super::problem::Problem;
use super::schema::{Instant, OutboxStatusName};
use super::services::Services;

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config
        .service(list_outbox)
        .service(retry_event)
        .service(replay_events)
        .service(list_events)
        .service(run_audit);
}

/// An event and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventResponse {
    #[schema(value_type = uuid::Uuid)]
    id: EventId,
    r#type: String,
    aggregate_type: String,
    aggregate_id: uuid::Uuid,
    /// Its place among the events of its aggregate, from 1.
    sequence: u32,
    /// `PENDING`, `FAILED`, `SENT` or `DEAD`.
    status: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(serialize_with = "seconds::serialize")]
    #[schema(value_type = Instant)]
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

impl EventResponse {
    fn of(entry: OutboxEntry) -> Result<Self, Problem> {
        let event = entry.event;
        Ok(Self {
            id: event.id,
            r#type: event.event_type,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            status: entry.status.as_str(),
            attempts: entry.attempts,
            last_error: entry.last_error,
            occurred_at: event.occurred_at,
            sent_at: entry.sent_at.map(seconds::format),
            traceparent: event.trace.map(|trace| trace.to_string()),
            data: RawValue::from_string(event.data).map_err(Problem::internal)?,
        })
    }
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventPage {
    content: Vec<EventResponse>,
    next_cursor: Option<String>,
}

impl EventPage {
    fn of(page: kernel::CursorPage<OutboxEntry, EventId>) -> Result<Self, Problem> {
        let content = page.content.into_iter().map(EventResponse::of).collect::<Result<_, _>>()?;
        Ok(Self { content, next_cursor: page.next.map(|cursor| cursor.encode()) })
    }
}

/// Which events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OutboxQuery {
    /// Only events in this status.
    #[param(inline, value_type = Option<OutboxStatusName>)]
    status: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
}

/// Lists the events of the outbox, the newest first.
#[utoipa::path(tag = "administration", params(OutboxQuery), responses(
    (status = 200, description = "A page of events", body = EventPage),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
))]
#[get("/admin/outbox")]
async fn list_outbox(
    services: web::Data<Services>,
    _admin: Admin,
    query: Query<OutboxQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let status = query.0.status.map(|text| {
        let invalid = || Problem::invalid_member("/status", "must be PENDING, FAILED, SENT or DEAD");
        OutboxStatus::parse(&text).ok_or_else(invalid)
    });
    let before = Cursor::decode(query.0.cursor.as_deref())?;
    let page = services.outbox.list(status.transpose()?, before, page_size(query.0.size)?).await?;
    coding.list(&EventPage::of(page)?)
}

/// Makes a failed or dead event due at once.
#[utoipa::path(tag = "administration", params(("id" = uuid::Uuid, Path)), responses(
    (status = 202, description = "The event will be sent"),
    (status = 403, description = "FORBIDDEN"),
    (status = 404, description = "NOT_FOUND"),
))]
#[post("/admin/outbox/{id}/retry")]
async fn retry_event(
    services: web::Data<Services>,
    _admin: Admin,
    id: PathId<EventId>,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let (outbox, now) = (services.outbox.clone(), services.clock.now());
    let retried = async move { outbox.retry(EventId::from_uuid(id.id), now).await };
    if services.runner.to_the_end(retried).await?? {
        Ok(HttpResponse::Accepted().finish())
    } else {
        Err(Problem::not_found("there is no failed or dead event of this id"))
    }
}

/// Which delivered events to send once more.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReplayRequest {
    /// Events that happened at this time or later.
    #[serde(deserialize_with = "instant")]
    #[schema(value_type = Instant)]
    from: Timestamp,
    /// Events that happened before this time.
    #[serde(deserialize_with = "instant")]
    #[schema(value_type = Instant)]
    to: Timestamp,
    /// Only events of this type.
    #[schema(example = "OrderPaid")]
    r#type: Option<String>,
    /// Only counts them.
    #[serde(default)]
    dry_run: bool,
}

/// How many events were found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayResponse {
    /// How many delivered events match.
    matched: u64,
    /// How many will be sent once more.
    replayed: u64,
    dry_run: bool,
}

/// Sends delivered events once more, with the ids that they had.
#[utoipa::path(tag = "administration", request_body = ReplayRequest, responses(
    (status = 200, description = "How many events", body = ReplayResponse),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
))]
#[post("/admin/outbox:replay")]
async fn replay_events(
    services: web::Data<Services>,
    _admin: Admin,
    _query: Query<NoQuery>,
    body: Json<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    let ReplayRequest { from, to, r#type, dry_run } = body.0;
    if from >= to {
        return Err(Problem::invalid_member("/to", "must be later than from"));
    }
    let wanted = Replay { from, to, event_type: r#type };
    let response = if dry_run {
        ReplayResponse { matched: services.outbox.count(&wanted).await?, replayed: 0, dry_run }
    } else {
        let (outbox, now) = (services.outbox.clone(), services.clock.now());
        let replayed = services.runner.to_the_end(async move { outbox.replay(&wanted, now).await }).await??;
        ReplayResponse { matched: replayed, replayed, dry_run }
    };
    Ok(HttpResponse::Ok().json(response))
}

/// Where the feed goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FeedQuery {
    /// The `nextCursor` of the page before, or the id of the last event that was seen.
    after: Option<String>,
    /// How many a page holds, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    size: Option<u32>,
}

/// Lists all events, the oldest first: the feed to reconcile by.
///
/// Events are ordered by their ids, which are made before they are committed. One that is committed late
/// can appear before the end of the feed: come back to the last minute before you rely on it.
#[utoipa::path(tag = "administration", params(FeedQuery), responses(
    (status = 200, description = "A page of events", body = EventPage),
    (status = 400, description = "VALIDATION_ERROR"),
    (status = 403, description = "FORBIDDEN"),
))]
#[get("/admin/events")]
async fn list_events(
    services: web::Data<Services>,
    _admin: Admin,
    query: Query<FeedQuery>,
    coding: Coding,
) -> Result<HttpResponse, Problem> {
    let after = query.0.after.as_deref();
    let after = match after.and_then(|text| uuid::Uuid::try_parse(text).ok()) {
        Some(id) => Some(EventId::from_uuid(id)),
        None => Cursor::decode(after).map_err(|_| {
            Problem::invalid_member(
                "/after",
                "is neither a cursor that this list gave nor the id of an event",
            )
        })?,
    };
    let page = services.outbox.feed(after, page_size(query.0.size)?).await?;
    coding.list(&EventPage::of(page)?)
}

/// One invariant and what breaks it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckResponse {
    name: &'static str,
    rule: &'static str,
    violations: u64,
    offenders: Vec<String>,
}

/// The result of an audit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditResponse {
    /// Whether everything holds.
    clean: bool,
    checks: Vec<CheckResponse>,
}

impl AuditResponse {
    pub(crate) fn of(report: AuditReport) -> Self {
        let clean = report.is_clean();
        let checks = report.checks.into_iter().map(|check| CheckResponse {
            name: check.name,
            rule: check.rule,
            violations: check.violations,
            offenders: check.offenders,
        });
        Self { clean, checks: checks.collect() }
    }
}

/// Checks everything that always holds, in one consistent read.
#[utoipa::path(tag = "administration", responses(
    (status = 200, description = "Each invariant with what breaks it", body = AuditResponse),
    (status = 403, description = "FORBIDDEN"),
))]
#[get("/admin/audit")]
async fn run_audit(
    services: web::Data<Services>,
    _admin: Admin,
    _query: Query<NoQuery>,
) -> Result<HttpResponse, Problem> {
    let auditor = services.auditor.clone();
    let report = services.runner.to_the_end(async move { auditor.audit().await }).await??;
    Ok(HttpResponse::build(StatusCode::OK).json(AuditResponse::of(report)))
}
