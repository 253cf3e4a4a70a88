//! The gate in front of a first-come coupon: it turns the losers away, and decides nothing.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{CouponId, StoreError, UserId};

/// How patient a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateTiming {
    /// For so long a place is kept for somebody who was admitted and of whom nothing more is heard.
    pub hold: Duration,
    /// While a gate is full, one claim in this time is sent on to the database all the same.
    pub probe: Duration,
}

impl Default for GateTiming {
    /// A place is kept for 3 s, and every 2 s the database is asked.
    fn default() -> Self {
        Self { hold: Duration::from_secs(3), probe: Duration::from_secs(2) }
    }
}

/// What the gate says to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// A place is kept for this user for [`GateTiming::hold`]: go and ask the database.
    Admitted,
    /// Ask the database without a place: the user holds one already, or it is time to see whether the
    /// gate still knows the truth.
    Ask,
    /// All pieces are gone.
    SoldOut,
    /// The gate knows nothing of this coupon and is to be built anew; meanwhile the database answers.
    NotReady,
}

/// A picture of the database's count of a coupon: who holds a piece, and for whom a place is kept.
///
/// It is a cache and may be lost, wrong or unreachable at any time (ADR-019): a missing gate is
/// [`Admission::NotReady`] and never open or full. Every method may be repeated.
#[async_trait]
pub trait CouponGate: Send + Sync {
    /// Decides whether a claim is worth a question to the database.
    ///
    /// A user for whom a place is kept is admitted again, to the same place. Places whose time is up
    /// are given to others.
    async fn admit(&self, coupon: CouponId, user: UserId) -> Result<Admission, StoreError>;

    /// Takes note that the user holds a piece: the database has said so. Also counts while a gate is
    /// being built; does nothing where there is no gate.
    async fn confirm(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError>;

    /// Gives up the place of a user who did not get a piece.
    async fn release(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError>;

    /// Throws away what the gate knows and begins to build it anew under the fencing token `fence`; from
    /// now on holders are collected by [`Self::confirm`]. Returns `false`, and changes nothing, if a
    /// later builder (of a greater token) is at work.
    async fn begin(&self, coupon: CouponId, fence: u64) -> Result<bool, StoreError>;

    /// Adds the holders that the database named after [`Self::begin`] and opens the gate for `quantity`
    /// pieces. Returns `false`, and changes nothing, if another builder has begun since.
    async fn open(
        &self,
        coupon: CouponId,
        fence: u64,
        quantity: u32,
        holders: &[UserId],
    ) -> Result<bool, StoreError>;

    /// Throws the gate away: it was seen to be wrong.
    async fn forget(&self, coupon: CouponId) -> Result<(), StoreError>;
}
