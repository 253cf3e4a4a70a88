//! What the process tells of itself: log lines on standard error and metrics for Prometheus.

mod json_lines;
mod logs;
mod metrics;

pub use logs::{TelemetryError, init};
pub use metrics::metrics_recorder;
