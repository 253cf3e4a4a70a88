//! Why a user cannot be registered, found or let in.

use std::time::Duration;

use kernel::{DomainError, ErrorKind};
use thiserror::Error;

/// Why a user cannot be registered, found or let in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UserError {
    /// There is no such user, or it is not the caller's to see.
    #[error("the user does not exist")]
    NotFound,
    /// The e-mail address is not one.
    #[error("must be an e-mail address of at most 254 characters")]
    InvalidEmail,
    /// The name is empty, longer than 100 characters or has control characters.
    #[error("must have 1 to 100 characters")]
    InvalidName,
    /// The password is too short or too long.
    #[error("must have 8 to 72 characters")]
    InvalidPassword,
    /// The e-mail address belongs to somebody already.
    #[error("the e-mail address is taken")]
    DuplicateEmail,
    /// Too many passwords wait to be hashed.
    #[error("too many others log in or register at this moment, try again")]
    Busy,
    /// A password could not be hashed.
    #[error("the password could not be hashed")]
    Hashing,
    /// Nobody has this e-mail address, or the password is not theirs: nobody is told which.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// Too many passwords were tried for this e-mail address.
    #[error("too many failed logins for this e-mail address, try again later")]
    TooManyAttempts {
        /// How long until another may be tried.
        retry_after: Duration,
    },
    /// A token is not ours, or is not good any more.
    #[error("the token is not valid")]
    InvalidToken,
    /// A token could not be signed.
    #[error("the token could not be signed")]
    Signing,
}

impl DomainError for UserError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound => ErrorKind::NotFound,
            Self::InvalidEmail | Self::InvalidName | Self::InvalidPassword => ErrorKind::Invalid,
            Self::DuplicateEmail => ErrorKind::Conflict,
            Self::Busy => ErrorKind::Unavailable,
            Self::WrongCredentials | Self::InvalidToken => ErrorKind::Unauthorized,
            Self::TooManyAttempts { .. } => ErrorKind::TooManyRequests,
            Self::Hashing | Self::Signing => ErrorKind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::InvalidEmail | Self::InvalidName | Self::InvalidPassword => "VALIDATION_ERROR",
            Self::DuplicateEmail => "DUPLICATE_EMAIL",
            Self::Busy => "SERVICE_UNAVAILABLE",
            Self::WrongCredentials | Self::InvalidToken => "UNAUTHORIZED",
            Self::TooManyAttempts { .. } => "TOO_MANY_REQUESTS",
            Self::Hashing | Self::Signing => "INTERNAL_ERROR",
        }
    }
}
