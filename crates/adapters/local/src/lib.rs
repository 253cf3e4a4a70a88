//! In-process adapters: what one instance needs from its own machine.
//!
//! [`SystemClock`] and [`SystemIds`] are the only places that ask the operating system for time and
//! randomness. [`CachedCatalog`] and [`CachedDirectory`] keep what may lag behind by seconds.
//!
//! [`LocalLock`], [`LocalCache`], [`LocalGate`] and [`LocalViews`] are the twins of what many instances
//! share on Redis (ADR-022): they serve one instance.

mod cache;
mod catalog;
mod directory;
mod gate;
mod lock;
mod system;
mod tokens;
mod views;

pub use cache::LocalCache;

pub use catalog::CachedCatalog;
pub use directory::CachedDirectory;
pub use gate::LocalGate;
pub use lock::LocalLock;
pub use system::{SystemClock, SystemIds};
pub use views::LocalViews;
