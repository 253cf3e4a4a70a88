//! What coupons need from the outside.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use kernel::{CouponId, CursorPage, PageSize, StoreError, Timestamp, UserCouponId, UserId};

use crate::{Coupon, CouponCode, UserCoupon};

/// A piece together with the coupon that it is a piece of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldCoupon {
    /// The coupon. Its count of issued pieces may be out of date, the rest never changes.
    pub coupon: Coupon,
    /// The piece.
    pub piece: UserCoupon,
}

/// Coupons inside a transaction. Everything works on sets.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CouponRepository: Send {
    /// Adds new coupons.
    ///
    /// Returns [`StoreError::Duplicate`] if a code is taken.
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError>;

    /// Returns which of the users hold a piece of which of the coupons.
    async fn holders(
        &mut self,
        pairs: &BTreeSet<(CouponId, UserId)>,
    ) -> Result<BTreeSet<(CouponId, UserId)>, StoreError>;

    /// Stores pieces that are to be counted in the same transaction by [`Self::count`].
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, if a user holds a piece
    /// already.
    async fn insert_pieces(&mut self, pieces: &[UserCoupon]) -> Result<(), StoreError>;

    /// Counts pieces as issued, in ascending order of the coupons' ids, for each coupon that has as many
    /// left; returns the coupons that have not. From then on the counts are locked, so it comes last.
    async fn count(&mut self, pieces: &BTreeMap<CouponId, u32>) -> Result<BTreeSet<CouponId>, StoreError>;

    /// Locks the pieces that users hold of coupons with these codes, in ascending order of their ids,
    /// until the transaction ends; pairs without a piece are left out.
    async fn lock_held(
        &mut self,
        pairs: &BTreeSet<(UserId, CouponCode)>,
    ) -> Result<Vec<HeldCoupon>, StoreError>;

    /// Locks pieces by their ids, in the order in which [`Self::lock_held`] locks them; ids without a piece
    /// are left out.
    async fn lock_pieces(&mut self, ids: &BTreeSet<UserCouponId>) -> Result<Vec<HeldCoupon>, StoreError>;

    /// Stores pieces that were changed once since they were read.
    ///
    /// Returns [`StoreError::Contended`] if one was changed by somebody else in between; then the
    /// transaction must be rolled back.
    async fn save(&mut self, pieces: &[UserCoupon]) -> Result<(), StoreError>;
}

/// The place in a list after the coupon it names; lists go from the newest to the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponCursor {
    /// When that coupon was created.
    pub created_at: Timestamp,
    /// Which one it is.
    pub id: CouponId,
}

/// Coupons for readers, outside a transaction.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CouponReader: Send + Sync {
    /// Returns the coupon of a code, as it is at the time of the call.
    async fn find(&self, code: &CouponCode) -> Result<Option<Coupon>, StoreError>;

    /// Returns what never changes of the coupon of a code; the count of issued pieces may be out of date.
    async fn terms(&self, code: &CouponCode) -> Result<Option<Coupon>, StoreError> {
        self.find(code).await
    }

    /// Returns a page of coupons, the newest first.
    async fn list(
        &self,
        after: Option<CouponCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Coupon, CouponCursor>, StoreError>;

    /// Returns all that a user holds or has used, the newest first.
    async fn held_by(&self, user: UserId) -> Result<Vec<HeldCoupon>, StoreError>;

    /// Returns everybody who holds a piece of a coupon or has used it.
    async fn holders(&self, coupon: CouponId) -> Result<Vec<UserId>, StoreError>;
}
