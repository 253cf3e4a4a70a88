//! What a coupon takes off an order, line by line.

use std::collections::BTreeSet;

use kernel::{Money, ProductId, UserCouponId};

use crate::{OrderError, OrderLine};

/// How much is taken off the lines to which a discount applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// A share in hundredths of a percent, up to 10,000, rounded down to 0.01.
    Share(u32),
    /// An amount.
    Amount(Money),
}

/// The rules by which a coupon takes something off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountPolicy {
    /// How much is taken off.
    pub reduction: Reduction,
    /// How much is taken off at most.
    pub cap: Option<Money>,
    /// What the whole order must come to at least.
    pub minimum: Option<Money>,
    /// The only products to which it applies; all of them without a list.
    pub products: Option<BTreeSet<ProductId>>,
}

impl DiscountPolicy {
    /// Returns what is taken off each line.
    ///
    /// Together that is never more than the lines to which it applies, and for no line more than its
    /// subtotal; not a hundredth is lost in between.
    ///
    /// # Errors
    /// [`OrderError::DiscountMinimum`] and [`OrderError::DiscountNotApplicable`].
    pub fn allocate(&self, lines: &[OrderLine]) -> Result<Vec<Money>, OrderError> {
        let sum = |applies: &dyn Fn(&OrderLine) -> bool| {
            lines.iter().filter(|line| applies(line)).map(|line| line.subtotal).sum::<Option<Money>>()
        };
        let total = sum(&|_| true).ok_or(OrderError::TooLarge)?;
        if let Some(minimum) = self.minimum.filter(|minimum| total < *minimum) {
            return Err(OrderError::DiscountMinimum { minimum, amount: total });
        }
        if !lines.iter().any(|line| self.applies_to(line)) {
            return Err(OrderError::DiscountNotApplicable);
        }
        let eligible = sum(&|line| self.applies_to(line)).ok_or(OrderError::TooLarge)?;
        let reduction = match self.reduction {
            Reduction::Share(basis_points) => share_of(eligible, basis_points),
            Reduction::Amount(amount) => amount,
        };
        let discount = reduction.min(self.cap.unwrap_or(Money::MAX)).min(eligible);
        let weights: Vec<u64> = lines
            .iter()
            .map(|line| if self.applies_to(line) { line.subtotal.minor().unsigned_abs() } else { 0 })
            .collect();
        Ok(discount.allocate(&weights))
    }

    fn applies_to(&self, line: &OrderLine) -> bool {
        self.products.as_ref().is_none_or(|products| products.contains(&line.product_id))
    }
}

/// Returns a share of an amount, rounded down.
fn share_of(amount: Money, basis_points: u32) -> Money {
    let share = i128::from(amount.minor()) * i128::from(basis_points) / 10_000;
    i64::try_from(share).ok().and_then(|share| Money::from_minor(share).ok()).unwrap_or(amount)
}

/// The coupon that an order uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedCoupon {
    /// The buyer's piece of it.
    pub user_coupon_id: UserCouponId,
    /// Its code.
    pub code: String,
}
