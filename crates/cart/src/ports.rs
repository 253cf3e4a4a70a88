//! What carts need from the outside.

use std::collections::BTreeSet;

use async_trait::async_trait;
use kernel::{StoreError, UserId};

use crate::Cart;

/// Carts inside a transaction. Everything works on sets.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CartRepository: Send {
    /// Locks the users' carts in ascending order of user ids until the transaction ends and returns one for
    /// each user, in that order; it is [`Cart::empty`], and nothing is locked, for a user who never used one.
    async fn lock(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Cart>, StoreError>;

    /// Stores carts that were changed once since they were read.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, if one was changed by
    /// somebody else in between, or was used for the first time by somebody else.
    async fn save(&mut self, carts: &[Cart]) -> Result<(), StoreError>;
}

/// Carts for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CartReader: Send + Sync {
    /// Returns a user's cart, an empty one for a user who never used one. Version and lines are of one
    /// moment.
    async fn cart(&self, user: UserId) -> Result<Cart, StoreError>;
}
