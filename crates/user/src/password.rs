//! Passwords and their hashes: argon2id (RFC 9106).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

use crate::UserError;

/// A password in clear, 8 to 72 characters; it exists only until it is hashed.
#[derive(Clone)]
pub struct Password(String);

/// How much work a hash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashCost {
    /// 19 MiB, two passes, one lane: the recommendation of the OWASP password storage cheat sheet.
    Standard,
    /// As little as the algorithm allows, for tests.
    Minimal,
}

impl HashCost {
    fn params(self) -> Params {
        match self {
            Self::Standard => Params::DEFAULT,
            Self::Minimal => Params::new(Params::MIN_M_COST, 1, 1, None).unwrap_or(Params::DEFAULT),
        }
    }
}

impl Password {
    /// Takes a password as it was typed.
    pub fn new(text: String) -> Result<Self, UserError> {
        if !(8..=72).contains(&text.chars().count()) {
            return Err(UserError::InvalidPassword);
        }
        Ok(Self(text))
    }

    /// Hashes the password. It takes tens of milliseconds of a core on purpose: never on a thread that
    /// serves requests.
    pub fn hash(&self, salt: [u8; 16], cost: HashCost) -> Result<PasswordHash, UserError> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params());
        let hash =
            argon2.hash_password_with_salt(self.0.as_bytes(), &salt).map_err(|_| UserError::Hashing)?;
        Ok(PasswordHash(hash.to_string()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The hash of a password in the PHC string format, which names its own parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash as it was stored.
    pub const fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// Returns the hash as it is stored.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_hashed_with_argon2id_and_does_not_print() {
        let password = Password::new("correct horse".into()).unwrap();
        let hash = password.hash([7; 16], HashCost::Minimal).unwrap();
        assert!(hash.as_phc().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", hash.as_phc());
        assert_eq!(hash, password.hash([7; 16], HashCost::Minimal).unwrap());
        assert_ne!(hash, password.hash([8; 16], HashCost::Minimal).unwrap());
        let printed = format!("{password:?} {hash:?}");
        assert!(!printed.contains("correct") && !printed.contains("argon2"), "{printed}");
    }

    #[test]
    fn has_8_to_72_characters() {
        for (length, valid) in [(7, false), (8, true), (72, true), (73, false)] {
            assert_eq!(Password::new("가".repeat(length)).is_ok(), valid, "{length}");
        }
    }
}
