//! Coupons whose terms are remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coupon::{Coupon, CouponCode, CouponCursor, CouponReader, HeldCoupon};
use kernel::{CouponId, CursorPage, PageSize, StoreError, UserId};

/// Answers what never changes of a coupon from memory, so that a rush on one is turned away without a
/// question to the database. Counts are always read from the reader behind it. Only coupons that exist are
/// remembered, so a new one is known at once.
pub struct CachedCoupons {
    inner: Arc<dyn CouponReader>,
    terms: Mutex<HashMap<CouponCode, (Coupon, Instant)>>,
}

impl CachedCoupons {
    /// How long terms are remembered. They never change; what is forgotten is what was changed by hand.
    pub const TTL: Duration = Duration::from_mins(1);
    /// How many coupons are remembered.
    const COUPONS: usize = 10_000;

    /// Puts a memory in front of a reader.
    pub fn new(inner: Arc<dyn CouponReader>) -> Self {
        Self { inner, terms: Mutex::default() }
    }
}

#[async_trait]
impl CouponReader for CachedCoupons {
    async fn find(&self, code: &CouponCode) -> Result<Option<Coupon>, StoreError> {
        self.inner.find(code).await
    }

    async fn terms(&self, code: &CouponCode) -> Result<Option<Coupon>, StoreError> {
        let remembered = {
            let terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
            terms.get(code).filter(|(_, at)| at.elapsed() < Self::TTL).map(|(coupon, _)| coupon.clone())
        };
        if remembered.is_some() {
            return Ok(remembered);
        }
        let found = self.inner.terms(code).await?;
        if let Some(coupon) = &found {
            let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
            if terms.len() >= Self::COUPONS {
                terms.clear();
            }
            terms.insert(code.clone(), (coupon.clone(), Instant::now()));
        }
        Ok(found)
    }

    async fn list(
        &self,
        after: Option<CouponCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Coupon, CouponCursor>, StoreError> {
        self.inner.list(after, size).await
    }

    async fn held_by(&self, user: UserId) -> Result<Vec<HeldCoupon>, StoreError> {
        self.inner.held_by(user).await
    }

    async fn holders(&self, coupon: CouponId) -> Result<Vec<UserId>, StoreError> {
        self.inner.holders(coupon).await
    }
}
