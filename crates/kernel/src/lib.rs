//! The vocabulary that every Jumun domain shares: ids, [`Money`], time, events, pages and error kinds.
//!
//! Nothing here performs I/O. [`Clock`] and [`IdGenerator`] are the only doors through which time and
//! randomness enter the system, so that every decision can be replayed in a test.

// `id_type!` names this crate from outside; here it is itself.
extern crate self as kernel;

mod error;
mod event;
mod id;
mod money;
mod page;
mod store_error;
mod time;
mod trace;

pub use error::{Details, DomainError, ErrorKind, causes};
pub use event::{DomainEvent, EventId, EventPayload};
pub use id::{CouponId, IdGenerator, OrderId, PaymentId, ProductId, RefundId, UserCouponId, UserId};
pub use money::{Money, MoneyError};
pub use page::{CursorPage, InvalidPage, Page, PageRequest, PageSize};
pub use store_error::{BoxError, StoreError};
pub use time::{BusinessZone, Clock, Stretch, Timestamp, seconds};
pub use trace::TraceContext;

/// The way ids are declared; public so that a domain can name an id of its own.
#[doc(hidden)]
pub mod export {
    pub use serde;
    pub use uuid::Uuid;
}
