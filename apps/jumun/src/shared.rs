//! What the instances of the service share.

use std::sync::Arc;

use coordination::{Cache, DistributedLock};
use coupon::{CouponGate, GateTiming};
use local::{LocalCache, LocalGate, LocalLock, LocalViews};
use ranking::ViewCounter;

/// The ports through which instances know of one another.
#[derive(Clone)]
pub struct Shared {
    /// The locks.
    pub locks: Arc<dyn DistributedLock>,
    /// The cache.
    pub cache: Arc<dyn Cache>,
    /// The gates in front of coupons.
    pub gate: Arc<dyn CouponGate>,
    /// The views of products.
    pub views: Arc<dyn ViewCounter>,
}

impl Shared {
    /// Shares nothing: for one instance.
    pub fn local() -> Self {
        Self {
            locks: Arc::new(LocalLock::new()),
            cache: Arc::new(LocalCache::new()),
            gate: Arc::new(LocalGate::new(GateTiming::default())),
            views: Arc::new(LocalViews::new()),
        }
    }
}
