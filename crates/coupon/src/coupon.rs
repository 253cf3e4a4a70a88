//! The coupon aggregate: what is issued, how much of it, and when it counts.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use kernel::{CouponId, Money, ProductId, Timestamp, UserCouponId, UserId};

use crate::{CouponCode, CouponError, UserCoupon};

/// A coupon's name: 1 to 200 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponName(String);

impl CouponName {
    /// Takes a name, without the white space around it.
    pub fn new(text: &str) -> Result<Self, CouponError> {
        let text = text.trim();
        if !(1..=200).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(CouponError::InvalidName);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CouponName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A share of 0.01 % to 100.00 %, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentage(u32);

impl Percentage {
    /// Takes a number of hundredths of a percent.
    pub const fn from_basis_points(points: u32) -> Result<Self, CouponError> {
        if points == 0 || points > 10_000 {
            return Err(CouponError::InvalidPercentage);
        }
        Ok(Self(points))
    }

    /// Returns the number of hundredths of a percent.
    pub const fn basis_points(self) -> u32 {
        self.0
    }
}

/// What a coupon takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benefit {
    /// A share of the price.
    Percent(Percentage),
    /// An amount, above zero.
    Fixed(Money),
}

impl Benefit {
    /// Makes a benefit of its stored or sent form: `PERCENT` or `FIXED`, and a value with two decimals.
    pub fn new(kind: &str, value: Money) -> Option<Result<Self, CouponError>> {
        match kind {
            "PERCENT" => {
                let points = u32::try_from(value.minor()).map_err(|_| CouponError::InvalidPercentage);
                Some(points.and_then(Percentage::from_basis_points).map(Self::Percent))
            }
            "FIXED" if value <= Money::ZERO => Some(Err(CouponError::InvalidAmount)),
            "FIXED" => Some(Ok(Self::Fixed(value))),
            _ => None,
        }
    }

    /// Returns the kind as it is stored and shown.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Percent(_) => "PERCENT",
            Self::Fixed(_) => "FIXED",
        }
    }

    /// Returns the value with two decimals: percent or an amount.
    pub fn value(self) -> Money {
        match self {
            Self::Percent(share) => Money::from_minor(share.0.into()).unwrap_or_default(),
            Self::Fixed(amount) => amount,
        }
    }
}

/// When a coupon can be claimed and used: from its start until just before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    starts_at: Timestamp,
    ends_at: Timestamp,
}

impl Period {
    /// Takes a start and a later end.
    pub fn new(starts_at: Timestamp, ends_at: Timestamp) -> Result<Self, CouponError> {
        if ends_at <= starts_at {
            return Err(CouponError::InvalidPeriod);
        }
        Ok(Self { starts_at, ends_at })
    }

    /// Returns the first instant of it.
    pub const fn starts_at(self) -> Timestamp {
        self.starts_at
    }

    /// Returns the first instant after it.
    pub const fn ends_at(self) -> Timestamp {
        self.ends_at
    }

    /// Tells whether an instant lies in it.
    pub fn contains(self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

/// What a new coupon needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCoupon {
    /// Its code.
    pub code: CouponCode,
    /// Its name.
    pub name: CouponName,
    /// What it takes off.
    pub benefit: Benefit,
    /// How many pieces there are.
    pub quantity: u32,
    /// When it can be claimed and used.
    pub period: Period,
    /// What an order must come to at least; above zero.
    pub min_order_amount: Option<Money>,
    /// What it takes off at most; above zero.
    pub max_discount: Option<Money>,
    /// The only products to which it applies.
    pub products: Option<BTreeSet<ProductId>>,
}

/// What there is to know of a coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponState {
    /// Its id.
    pub id: CouponId,
    /// What was asked for.
    pub terms: NewCoupon,
    /// How many pieces have been issued.
    pub issued: u32,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A coupon. Everybody may read its state; only its methods change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coupon(CouponState);

impl Deref for Coupon {
    type Target = CouponState;

    fn deref(&self) -> &CouponState {
        &self.0
    }
}

impl Coupon {
    /// The most pieces of a coupon.
    pub const MAX_QUANTITY: u32 = 10_000_000;
    /// The most products to which a coupon may be limited.
    pub const MAX_PRODUCTS: usize = 100;

    /// Creates a coupon of which nothing has been issued.
    pub fn create(id: CouponId, terms: NewCoupon, now: Timestamp) -> Result<Self, CouponError> {
        Self::restore(CouponState { id, terms, issued: 0, created_at: now })
    }

    /// Makes a coupon of a stored state, unless that state could never have come about.
    pub fn restore(state: CouponState) -> Result<Self, CouponError> {
        let terms = &state.terms;
        if terms.quantity == 0 || terms.quantity > Self::MAX_QUANTITY {
            return Err(CouponError::InvalidQuantity);
        }
        if [terms.min_order_amount, terms.max_discount].into_iter().flatten().any(|it| it <= Money::ZERO) {
            return Err(CouponError::InvalidAmount);
        }
        let limited = terms.products.as_ref().map(BTreeSet::len);
        if limited.is_some_and(|count| count == 0 || count > Self::MAX_PRODUCTS) {
            return Err(CouponError::InvalidProducts);
        }
        if state.issued > terms.quantity {
            return Err(CouponError::Inconsistent);
        }
        Ok(Self(state))
    }

    /// Returns how many pieces are left.
    pub fn remaining(&self) -> u32 {
        self.terms.quantity - self.issued
    }

    /// Refuses outside the coupon's period.
    pub fn ensure_valid_at(&self, now: Timestamp) -> Result<(), CouponError> {
        if self.terms.period.contains(now) { Ok(()) } else { Err(CouponError::OutsidePeriod) }
    }

    /// Makes the piece that a user is to get.
    ///
    /// The count of issued pieces may be out of date here: whether there is one left is decided where the
    /// pieces are counted, by [`CouponRepository::count`](crate::CouponRepository::count).
    pub fn issue(
        &self,
        id: UserCouponId,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<UserCoupon, CouponError> {
        self.ensure_valid_at(now)?;
        // The count only grows: none left then is none left now.
        if self.remaining() == 0 {
            return Err(CouponError::SoldOut);
        }
        Ok(UserCoupon::issued(id, self.id, user_id, now))
    }
}
