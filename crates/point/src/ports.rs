//! What wallets need from the outside.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use kernel::{CursorPage, PageSize, StoreError, UserId};

use crate::{PointEntry, Wallet};

/// Wallets inside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait WalletRepository: Send {
    /// Returns the users' wallets as they stand now, one for each user, without locking any; it is
    /// [`Wallet::empty`] for a user who never charged.
    async fn read(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Wallet>, StoreError>;

    /// Locks the users' wallets in ascending order of user ids until the transaction ends and returns
    /// one for each user, in that order; it is [`Wallet::empty`] for a user who never charged.
    async fn lock(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Wallet>, StoreError>;

    /// Stores the balances that the entries lead to, and writes the entries into the ledger. Entries
    /// of one wallet follow one another in their sequence.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, unless each wallet
    /// stands exactly where its first entry begins.
    async fn record(&mut self, entries: &[PointEntry]) -> Result<(), StoreError>;
}

/// Wallets for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait WalletReader: Send + Sync {
    /// Returns a user's wallet, an empty one for a user who never charged.
    async fn wallet(&self, user: UserId) -> Result<Wallet, StoreError>;

    /// Returns ledger entries with a sequence below `before`, the newest first; the cursor of a page
    /// is the sequence of its last entry.
    async fn ledger(
        &self,
        user: UserId,
        before: Option<u32>,
        size: PageSize,
    ) -> Result<CursorPage<PointEntry, u32>, StoreError>;
}

/// Wallets of several users for readers, outside a transaction.
#[async_trait]
pub trait WalletLookup: Send + Sync {
    /// Returns the wallets of those of the users who ever charged.
    async fn wallets(&self, users: &[UserId]) -> Result<HashMap<UserId, Wallet>, StoreError>;
}
