//! Access tokens: what a caller shows with each request, for an hour.

use std::fmt;
use std::time::Duration;

use kernel::UserId;

use crate::UserError;

/// A signed statement of who its bearer is. It does not print, for whoever reads it is that user.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// How long a token is good for. Nothing takes it back before (ADR-035).
    pub const LIFETIME: Duration = Duration::from_hours(1);

    /// Wraps a token that was signed just now.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the token, for its bearer and nobody else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Issues and checks access tokens.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait AccessTokens: Send + Sync {
    /// Issues a token for a user that is good from now on for [`AccessToken::LIFETIME`].
    ///
    /// Returns [`UserError::Signing`] if it cannot be signed.
    fn issue(&self, user: UserId) -> Result<AccessToken, UserError>;

    /// Returns the user for whom the token was issued; whether there still is such a user is not asked.
    ///
    /// Returns [`UserError::InvalidToken`] if it was not issued by us, or is not good now; never says
    /// which.
    fn verify(&self, token: &str) -> Result<UserId, UserError>;
}
