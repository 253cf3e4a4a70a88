//! The piece of a coupon that a user holds.

use std::ops::Deref;

use kernel::{CouponId, OrderId, Timestamp, UserCouponId, UserId};

use crate::CouponError;

/// How far a piece has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserCouponStatus {
    /// Held, to be used once.
    Claimed,
    /// Used by an order.
    Used {
        /// The order.
        order_id: OrderId,
        /// When it was used.
        at: Timestamp,
    },
}

impl UserCouponStatus {
    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "CLAIMED",
            Self::Used { .. } => "USED",
        }
    }
}

/// What there is to know of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCouponState {
    /// Its id.
    pub id: UserCouponId,
    /// The coupon that it is a piece of.
    pub coupon_id: CouponId,
    /// Who holds it.
    pub user_id: UserId,
    /// How far it has come.
    pub status: UserCouponStatus,
    /// Counts its changes, from 1.
    pub version: u32,
    /// When it was claimed.
    pub claimed_at: Timestamp,
}

/// The piece of a coupon that a user holds. Everybody may read its state; only its methods change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCoupon(UserCouponState);

impl Deref for UserCoupon {
    type Target = UserCouponState;

    fn deref(&self) -> &UserCouponState {
        &self.0
    }
}

impl UserCoupon {
    /// Makes the piece that a coupon issues.
    pub(crate) const fn issued(
        id: UserCouponId,
        coupon_id: CouponId,
        user_id: UserId,
        now: Timestamp,
    ) -> Self {
        let status = UserCouponStatus::Claimed;
        Self(UserCouponState { id, coupon_id, user_id, status, version: 1, claimed_at: now })
    }

    /// Makes a piece of its stored state.
    pub const fn restore(state: UserCouponState) -> Self {
        Self(state)
    }

    /// Gives the piece back that an order had used, so that it can be used again.
    ///
    /// # Errors
    /// [`CouponError::Inconsistent`] if another order uses it.
    pub fn give_back(&mut self, order_id: OrderId) -> Result<(), CouponError> {
        match self.status {
            UserCouponStatus::Used { order_id: user, .. } if user == order_id => {
                self.0.status = UserCouponStatus::Claimed;
                self.0.version += 1;
                Ok(())
            }
            _ => Err(CouponError::Inconsistent),
        }
    }

    /// Uses the piece for an order.
    pub fn use_for(&mut self, order_id: OrderId, now: Timestamp) -> Result<(), CouponError> {
        if self.status != UserCouponStatus::Claimed {
            return Err(CouponError::AlreadyUsed);
        }
        self.0.status = UserCouponStatus::Used { order_id, at: now };
        self.0.version += 1;
        Ok(())
    }
}
