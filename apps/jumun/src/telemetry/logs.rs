//! Log lines: for people in `local`, JSON elsewhere.

use std::io::{self, IsTerminal};

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, fmt};

use super::json_lines::JsonLines;
use crate::settings::LogFormat;

/// Why no log lines can be written.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("the log filter is not one")]
    Filter(#[from] ParseError),
    /// Something else takes the log lines of this process already.
    #[error("log lines are taken already")]
    Taken(#[from] TryInitError),
}

/// Writes the log lines that `filter` lets through, in `format`.
///
/// They go to standard error in either format, so that what a command prints (`audit`, `config`,
/// `openapi`) can be redirected by itself. The statements that sqlx logs stay out unless the filter names
/// sqlx. Does nothing when log lines are written already, as in a process that runs several applications.
///
/// # Errors
/// The filter is not one, or the `log` crate's lines are taken by somebody else.
pub fn init(filter: &str, format: LogFormat) -> Result<(), TelemetryError> {
    let filter = quiet(filter)?;
    if dispatcher::has_been_set() {
        return Ok(());
    }
    let colours =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Ok(subscriber(filter, format, colours, io::stderr).try_init()?)
}

/// Parses a filter and, where it has no word on them, keeps sqlx to warnings, and actix-http silent: what it
/// calls an error is a caller's malformed head, of which anybody can send as many as they like.
fn quiet(text: &str) -> Result<EnvFilter, ParseError> {
    let mut filter = EnvFilter::try_new(text)?;
    let talkative = filter.max_level_hint().is_none_or(|most| most > LevelFilter::WARN);
    if talkative && !text.contains("sqlx") {
        filter = filter.add_directive("sqlx=warn".parse()?);
    }
    if !text.contains("actix_http") {
        filter = filter.add_directive("actix_http=off".parse()?);
    }
    Ok(filter)
}

fn subscriber<W>(filter: EnvFilter, format: LogFormat, colours: bool, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = fmt::layer().with_writer(writer);
    let layer = match format {
        LogFormat::Text => layer.with_ansi(colours).boxed(),
        LogFormat::Json => {
            layer.with_ansi(false).fmt_fields(JsonFields::new()).event_format(JsonLines).boxed()
        }
    };
    Dispatch::new(Registry::default().with(layer).with(filter))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns what is written while `work` is done.
    fn written(filter: &str, format: LogFormat, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let dispatch = subscriber(quiet(filter).unwrap(), format, false, move || writer.clone());
        dispatcher::with_default(&dispatch, work);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn json_lines(filter: &str, work: impl FnOnce()) -> Vec<Value> {
        let written = written(filter, LogFormat::Json, work);
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_json_line_has_the_fields_of_its_spans_and_its_own() {
        let lines = json_lines("info", || {
            let request = tracing::info_span!("request", trace_id = tracing::field::Empty, user = "u1");
            request.record("trace_id", "4bf92f35");
            let _request = request.enter();
            let _order = tracing::info_span!("order", order = 7, user = "u2").entered();
            tracing::warn!(attempt = 2, reason = "a \"quoted\"\nreason", ok = false, "order was slow");
        });
        let [line] = lines.try_into().unwrap();
        let members = line.as_object().unwrap();
        for (name, expected) in [
            ("level", json!("WARN")),
            ("target", json!(module_path!())),
            ("message", json!("order was slow")),
            ("trace_id", json!("4bf92f35")),
            ("user", json!("u2")),
            ("order", json!(7)),
            ("attempt", json!(2)),
            ("ok", json!(false)),
            ("reason", json!("a \"quoted\"\nreason")),
            ("span", json!("order")),
        ] {
            assert_eq!(members[name], expected, "{name} of {line}");
        }
        let timestamp = members["timestamp"].as_str().unwrap();
        assert!(
            timestamp.ends_with('Z') && timestamp.len() == "2025-11-09T12:34:56.123456Z".len(),
            "{timestamp}"
        );
        assert_eq!(members.len(), 11, "{line}");
    }

    #[test]
    fn a_field_cannot_pass_for_what_the_line_is() {
        let written = written("info", LogFormat::Json, || tracing::info!(level = "FATAL", "hello"));
        assert_eq!(written.matches("\"level\"").count(), 1, "{written}");
        assert!(
            written.starts_with("{\"timestamp\":\"") && written.contains("\"level\":\"INFO\""),
            "{written}"
        );
    }

    #[test]
    fn a_line_outside_any_span_has_none() {
        let lines = json_lines("info", || tracing::info!("hello"));
        assert_eq!(lines[0].as_object().unwrap().len(), 4, "{}", lines[0]);
    }

    #[test]
    fn text_is_for_people() {
        let written = written("info", LogFormat::Text, || {
            let _request = tracing::info_span!("request", trace_id = "4bf92f35").entered();
            tracing::info!(order = 7, "order was placed");
        });
        assert!(written.contains("INFO request{trace_id=\"4bf92f35\"}: "), "{written}");
        assert!(written.contains("order was placed order=7") && !written.contains('\u{1b}'), "{written}");
    }

    #[test]
    fn sqlx_is_quiet_unless_the_filter_names_it() {
        let messages = |filter: &str| -> Vec<String> {
            let lines = json_lines(filter, || {
                tracing::info!(target: "sqlx::query", "statement");
                tracing::warn!(target: "sqlx::query", "slow statement");
                tracing::info!(target: "storage", "other");
            });
            lines.iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(messages("info"), ["slow statement", "other"]);
        assert_eq!(messages("trace"), ["slow statement", "other"]);
        assert_eq!(messages("info,sqlx=info"), ["statement", "slow statement", "other"]);
        assert_eq!(messages("info,sqlx::query=off"), ["other"]);
        assert_eq!(messages("warn"), ["slow statement"]);
        assert!(messages("error").is_empty() && messages("off").is_empty());
    }

    #[test]
    fn a_wrong_filter_is_refused() {
        let error = init("info,sqlx=loud", LogFormat::Text).unwrap_err();
        assert!(matches!(error, TelemetryError::Filter(_)), "{error}");
    }
}
