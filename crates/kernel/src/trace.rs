//! The trace of a request as it travels through services: W3C Trace Context, `traceparent`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::IdGenerator;

/// A trace id, the span that is at work in it, and whether it is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// The text is not a `traceparent` of a known form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a valid traceparent")]
pub struct InvalidTraceparent;

impl TraceContext {
    /// Starts a trace.
    pub fn start(ids: &dyn IdGenerator) -> Self {
        let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
        ids.fill_random(&mut trace_id);
        ids.fill_random(&mut span_id);
        Self {
            trace_id: u128::from_le_bytes(trace_id).max(1),
            span_id: u64::from_le_bytes(span_id).max(1),
            flags: 1,
        }
    }

    /// Continues the trace in a span of its own.
    #[must_use]
    pub fn child(self, ids: &dyn IdGenerator) -> Self {
        Self { span_id: ids.random().max(1), ..self }
    }

    /// Returns the trace id in 32 hexadecimal digits, as logs and errors show it.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// Reads a `traceparent` header; later versions are read as far as version 00 defines them.
impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower_hex = |s: &str| s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let mut parts = text.split('-');
        let mut field = |len: usize| {
            parts.next().filter(|part| part.len() == len && lower_hex(part)).ok_or(InvalidTraceparent)
        };
        let version = field(2)?;
        let trace_id = u128::from_str_radix(field(32)?, 16).map_err(|_| InvalidTraceparent)?;
        let span_id = u64::from_str_radix(field(16)?, 16).map_err(|_| InvalidTraceparent)?;
        let flags = u8::from_str_radix(field(2)?, 16).map_err(|_| InvalidTraceparent)?;
        let exact = version != "00" || parts.next().is_none();
        if version == "ff" || trace_id == 0 || span_id == 0 || !exact {
            return Err(InvalidTraceparent);
        }
        Ok(Self { trace_id, span_id, flags })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_standard_allows_and_nothing_else() {
        let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(valid.parse::<TraceContext>().unwrap().to_string(), valid);
        for invalid in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(invalid.parse::<TraceContext>(), Err(InvalidTraceparent), "{invalid}");
        }
    }
}
