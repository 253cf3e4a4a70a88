//! Events as `CloudEvents` 1.0 documents, structured JSON mode.

use chrono::SecondsFormat;
use kernel::DomainEvent;
use serde::Serialize;
use serde_json::value::RawValue;

/// The media type of a document.
pub(crate) const MEDIA_TYPE: &str = "application/cloudevents+json";

/// The members of a document, in the order in which they are written. The last three before the data
/// are extensions that `CloudEvents` documents: sequence, partitioning and distributed tracing.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    subject: &'a str,
    time: &'a str,
    datacontenttype: &'static str,
    sequence: &'a str,
    partitionkey: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    data: &'a RawValue,
}

/// Writes an event as a document, the same one at each attempt. Its data is copied letter by letter, so
/// that amounts keep their decimals.
///
/// The sequence extension orders the events of one source, by comparing text: hence the source is the
/// aggregate itself, and the number has leading zeros.
///
/// # Errors
/// When the data is not JSON.
pub(crate) fn encode(event: &DomainEvent) -> Result<String, serde_json::Error> {
    let aggregate_id = event.aggregate_id.to_string();
    serde_json::to_string(&CloudEvent {
        specversion: "1.0",
        id: &event.id.to_string(),
        source: &format!("/jumun/{}s/{aggregate_id}", event.aggregate_type),
        r#type: &event.event_type,
        subject: &aggregate_id,
        time: &event.occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        datacontenttype: "application/json",
        sequence: &format!("{:010}", event.sequence),
        partitionkey: &aggregate_id,
        traceparent: event.trace.map(|trace| trace.to_string()),
        data: serde_json::from_str(&event.data)?,
    })
}
