//! The health of a stand-in, for probes: it keeps everything in memory, so whatever answers is ready.

use actix_web::{HttpResponse, web};
use serde_json::json;

/// Registers `/health/live` and `/health/ready`, as the API has them.
pub(super) fn configure(cfg: &mut web::ServiceConfig) {
    for path in ["/health/live", "/health/ready"] {
        cfg.route(path, web::get().to(show));
    }
}

async fn show() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "UP", "dependencies": [] }))
}
