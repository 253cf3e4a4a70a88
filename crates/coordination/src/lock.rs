//! A lock that instances share.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use kernel::StoreError;

/// What a lock is on, for example `coupon-gate:0190…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockName(String);

impl LockName {
    /// Names the lock on the only thing of its kind.
    pub fn of_the(kind: &'static str) -> Self {
        Self(kind.to_owned())
    }

    /// Names the lock on one of several things of a kind.
    pub fn of(kind: &'static str, id: impl fmt::Display) -> Self {
        Self(format!("{kind}:{id}"))
    }
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The proof of having taken a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What is locked.
    pub name: LockName,
    /// A random number that only the owner knows.
    pub owner: u128,
    /// The fencing token: greater than that of every earlier grant of this lock, whatever was lost in
    /// between. Whoever writes under the lock hands it on, so that a late write of an earlier owner can
    /// be refused.
    pub fence: u64,
}

/// A lock with a lease. It saves work; no rule may hang on it alone, since its owner may be slower than
/// its lease.
#[async_trait]
pub trait DistributedLock: Send + Sync {
    /// Takes the lock for the time of `lease`; returns `None` if somebody else has it.
    ///
    /// Returns [`StoreError::Unavailable`] if it cannot be known.
    async fn acquire(&self, name: &LockName, lease: Duration) -> Result<Option<Grant>, StoreError>;

    /// Begins the lease anew; returns `false`, and changes nothing, if the lock is no longer the owner's.
    async fn renew(&self, grant: &Grant, lease: Duration) -> Result<bool, StoreError>;

    /// Gives the lock back; returns `false`, and changes nothing, if it is no longer the owner's.
    async fn release(&self, grant: &Grant) -> Result<bool, StoreError>;
}
