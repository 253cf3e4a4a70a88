//! What the server answered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use serde_json::value::RawValue;

/// An answer, its body as it came.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) path: String,
}

impl Answer {
    /// Returns a header that is given once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() <= 1, "{name} is given more than once: {values:?}");
        values.first().map(|value| value.to_str().unwrap())
    }

    /// Fails the test unless the status is this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {}", self.path, self.text);
        self
    }

    /// Reads the body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    /// Returns the body of an answer that must be 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        self.is(200).json()
    }

    /// Returns a member of the body letter by letter, so that decimals can be told apart.
    #[track_caller]
    pub(crate) fn raw(&self, member: &str) -> String {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&self.text).unwrap();
        members.get(member).unwrap_or_else(|| panic!("no {member} in {}", self.text)).get().to_owned()
    }

    /// Returns the body of an error, and fails the test unless it has every member of the form that all
    /// errors have (RFC 9457 and our own), with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{} {}", self.path, self.text);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{:?}", self.headers);
        let problem: Value = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem["error"], code, "{problem:#}");
        let kind = format!("urn:jumun:problem:{}", code.to_lowercase().replace('_', "-"));
        assert_eq!(problem["type"], kind);
        assert_eq!(problem["title"], StatusCode::from_u16(status).unwrap().canonical_reason().unwrap());
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"], self.path);
        assert_eq!(problem["path"], self.path);
        for member in ["detail", "message"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem:#}");
        }
        let trace_id = problem["traceId"].as_str().unwrap();
        assert!(trace_id.len() == 32 && trace_id.bytes().all(|b| b.is_ascii_hexdigit()), "{trace_id}");
        instant(&problem["timestamp"]);
        let invalid = problem.get("errors");
        if code == "VALIDATION_ERROR" {
            let invalid = invalid.and_then(Value::as_array).unwrap();
            assert!(!invalid.is_empty(), "{problem:#}");
            for member in invalid {
                assert!(member["pointer"].is_string() && member["message"].is_string(), "{problem:#}");
                assert_eq!(member.as_object().unwrap().len(), 2, "{problem:#}");
            }
        } else {
            assert_eq!(invalid, None);
        }
        problem
    }

    /// Fails the test unless the request was refused for what stands at these pointers.
    #[track_caller]
    pub(crate) fn invalid(&self, pointers: &[&str]) {
        let problem = self.problem(400, "VALIDATION_ERROR");
        let found: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["pointer"].as_str().unwrap())
            .collect();
        assert_eq!(found, pointers, "{problem:#}");
    }
}

/// Reads an instant, and fails the test unless it is to the second, in UTC and of these minutes.
#[track_caller]
pub(crate) fn instant(value: &Value) -> DateTime<Utc> {
    let text = value.as_str().unwrap();
    assert!(text.len() == 20 && text.ends_with('Z'), "{text}");
    text.parse().unwrap()
}
