//! The headers of the standard, and how they are read.

use crate::SignatureError;

/// The header with the id of a message, by which a repetition is known.
pub const ID: &str = standardwebhooks::HEADER_WEBHOOK_ID;
/// The header with the time at which a message was sent, in seconds since 1970.
pub const TIMESTAMP: &str = standardwebhooks::HEADER_WEBHOOK_TIMESTAMP;
/// The header with the signatures of a message, separated by spaces.
pub const SIGNATURE: &str = standardwebhooks::HEADER_WEBHOOK_SIGNATURE;

/// Returns the only value of a header.
pub(crate) fn only<'a, V>(
    name: &'static str,
    values: &mut impl FnMut(&'static str) -> V,
) -> Result<&'a [u8], SignatureError>
where
    V: IntoIterator<Item = &'a [u8]>,
{
    let mut values = values(name).into_iter();
    let value = values.next().ok_or(SignatureError::Missing(name))?;
    if values.next().is_some() { Err(SignatureError::Repeated(name)) } else { Ok(value) }
}

/// Reads the id of a message.
pub(crate) fn id(value: &[u8]) -> Result<&str, SignatureError> {
    let is_valid = (1..=255).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    str::from_utf8(value).ok().filter(|_| is_valid).ok_or(SignatureError::InvalidId)
}

/// Reads a time: digits only, so that what was signed is what was written.
pub(crate) fn seconds(value: &[u8]) -> Option<i64> {
    let is_number = value.iter().all(u8::is_ascii_digit);
    str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}
