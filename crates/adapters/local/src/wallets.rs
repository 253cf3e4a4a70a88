//! Wallets that are read together.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use coordination::{Coalescer, Sharing};
use kernel::{CursorPage, PageSize, StoreError, UserId};
use point::{PointEntry, Wallet, WalletLookup, WalletReader};

/// Reads the wallets of those who ask at the same moment in one question (ADR-041). Nothing is remembered.
pub struct SharedWallets<R> {
    inner: Arc<R>,
    lookups: Coalescer<(), UserId, Arc<HashMap<UserId, Wallet>>>,
}

impl<R: WalletReader + WalletLookup + 'static> SharedWallets<R> {
    /// So many wallets are read in one question, at most.
    const LOOKUPS: Sharing = Sharing { name: "wallets", questions: 1_000 };

    /// Shares the reads of a reader, on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(inner: Arc<R>) -> Self {
        let reader = inner.clone();
        let lookups = Coalescer::new(Self::LOOKUPS, move |(), users: Vec<UserId>| {
            let reader = reader.clone();
            async move { reader.wallets(&users).await.map(Arc::new) }
        });
        Self { inner, lookups }
    }
}

#[async_trait]
impl<R: WalletReader + WalletLookup + 'static> WalletReader for SharedWallets<R> {
    async fn wallet(&self, user: UserId) -> Result<Wallet, StoreError> {
        let found = self.lookups.ask((), user).await?;
        Ok(found.get(&user).cloned().unwrap_or_else(|| Wallet::empty(user)))
    }

    async fn ledger(
        &self,
        user: UserId,
        before: Option<u32>,
        size: PageSize,
    ) -> Result<CursorPage<PointEntry, u32>, StoreError> {
        self.inner.ledger(user, before, size).await
    }
}
