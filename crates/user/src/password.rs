//! Passwords and their hashes: argon2id (RFC 9106).

use std::fmt;

use argon2::password_hash::Error;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

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

    /// Returns the hash of no password, which takes as much work to verify as any other. So whoever has no
    /// account is refused after the same time as whoever has the wrong password.
    pub fn decoy(self) -> PasswordHash {
        let params = self.params();
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        // Base64 of 16 bytes of salt and 32 bytes of output, as long as those of a real hash.
        let (salt, output) = ("A".repeat(22), "A".repeat(43));
        PasswordHash(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}"))
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

    /// Tells whether the hash is that of this password, comparing in constant time. It takes as long as the
    /// hash took: never on a thread that serves requests.
    ///
    /// # Errors
    /// [`UserError::Hashing`] if the hash is none.
    pub fn verify(&self, hash: &PasswordHash) -> Result<bool, UserError> {
        match Argon2::default().verify_password(self.0.as_bytes(), hash.as_phc()) {
            Ok(()) => Ok(true),
            Err(Error::PasswordInvalid) => Ok(false),
            Err(_) => Err(UserError::Hashing),
        }
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
    fn is_verified_by_its_own_hash_and_by_no_other() {
        let password = |text: &str| Password::new(text.into()).unwrap();
        for cost in [HashCost::Minimal, HashCost::Standard] {
            let hash = password("correct horse").hash([7; 16], cost).unwrap();
            assert_eq!(password("correct horse").verify(&hash), Ok(true));
            for wrong in ["correct horsf", "Correct horse", "correct horse "] {
                assert_eq!(password(wrong).verify(&hash), Ok(false), "{wrong}");
            }
        }
        for none in ["", "x", "$argon2id$v=19$m=8,t=1,p=1$AAAA", "$scrypt$ln=1$AAAA$AAAA"] {
            let hash = PasswordHash::from_phc(none.into());
            assert_eq!(password("correct horse").verify(&hash), Err(UserError::Hashing), "{none}");
        }
    }

    #[test]
    fn a_decoy_costs_what_a_hash_costs_and_opens_nothing() {
        for cost in [HashCost::Minimal, HashCost::Standard] {
            let real = Password::new("correct horse".into()).unwrap().hash([7; 16], cost).unwrap();
            let shape = |hash: &PasswordHash| {
                let parts: Vec<_> = hash.as_phc().split('$').map(str::to_owned).collect();
                (parts[..4].to_vec(), parts[4..].iter().map(String::len).collect::<Vec<_>>())
            };
            assert_eq!(shape(&cost.decoy()), shape(&real));
            // It is verified to the end: a decoy that could not be read would cost nothing.
            let tried = Password::new("AAAAAAAA".into()).unwrap().verify(&cost.decoy());
            assert_eq!(tried, Ok(false));
        }
    }

    #[test]
    fn has_8_to_72_characters() {
        for (length, valid) in [(7, false), (8, true), (72, true), (73, false)] {
            assert_eq!(Password::new("가".repeat(length)).is_ok(), valid, "{length}");
        }
    }
}
