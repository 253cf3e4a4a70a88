//! What users need from the outside.

use std::collections::HashMap;

use async_trait::async_trait;
use kernel::{StoreError, Timestamp, UserId};

use crate::{
    Email, IssuedToken, LoginAttempt, LoginAttempts, Password, PasswordHash, Role, Session, SessionId,
    TokenDigest, User, UserError,
};

/// Users inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Send {
    /// Adds new users.
    ///
    /// Returns [`StoreError::Duplicate`] if an e-mail address belongs to somebody already, whatever key
    /// that row is encrypted with (ADR-036).
    async fn insert(&mut self, users: &[User]) -> Result<(), StoreError>;
}

/// Users for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserDirectory: Send + Sync {
    /// Returns a user.
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Returns what a user may do, without the personal data; `None` if there is no such user.
    async fn role(&self, id: UserId) -> Result<Option<Role>, StoreError>;

    /// Returns what those of the users may do that there are, without the personal data.
    async fn roles(&self, ids: &[UserId]) -> Result<HashMap<UserId, Role>, StoreError>;

    /// Returns who has an e-mail address, and what proves it; `None` if nobody has it.
    async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError>;
}

/// Whom a password lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user_id: UserId,
    /// Proves the password.
    pub password_hash: PasswordHash,
}

/// Hashes passwords and verifies them, away from the threads that serve requests, a few at a time.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Passwords: Send + Sync {
    /// Hashes a password.
    ///
    /// Returns [`UserError::Busy`] if too many wait for theirs.
    async fn hash(&self, password: Password) -> Result<PasswordHash, UserError>;

    /// Tells whether a password is that of `hash`. Without a hash it never is, and takes as long.
    ///
    /// Returns [`UserError::Busy`] if too many wait for theirs.
    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, UserError>;
}

/// Tries at passwords, inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait LoginAttemptRepository: Send {
    /// Returns the tries at an address, locked until the transaction ends.
    async fn lock(&mut self, email: &Email) -> Result<LoginAttempts, StoreError>;

    /// Puts a try into a slot in which `attempts`, as they were locked, hold nothing or a try that counts
    /// no more.
    ///
    /// Returns [`StoreError::Contended`] if another try has taken the slot in between.
    async fn put(
        &mut self,
        email: &Email,
        attempts: &LoginAttempts,
        slot: u8,
        attempt: LoginAttempt,
    ) -> Result<(), StoreError>;

    /// Takes back a try that was never decided.
    async fn remove(&mut self, email: &Email, attempt: LoginAttempt) -> Result<(), StoreError>;

    /// Forgets every try at an address.
    async fn clear(&mut self, email: &Email) -> Result<(), StoreError>;
}

/// Sessions and their refresh tokens, inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionRepository: Send {
    /// Adds a session with its first token.
    async fn insert(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Returns the session to which a token belongs, locked until the transaction ends; `None` if it
    /// belongs to none.
    async fn lock(&mut self, token: &TokenDigest) -> Result<Option<Session>, StoreError>;

    /// Marks the token of `session` as used and adds the next one.
    ///
    /// Returns [`StoreError::Contended`] if the token was used or the session revoked in between.
    async fn rotate(&mut self, session: &Session, next: &IssuedToken) -> Result<(), StoreError>;

    /// Revokes a session; one that is revoked already stays as it is.
    async fn revoke(&mut self, session: SessionId, now: Timestamp) -> Result<(), StoreError>;
}

/// Removes what sessions and logins leave behind.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionJanitor: Send + Sync {
    /// Deletes sessions and refresh tokens that expired before `now` and tries at passwords that count no
    /// more, a bounded number of them, and returns how many.
    async fn purge_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// What became of a batch of users whose personal data was to be encrypted anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotatedBatch {
    /// How many are under the current key now that were not before.
    pub rotated: u64,
    /// Those who still are under another key: no key reads them, their address belongs to another user
    /// too, or they were changed in between.
    pub left: Vec<UserId>,
    /// The last user of the batch, after whom the next one begins; `None` when there is no next one.
    pub last: Option<UserId>,
}

/// Brings personal data under the current key (ADR-036).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PersonalDataRotation: Send + Sync {
    /// Encrypts anew what is under another key of the next users after `after`, in a short transaction.
    /// Users change and register meanwhile as they like.
    async fn rotate(&self, after: Option<UserId>) -> Result<RotatedBatch, StoreError>;
}
