//! What users need from the outside.

use async_trait::async_trait;
use kernel::{StoreError, UserId};

use crate::{Role, User};

/// Users inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Send {
    /// Adds new users.
    ///
    /// Returns [`StoreError::Duplicate`] if an e-mail address belongs to somebody already.
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
}
