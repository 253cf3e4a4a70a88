//! In-process adapters: what one instance needs from its own machine.
//!
//! [`SystemClock`] and [`SystemIds`] are the only places that ask the operating system for time and
//! randomness. [`CachedCatalog`] and [`CachedDirectory`] keep what may lag behind by seconds.

mod catalog;
mod coupons;
mod directory;
mod system;

pub use catalog::CachedCatalog;
pub use coupons::CachedCoupons;
pub use directory::CachedDirectory;
pub use system::{SystemClock, SystemIds};
