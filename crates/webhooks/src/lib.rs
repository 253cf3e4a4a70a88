//! Standard Webhooks: messages signed and checked with a key that both sides share, symmetric `v1`.
//!
//! A message has three headers: [`ID`], by which a repetition is known, [`TIMESTAMP`], the second in which
//! it was sent, and [`SIGNATURE`], which binds both to the body. [`WebhookKey`] writes the last and checks
//! all three. It knows no HTTP library and no clock: headers and the time are given to it.

mod error;
mod headers;
mod key;

pub use error::{InvalidSecret, SignatureError, Unsignable};
pub use headers::{ID, SIGNATURE, TIMESTAMP};
pub use key::WebhookKey;
