//! Which log lines are written.

use tracing_subscriber::EnvFilter;

use super::setting::{Setting, quoted};

/// A filter in the syntax of `tracing_subscriber::EnvFilter`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Returns the filter as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for LogFilter {
    const WHAT: &'static str = "a log filter";

    fn allowed() -> String {
        "a level (error, warn, info, debug, trace, off), also by target, such as info,storage=debug".into()
    }

    fn parse(text: &str) -> Option<Self> {
        EnvFilter::try_new(text).is_ok().then(|| Self(text.into()))
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}
