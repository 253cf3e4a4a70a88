//! Users: who they are, what they may do, and how they prove it.
//!
//! Invariants
//! - an e-mail address belongs to one user, whatever its case;
//! - a role is kept with the user and never taken from a request;
//! - a password is known only by its hash, and neither it nor personal data ever prints;
//! - a refresh token is good once; whoever presents it again ends the whole session;
//! - of the passwords tried for an address only a few may be wrong in a while.
//!
//! Ports: [`UserRepository`], [`SessionRepository`] and [`LoginAttemptRepository`] inside a transaction,
//! [`UserDirectory`] for reads, [`AccessTokens`] and [`Passwords`] for what takes cryptography,
//! [`SessionJanitor`] and [`PersonalDataRotation`] for the background.

mod access_token;
mod error;
mod login_attempts;
mod password;
mod ports;
mod refresh_token;
mod session;
mod user;

#[cfg(feature = "mocks")]
pub use access_token::MockAccessTokens;
pub use access_token::{AccessToken, AccessTokens};
pub use error::UserError;
pub use login_attempts::{LoginAttempt, LoginAttempts};
pub use password::{HashCost, Password, PasswordHash};
pub use ports::{
    Credentials, LoginAttemptRepository, Passwords, PersonalDataRotation, RotatedBatch, SessionJanitor,
    SessionRepository, UserDirectory, UserRepository,
};
#[cfg(feature = "mocks")]
pub use ports::{
    MockLoginAttemptRepository, MockPasswords, MockPersonalDataRotation, MockSessionJanitor,
    MockSessionRepository, MockUserDirectory, MockUserRepository,
};
pub use refresh_token::{RefreshToken, TokenDigest};
pub use session::{IssuedToken, Presented, Session, SessionId};
pub use user::{Email, Role, User, UserName};
