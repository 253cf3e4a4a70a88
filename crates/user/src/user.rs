//! The user aggregate.

use std::fmt;

use kernel::{Timestamp, UserId};

use crate::{PasswordHash, UserError};

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Buys.
    User,
    /// Runs the shop.
    Admin,
}

impl Role {
    /// Returns the role as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Admin => "ADMIN",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// An e-mail address. It does not print, for it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Takes an address of the form `local@domain` of at most 254 characters (RFC 5321).
    pub fn new(text: &str) -> Result<Self, UserError> {
        let text = text.trim();
        let well_formed = text.rsplit_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.len())
                && domain.contains('.')
                && domain.split('.').all(|label| !label.is_empty())
                && !local.contains('@')
        });
        if !well_formed || text.len() > 254 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(UserError::InvalidEmail);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the address as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form in which two addresses are compared: lower case.
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// A user's name, 1 to 100 characters. It does not print, for it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct UserName(String);

impl UserName {
    /// Takes a name, without the white space around it.
    pub fn new(text: &str) -> Result<Self, UserError> {
        let text = text.trim();
        if !(1..=100).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(UserError::InvalidName);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserName(…)")
    }
}

/// A registered user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The e-mail address to log in with.
    pub email: Email,
    /// The user's name.
    pub name: UserName,
    /// What the user may do.
    pub role: Role,
    /// Proves the password.
    pub password_hash: PasswordHash,
    /// When the user registered.
    pub created_at: Timestamp,
}
