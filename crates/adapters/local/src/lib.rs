//! In-process adapters: what one instance needs from its own machine.
//!
//! [`SystemClock`] and [`SystemIds`] are the only places that ask the operating system for time and
//! randomness. [`CachedCatalog`] and [`CachedDirectory`] keep what may lag behind by seconds. They,
//! [`SharedWallets`] and [`SharedOrders`] read for many callers at once what may not (ADR-041).
//!
//! [`LocalLock`], [`LocalCache`], [`LocalGate`] and [`LocalViews`] are the twins of what many instances
//! share on Redis (ADR-022): they serve one instance.

mod cache;
mod catalog;
mod coupons;
mod directory;
mod gate;
mod lock;
mod orders;
mod system;
mod tokens;
mod views;
mod wallets;

pub use cache::LocalCache;

pub use catalog::CachedCatalog;
pub use coupons::CachedCoupons;
pub use directory::CachedDirectory;
pub use gate::LocalGate;
pub use lock::LocalLock;
pub use orders::SharedOrders;
pub use system::{SystemClock, SystemIds};
pub use views::LocalViews;
pub use wallets::SharedWallets;
