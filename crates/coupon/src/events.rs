//! What others are told of a coupon.

use kernel::{CouponId, EventPayload, UserCouponId, UserId};
use serde::Serialize;

use crate::{Coupon, UserCoupon};

/// A user got a piece of a coupon. It is the first event of that piece, so that claims of one coupon are
/// delivered side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponClaimed {
    /// The piece.
    pub user_coupon_id: UserCouponId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Its code.
    pub code: String,
    /// Who got it.
    pub user_id: UserId,
}

impl CouponClaimed {
    /// Tells that `piece` of `coupon` was issued.
    pub fn of(coupon: &Coupon, piece: &UserCoupon) -> Self {
        Self {
            user_coupon_id: piece.id,
            coupon_id: coupon.id,
            code: coupon.terms.code.to_string(),
            user_id: piece.user_id,
        }
    }
}

impl EventPayload for CouponClaimed {
    const AGGREGATE: &'static str = "user_coupon";
    const TYPE: &'static str = "CouponClaimed";
}
