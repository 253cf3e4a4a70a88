//! Refresh tokens: what a new access token is got with, once each.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::IdGenerator;
use sha2::{Digest, Sha256};

/// 256 random bits that nobody but their bearer keeps. They do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// Makes a token that nobody guesses.
    pub fn generate(ids: &dyn IdGenerator) -> Self {
        let mut bits = [0; 32];
        ids.fill_random(&mut bits);
        Self(bits)
    }

    /// Reads a token; `None` if it cannot be one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bits = [0; 32];
        // Longer texts do not fit and are not decoded at all.
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bits).ok()?;
        (length == bits.len()).then_some(Self(bits))
    }

    /// Writes the token, for its bearer and nobody else.
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Returns what is stored of the token. A plain hash is enough: nobody guesses 256 random bits.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

/// The SHA-256 of a refresh token, by which it is known again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// Takes the bytes as they were stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for adapters.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use kernel::export::Uuid;

    use super::*;

    struct Sevens;

    impl IdGenerator for Sevens {
        fn uuid(&self) -> Uuid {
            Uuid::nil()
        }

        fn fill_random(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn is_read_as_it_was_written_and_in_no_other_way() {
        let token = RefreshToken::generate(&Sevens);
        let text = token.expose();
        assert_eq!(text.len(), 43);
        assert_eq!(RefreshToken::parse(&text), Some(token.clone()));
        let other_last_bits = format!("{}d", &text[..42]);
        for wrong in
            ["", &text[..42], &format!("{text}A"), &format!("{text}="), &format!(" {text}"), &other_last_bits]
        {
            assert_eq!(RefreshToken::parse(wrong), None, "{wrong}");
        }
        assert_eq!(RefreshToken::parse(&"A".repeat(1_000_000)), None);
    }

    #[test]
    fn does_not_print_and_is_stored_as_a_hash() {
        let token = RefreshToken::generate(&Sevens);
        assert_eq!(format!("{token:?} {:?}", token.digest()), "RefreshToken(…) TokenDigest(…)");
        assert_ne!(token.digest().as_bytes(), &[7; 32]);
        assert_eq!(token.digest(), token.clone().digest());
    }
}
