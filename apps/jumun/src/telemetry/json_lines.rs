//! One JSON object a log line.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// Writes `timestamp`, `level` and `target`, then `span`, the name of the innermost span, and as members
/// beside them the fields of all spans around the event and its own, the inner before the outer.
///
/// So a `trace_id` that is a field of a request's span is at the same place in every line of the request,
/// however deep in spans the line is. To be used with `JsonFields`.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            fields.insert("span".into(), span.name().into());
            if let Some(recorded) = span.extensions().get::<FormattedFields<N>>() {
                fields.extend(members(recorded));
            }
        }
        let mut own = String::new();
        context.format_fields(Writer::new(&mut own), event)?;
        fields.extend(members(&own));

        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let origin = event.metadata();
        let head = [
            ("timestamp", timestamp.as_str()),
            ("level", origin.level().as_str()),
            ("target", origin.target()),
        ];
        let mut separator = '{';
        for (name, value) in head {
            fields.remove(name);
            write!(line, "{separator}\"{name}\":{}", Value::from(value))?;
            separator = ',';
        }
        for (name, value) in fields {
            write!(line, ",{}:{value}", Value::from(name))?;
        }
        writeln!(line, "}}")
    }
}

fn members(object: &str) -> Map<String, Value> {
    serde_json::from_str(object).unwrap_or_default()
}
