//! Coupons: issued first come, first served, one a user, each used for one order.
//!
//! Invariants
//! - as many pieces are issued as there are [`UserCoupon`]s, and never more than the coupon's quantity;
//! - a user holds one piece of a coupon at most;
//! - a piece that is USED belongs to one live order, and no order uses a piece that is another's.
//!
//! A [`Coupon`] says what it takes off and when it counts; the order computes and allocates the discount
//! (ADR-006). The database decides who gets a piece, by a condition on the coupon's count and a unique key
//! of the holders; the [`CouponGate`] in front only turns the losers away (ADR-019).
//!
//! Ports: [`CouponRepository`] inside a transaction, [`CouponReader`] for reads, [`CouponGate`].

mod code;
mod coupon;
mod error;
mod events;
mod gate;
mod ports;
mod user_coupon;

pub use code::CouponCode;
pub use coupon::{Benefit, Coupon, CouponName, CouponState, NewCoupon, Percentage, Period};
pub use error::CouponError;
pub use events::CouponClaimed;
pub use gate::{Admission, CouponGate, GateTiming};
pub use ports::{CouponCursor, CouponReader, CouponRepository, HeldCoupon};
#[cfg(feature = "mocks")]
pub use ports::{MockCouponReader, MockCouponRepository};
pub use user_coupon::{UserCoupon, UserCouponState, UserCouponStatus};
