//! Refunds: what was paid for an order goes back to where it came from, at once or piece by piece.
//!
//! Invariants
//! - of a line never more pieces go back than were bought, and never more money than was paid for them;
//! - once the last piece is back, every line, every tender and the payment are back to the hundredth: each
//!   amount is the difference of two cumulative sums, so that roundings never add up;
//! - points go back as points and money by card to the card, in the proportion in which they were paid;
//! - a refund that is [`RefundStatus::Pending`] holds its pieces and amounts like one that has succeeded; one
//!   that fails gives them up, and whoever comes next gets them;
//! - a refund is settled once, and never changes after that.
//!
//! [`Refundable`] knows what is left of a payment and plans; a [`RefundPlan`] is what a preview shows and what
//! [`Refund::begin`] records, so both speak of the same sums. [`Refund::reversal`] gives back money by card that
//! came when its order could not be fulfilled any more; it has no pieces and knows no window.
//!
//! Ports: [`RefundRepository`] inside a transaction, [`RefundReader`] for reads, [`UnsettledRefunds`] for
//! whoever sees a refund through to its end.

mod error;
mod events;
mod ports;
mod reason;
mod refund;
mod refundable;
mod request;
mod window;

pub use error::RefundError;
pub use events::{PaymentRefunded, PaymentReversed, RefundedItem};
#[cfg(feature = "mocks")]
pub use ports::{MockRefundReader, MockRefundRepository, MockUnsettledRefunds};
pub use ports::{RefundReader, RefundRepository, UnsettledRefund, UnsettledRefunds};
pub use reason::RefundReason;
pub use refund::{NewReversal, Refund, RefundItem, RefundState, RefundStatus};
pub use refundable::{PaidLine, RefundPlan, Refundable};
pub use request::RefundRequest;
pub use window::RefundWindow;
