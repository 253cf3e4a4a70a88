//! Health and metrics, for probes and Prometheus.

use std::time::{Duration, Instant};

use actix_web::{HttpResponse, get, web};
use futures_util::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;

use super::services::{Readiness, Services};

pub(crate) fn configure(config: &mut utoipa_actix_web::service_config::ServiceConfig) {
    config.service(show_liveness).service(show_readiness).service(show_actuator_health).service(show_metrics);
}

/// How long a dependency may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The health of one dependency.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DependencyHealth {
    name: &'static str,
    /// `UP` or `DOWN`.
    status: &'static str,
    latency_ms: u64,
    #[serde(skip)]
    is_required: bool,
}

/// The health of this instance.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `UP`, `DEGRADED` if only something is down that requests can be served without, or `DOWN`.
    status: &'static str,
    dependencies: Vec<DependencyHealth>,
}

/// Tells that the process runs.
#[utoipa::path(tag = "operation", responses((status = 200, description = "The process runs", body = Health)))]
#[get("/health/live")]
async fn show_liveness() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "UP", dependencies: Vec::new() })
}

/// Tells whether requests can be served, with each dependency and its latency.
#[utoipa::path(tag = "operation", responses(
    (status = 200, description = "Requests can be served", body = Health),
    (status = 503, description = "A dependency is down without which none can be served", body = Health),
))]
#[get("/health/ready")]
async fn show_readiness(services: web::Data<Services>) -> HttpResponse {
    readiness(&services).await
}

/// Answers as `/health/ready` does.
#[utoipa::path(tag = "operation", responses(
    (status = 200, description = "Requests can be served", body = Health),
    (status = 503, description = "A dependency is down without which none can be served", body = Health),
))]
#[get("/actuator/health")]
async fn show_actuator_health(services: web::Data<Services>) -> HttpResponse {
    readiness(&services).await
}

async fn readiness(services: &Services) -> HttpResponse {
    let dependencies = join_all(services.dependencies.iter().cloned().map(probe)).await;
    let is_down = |dependency: &DependencyHealth| dependency.status == "DOWN";
    let status = if dependencies.iter().any(|dependency| is_down(dependency) && dependency.is_required) {
        "DOWN"
    } else if dependencies.iter().any(is_down) {
        "DEGRADED"
    } else {
        "UP"
    };
    let health = Health { status, dependencies };
    if status == "DOWN" {
        HttpResponse::ServiceUnavailable().json(health)
    } else {
        HttpResponse::Ok().json(health)
    }
}

async fn probe(dependency: std::sync::Arc<dyn Readiness>) -> DependencyHealth {
    let begun = Instant::now();
    let (name, is_required) = (dependency.name(), dependency.is_required());
    // The question runs to its end in a task of its own; only the waiting is bounded.
    let question = tokio::spawn(async move { dependency.is_ready().await });
    let up = tokio::select! {
        answer = question => answer.unwrap_or(false),
        () = tokio::time::sleep(PATIENCE) => false,
    };
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    DependencyHealth { name, status: if up { "UP" } else { "DOWN" }, latency_ms, is_required }
}

/// Shows what has been measured, for Prometheus.
#[utoipa::path(tag = "operation", responses(
    (status = 200, description = "Metrics in the Prometheus text format", body = String, content_type = "text/plain"),
))]
#[get("/metrics")]
async fn show_metrics(services: web::Data<Services>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(services.metrics.render())
}
