//! A `CloudEvents` 1.0 document as it came.

use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

/// An event, its text untouched, and what it is looked up by.
#[derive(Debug)]
pub(super) struct CloudEvent {
    /// Its id.
    pub(super) id: String,
    /// What happened.
    pub(super) r#type: String,
    /// What it happened to.
    pub(super) subject: Option<String>,
    /// The text of all its members and the brace that closes it.
    pub(super) members: String,
}

/// Why a body is not an event.
#[derive(Debug, Error)]
pub(super) enum InvalidEvent {
    /// It is not JSON, or a required attribute is missing or of another type.
    #[error("the body is not a CloudEvent: {0}")]
    Malformed(serde_json::Error),
    /// It is JSON, but no object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// An attribute has a value that the standard does not allow.
    #[error("{0}")]
    Attribute(&'static str),
}

/// The attributes that are looked at.
#[derive(Deserialize)]
struct Attributes {
    specversion: String,
    id: String,
    source: String,
    r#type: String,
    subject: Option<String>,
}

impl CloudEvent {
    /// Reads a body in structured JSON mode.
    pub(super) fn parse(body: &[u8]) -> Result<Self, InvalidEvent> {
        let document: &RawValue = serde_json::from_slice(body).map_err(InvalidEvent::Malformed)?;
        let members = document.get().strip_prefix('{').ok_or(InvalidEvent::NotAnObject)?;
        let Attributes { specversion, id, source, r#type, subject } =
            serde_json::from_str(document.get()).map_err(InvalidEvent::Malformed)?;
        if specversion != "1.0" {
            return Err(InvalidEvent::Attribute("specversion must be 1.0"));
        }
        for (value, reason) in [
            (Some(&id), "id must not be empty"),
            (Some(&source), "source must not be empty"),
            (Some(&r#type), "type must not be empty"),
            (subject.as_ref(), "subject must not be empty"),
        ] {
            if value.is_some_and(String::is_empty) {
                return Err(InvalidEvent::Attribute(reason));
            }
        }
        Ok(Self { id, r#type, subject, members: members.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_text_as_it_came() {
        let body = r#" {"specversion":"1.0", "id":"1","source":"/s","type":"T","data":{"a":1.00}} "#;
        let event = CloudEvent::parse(body.as_bytes()).unwrap();
        assert_eq!((event.id.as_str(), event.r#type.as_str(), event.subject), ("1", "T", None));
        assert_eq!(format!("{{{}", event.members), body.trim());
    }

    #[test]
    fn names_what_is_wrong() {
        for (body, reason) in [
            ("", "the body is not a CloudEvent: EOF"),
            (r#"["1.0","1","/s","T",null]"#, "the body is not a JSON object"),
            ("{}", "the body is not a CloudEvent: missing field `specversion`"),
            (r#"{"specversion":"0.3","id":"1","source":"/s","type":"T"}"#, "specversion must be 1.0"),
            (
                r#"{"specversion":"1.0","id":1,"source":"/s","type":"T"}"#,
                "the body is not a CloudEvent: invalid type",
            ),
            (r#"{"specversion":"1.0","id":"1","source":"","type":"T"}"#, "source must not be empty"),
            (
                r#"{"specversion":"1.0","id":"1","source":"/s","type":"T","subject":""}"#,
                "subject must not be empty",
            ),
        ] {
            let error = CloudEvent::parse(body.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(reason), "{body}: {error}");
        }
    }
}
