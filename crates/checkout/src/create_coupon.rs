//! Creating a coupon.

use async_trait::async_trait;
use coupon::{Coupon, CouponError, NewCoupon};
use kernel::{CouponId, StoreError, Timestamp};

use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Render, Transaction, TransactionScript, UseCaseError,
};

impl Checkout {
    /// Creates a coupon of which nothing has been issued.
    ///
    /// # Errors
    /// The rejection of its terms, a code that is taken, or why it could not be carried out.
    pub async fn create_coupon(
        &self,
        terms: NewCoupon,
        request: Option<KeyedRequest>,
        render: Render<Coupon>,
    ) -> Result<Answer, UseCaseError> {
        let now = self.clock.now();
        let id = CouponId::from_uuid(self.ids.uuid());
        self.runner.run(Idempotent { script: Script { id, terms, now }, request, render, now }).await
    }
}

struct Script {
    id: CouponId,
    terms: NewCoupon,
    now: Timestamp,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Coupon;

    const NAME: &'static str = "create_coupon";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Coupon, UseCaseError> {
        let coupon = Coupon::create(self.id, self.terms.clone(), self.now).map_err(UseCaseError::rejected)?;
        match tx.coupons().insert(std::slice::from_ref(&coupon)).await {
            Ok(()) => Ok(coupon),
            Err(StoreError::Duplicate(_)) => {
                Err(UseCaseError::rejected(CouponError::DuplicateCode(self.terms.code.clone())))
            }
            Err(error) => Err(error.into()),
        }
    }
}
