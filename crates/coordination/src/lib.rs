//! What the instances of the service share: locks and a cache (ADR-022).
//!
//! Nothing here is needed for correctness. The database decides; a lock saves work that would be done
//! twice, a cache saves work that was done already. Both may be lost, late or unreachable at any time.
//!
//! Ports: [`DistributedLock`], [`Cache`]. Both are implemented in process, for one instance, and on
//! Redis, for many.

mod cache;
mod lock;

pub use cache::{Cache, CacheKey, Freshness, Lookup, Turn};
pub use lock::{DistributedLock, Grant, LockName};
