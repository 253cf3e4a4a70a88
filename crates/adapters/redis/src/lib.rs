//! The ports that instances share, on Redis (ADR-022).
//!
//! Redis only helps: whatever it loses, delays or refuses, the database decides. So every call ends soon,
//! with an answer or with an error that its caller can do without, and nothing is tried again here.
//!
//! Each call is one script, which Redis runs as a whole. Time comes from Redis, so that the clocks of the
//! instances need not agree. Fences and generations follow that time in µs, which a double of Lua holds
//! exactly (until the year 2255), and so they grow even after everything was lost.

mod cache;
mod connect;
mod error;
mod gate;
mod keys;
mod lock;
mod views;

pub use cache::RedisCache;
pub use connect::{Redis, SetupError};
pub use gate::RedisGate;
pub use lock::RedisLock;
pub use views::RedisViews;
