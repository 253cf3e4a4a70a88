//! Delivery of events to the data platform: at least once, in order per aggregate, never in the way of
//! an order.
//!
//! [`Dispatcher`] takes events that are due from an [`OutboxQueue`] under a lease, hands each to the
//! [`EventSink`] while no transaction is open, and settles what became of it. What to do after a
//! failure is decided by the pure [`after_failure`].

mod dispatcher;
mod policy;
mod ports;

pub use dispatcher::Dispatcher;
pub use policy::{MAX_ATTEMPTS, after_failure};
pub use ports::{
    DeliveryError, EventSink, OutboxAdmin, OutboxEntry, OutboxLevel, OutboxQueue, OutboxStatus, QueuedEvent,
    Replay, Settlement,
};
