//! What the instances of the service share: locks and a cache (ADR-022).
//!
//! Nothing here is needed for correctness. The database decides; a lock saves work that would be done
//! twice, a cache saves work that was done already. Both may be lost, late or unreachable at any time.
//!
//! Ports: [`DistributedLock`], [`Cache`]. Both are implemented in process, for one instance, and on
//! Redis, for many. Uses: [`exclusively`], [`ReadThrough`]. What stands between
//! an instance and somebody who may not answer: [`CircuitBreaker`]. What lets callers within an instance
//! share a read: [`Coalescer`] (ADR-041).

mod breaker;
mod cache;
mod coalescer;
mod exclusively;
mod in_process;
mod lock;
mod read_through;

pub use breaker::{BreakerSettings, CircuitBreaker};
pub use cache::{Cache, CacheKey, Freshness, Lookup, Turn};
pub use coalescer::{Coalescer, Sharing};
pub use exclusively::{Held, exclusively};
pub use lock::{DistributedLock, Grant, LockName};
pub use read_through::ReadThrough;
