//! The data platform: where events of the outbox go.
//!
//! [`DataPlatformClient`] implements the outbox's [`EventSink`](checkout::outbox::EventSink). It sends
//! each event as a `CloudEvents` 1.0 document in structured JSON mode by `POST {base}/v1/events`, signed
//! by the Standard Webhooks headers, whose `webhook-id` is the event's id: a receiver that has it
//! already answers 2xx once more and does nothing.
//!
//! - Only a 2xx answer is a confirmation. Everything else, redirects included, is a failure that the
//!   outbox tries again, after as long a pause as the receiver's `Retry-After` asks for.
//! - An attempt ends within its [`TimeLimits`]. What the receiver writes into the body of its answer is
//!   never read, and nothing that it says sends the client elsewhere.
//! - Amounts reach the receiver as the text that the domain wrote, two decimals and all.

mod client;
mod cloud_event;
mod retry_after;
mod setup_error;

pub use client::{DataPlatformClient, TimeLimits};
pub use setup_error::SetupError;
