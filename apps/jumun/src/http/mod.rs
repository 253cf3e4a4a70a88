//! The HTTP API: one file an endpoint group, and around them what all requests share.

mod admin;
mod answer;
mod body;
mod caller;
mod conditional;
mod context;
mod coupons;
mod cursor;
mod docs;
mod envelope;
mod examples;
mod header;
mod health;
mod idempotency;
mod korean;
mod orders;
mod params;
mod popular;
mod problem;
mod products;
mod products_bulk;
mod rate_limit;
mod routes;
mod schema;
mod server;
mod services;
mod user_coupons;
mod users;
mod wallets;

pub(crate) use admin::AuditResponse;
pub use docs::openapi;
pub use rate_limit::RateLimiter;
pub use server::{ServerSettings, build, build_probes};
pub use services::{Authentication, Readiness, Services};
