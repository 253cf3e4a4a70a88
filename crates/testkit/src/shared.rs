//! The ports that instances share, as a contract suite is given them.

use std::sync::Arc;

use async_trait::async_trait;
use coordination::{Cache, DistributedLock};
use coupon::{CouponGate, GateTiming};
use ranking::ViewCounter;

/// The adapters under test, on a store that no other test sees. Every call makes an adapter as another
/// instance would; all of them share the store, also with those that were made before.
#[async_trait]
pub trait SharedAdapters: Send + Sync {
    /// Makes the locks.
    fn locks(&self) -> Arc<dyn DistributedLock>;

    /// Makes the cache.
    fn cache(&self) -> Arc<dyn Cache>;

    /// Makes the gate; a scenario makes gates of one timing only.
    fn gate(&self, timing: GateTiming) -> Arc<dyn CouponGate>;

    /// Makes the counter.
    fn views(&self) -> Arc<dyn ViewCounter>;

    /// Loses everything, as a store that starts anew without its data. Adapters that were made before
    /// may still be used where the store is a process of its own, and are made anew by a scenario.
    async fn wipe(&self);
}
