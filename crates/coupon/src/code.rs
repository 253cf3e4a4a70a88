//! The code of a coupon.

use std::fmt;

use crate::CouponError;

/// What users type to name a coupon: 1 to 64 letters, digits, hyphens and underscores of ASCII, compared
/// byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CouponCode(String);

impl CouponCode {
    /// Takes a code.
    pub fn new(text: &str) -> Result<Self, CouponError> {
        let valid = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !valid {
            return Err(CouponError::InvalidCode);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
