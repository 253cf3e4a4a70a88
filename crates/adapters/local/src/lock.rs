//! Locks of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coordination::{DistributedLock, Grant, LockName};
use kernel::StoreError;

use crate::tokens::{Tokens, random_owner};

/// Locks for the tasks of one process.
#[derive(Default)]
pub struct LocalLock {
    leases: Mutex<HashMap<LockName, Lease>>,
    fences: Tokens,
}

struct Lease {
    owner: u128,
    until: Instant,
}

impl LocalLock {
    /// Makes locks that nobody has.
    pub fn new() -> Self {
        Self::default()
    }

    fn leases(&self) -> MutexGuard<'_, HashMap<LockName, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DistributedLock for LocalLock {
    async fn acquire(&self, name: &LockName, lease: Duration) -> Result<Option<Grant>, StoreError> {
        let now = Instant::now();
        let mut leases = self.leases();
        leases.retain(|_, lease| lease.until > now);
        if leases.contains_key(name) {
            return Ok(None);
        }
        let owner = random_owner();
        leases.insert(name.clone(), Lease { owner, until: now + lease });
        // Under the same lock as the lease: fences grow in the order of the grants.
        Ok(Some(Grant { name: name.clone(), owner, fence: self.fences.next() }))
    }

    async fn renew(&self, grant: &Grant, lease: Duration) -> Result<bool, StoreError> {
        let now = Instant::now();
        let mut leases = self.leases();
        let held = leases.get_mut(&grant.name).filter(|held| held.owner == grant.owner && held.until > now);
        let is_held = held.is_some();
        if let Some(held) = held {
            held.until = now + lease;
        }
        Ok(is_held)
    }

    async fn release(&self, grant: &Grant) -> Result<bool, StoreError> {
        let now = Instant::now();
        let mut leases = self.leases();
        let is_held =
            leases.get(&grant.name).is_some_and(|held| held.owner == grant.owner && held.until > now);
        if is_held {
            leases.remove(&grant.name);
        }
        Ok(is_held)
    }
}
