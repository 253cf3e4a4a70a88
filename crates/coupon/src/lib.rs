//! Coupons: issued first come, first served, one a user, each used for one order.

mod gate;

pub use gate::{Admission, CouponGate, GateTiming};
