//! Keys of 32 bytes that do not print.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretBox};

use super::setting::{MASK, Setting, quoted};

/// A key of 32 bytes; it does not print, and its memory is wiped.
pub struct SecretKey(SecretBox<[u8; 32]>);

impl SecretKey {
    /// Returns the bytes; to be kept by nobody but the cryptography they are for.
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl Clone for SecretKey {
    fn clone(&self) -> Self {
        Self(SecretBox::init_with(|| *self.expose()))
    }
}

/// For the question whether a key is a published one; not for authentication, since it takes the longer
/// the more bytes are right.
impl PartialEq for SecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({MASK})")
    }
}

impl Setting for SecretKey {
    const WHAT: &'static str = "a key";

    fn allowed() -> String {
        "32 bytes in base64, as `openssl rand -base64 32` prints them".into()
    }

    fn parse(text: &str) -> Option<Self> {
        SecretBox::try_init_with(|| STANDARD.decode(text).map_err(drop)?.try_into().map_err(drop))
            .ok()
            .map(Self)
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(MASK))
    }

    fn conceals(_text: &str) -> bool {
        true
    }
}
