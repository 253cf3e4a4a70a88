//! Why somebody wants a refund.

use std::fmt;

use crate::RefundError;

/// Why somebody wants a refund: 1 to 200 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundReason(String);

impl RefundReason {
    /// The most characters.
    pub const MAX_LENGTH: usize = 200;

    /// Takes a reason, without the white space around it.
    pub fn new(text: &str) -> Result<Self, RefundError> {
        let text = text.trim();
        if !(1..=Self::MAX_LENGTH).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(RefundError::InvalidReason);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefundReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
