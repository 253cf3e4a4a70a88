//! One small classification of errors, so that a caller can react without knowing the domain (ADR-027).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// What kind of failure an error is. `apps/jumun` maps each to one HTTP status, in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request breaks a rule that the caller could have known.
    Invalid,
    /// The caller is not known.
    Unauthorized,
    /// The payment that the request asks for was declined.
    PaymentRequired,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing, or it is not the caller's to see.
    NotFound,
    /// The state of the system forbids the action now.
    Conflict,
    /// The caller's view of the resource is out of date.
    PreconditionFailed,
    /// The caller asks too often.
    TooManyRequests,
    /// Something that is needed is down or overloaded; the same request may succeed later.
    Unavailable,
    /// A defect or a damaged row.
    Internal,
}

/// An error with a stable code and the facts that belong to it.
pub trait DomainError: std::error::Error {
    /// Returns what kind of failure this is.
    fn kind(&self) -> ErrorKind;

    /// Returns the stable code by which callers tell errors apart, for example `OUT_OF_STOCK`.
    fn code(&self) -> &'static str;

    /// Returns the members that go with the code, by their JSON names; none by default.
    fn details(&self) -> Details {
        Details::default()
    }
}

/// Writes an error with all its causes on one line, for logs and people at a terminal.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some errors repeat their cause.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// The facts that belong to an error, by their JSON names. They are kept as JSON text, so that amounts
/// keep their two decimals.
#[derive(Clone, Debug, Default)]
pub struct Details(BTreeMap<&'static str, Box<RawValue>>);

impl Details {
    /// Adds a fact; one that has no JSON form is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &impl Serialize) -> Self {
        self.0.extend(to_raw_value(value).ok().map(|value| (name, value)));
        self
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the JSON text of a fact.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get())
    }
}

impl IntoIterator for Details {
    type Item = (&'static str, Box<RawValue>);
    type IntoIter = std::collections::btree_map::IntoIter<&'static str, Box<RawValue>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
