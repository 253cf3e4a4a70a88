//! Orders: what a user bought, for how much, and what became of it.
//!
//! Invariants
//! - total = Σ subtotals, discount = Σ discounts of the lines, paid = total − discount once it is paid;
//! - name and price of a line are snapshots of the moment of the order;
//! - each change of status is one [`StatusChange`] and one event of the same sequence number;
//! - states: `PENDING → PAID | CANCELLED | EXPIRED`, `PAID → PARTIALLY_REFUNDED | REFUNDED`;
//! - only an order that waits for its payment has a time at which it expires.
//!
//! The aggregate includes its lines (ADR-004); users, products and payments are known by id only
//! (ADR-013). Amounts are the order's (ADR-005): a payment is told what to collect.
//!
//! Ports: [`OrderRepository`] inside a transaction, [`OrderReader`] for reads.

mod basket;
mod discount;
mod error;
mod events;
mod history;
mod order;
mod ports;
mod status;

pub use basket::Basket;
pub use discount::{AppliedCoupon, DiscountPolicy, Reduction};
pub use error::OrderError;
pub use events::{OrderCancelled, OrderExpired, OrderPaid, OrderPlaced, OrderedLine};
pub use history::{Actor, StatusChange};
pub use order::{Order, OrderLine, OrderState};
#[cfg(feature = "mocks")]
pub use ports::{MockOrderReader, MockOrderRepository};
pub use ports::{OrderCursor, OrderFilter, OrderReader, OrderRepository};
pub use status::OrderStatus;
