//! The order aggregate (ADR-004, ADR-005, ADR-029).

use std::ops::Deref;

use kernel::{Money, OrderId, ProductId, Timestamp, UserId};

use crate::{Actor, AppliedCoupon, DiscountPolicy, OrderError, OrderStatus, StatusChange};

/// One product of an order, as it was when the order was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name then.
    pub name: String,
    /// The price of one piece then.
    pub unit_price: Money,
    /// How many pieces, at least one.
    pub quantity: u32,
    /// Price times pieces.
    pub subtotal: Money,
    /// What a coupon takes off this line; refunds of a part of the order go by it.
    pub discount: Money,
}

impl OrderLine {
    /// Makes a line, unless price times pieces is more than an amount can be.
    pub fn new(
        product_id: ProductId,
        name: &str,
        unit_price: Money,
        quantity: u32,
    ) -> Result<Self, OrderError> {
        let subtotal = unit_price.checked_mul(quantity).ok_or(OrderError::TooLarge)?;
        Ok(Self { product_id, name: name.to_owned(), unit_price, quantity, subtotal, discount: Money::ZERO })
    }
}

/// What there is to know of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderState {
    /// Its id.
    pub id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
    /// Where it stands.
    pub status: OrderStatus,
    /// Its lines, in the order in which the buyer named them.
    pub lines: Vec<OrderLine>,
    /// The sum of its lines.
    pub total: Money,
    /// What is taken off: the sum over its lines.
    pub discount: Money,
    /// The coupon that takes it off.
    pub coupon: Option<AppliedCoupon>,
    /// What has been paid: nothing, or total − discount.
    pub paid: Money,
    /// When it expires, while it waits to be paid.
    pub expires_at: Option<Timestamp>,
    /// Counts its changes of status; history and events are numbered by it.
    pub version: u32,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// An order. Everybody may read its state; only its methods change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order(OrderState);

impl Deref for Order {
    type Target = OrderState;

    fn deref(&self) -> &OrderState {
        &self.0
    }
}

impl Order {
    /// The least that an order must come to.
    pub const MINIMUM: Money = Money::won(1_000);

    /// Places an order that awaits its payment until `expires_at`, with a coupon taken off by its policy.
    pub fn place(
        id: OrderId,
        user_id: UserId,
        mut lines: Vec<OrderLine>,
        coupon: Option<(AppliedCoupon, &DiscountPolicy)>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(Self, StatusChange), OrderError> {
        if lines.is_empty() {
            return Err(OrderError::InvalidItemCount);
        }
        let total =
            lines.iter().map(|line| line.subtotal).sum::<Option<Money>>().ok_or(OrderError::TooLarge)?;
        if total < Self::MINIMUM {
            return Err(OrderError::BelowMinimum { amount: total });
        }
        let mut discount = Money::ZERO;
        if let Some((_, policy)) = &coupon {
            let shares = policy.allocate(&lines)?;
            discount = shares.iter().copied().sum::<Option<Money>>().ok_or(OrderError::TooLarge)?;
            for (line, share) in lines.iter_mut().zip(shares) {
                line.discount = share;
            }
        }
        let order = Self(OrderState {
            id,
            user_id,
            status: OrderStatus::Pending,
            lines,
            total,
            discount,
            coupon: coupon.map(|(coupon, _)| coupon),
            paid: Money::ZERO,
            expires_at: Some(expires_at),
            version: 1,
            created_at: now,
        });
        let placed = order.change(None, Actor::User(user_id), now);
        Ok((order, placed))
    }

    /// Makes an order of its stored state, unless that could never have come about.
    pub fn restore(state: OrderState) -> Result<Self, OrderError> {
        let total = state.lines.iter().map(|line| line.subtotal).sum::<Option<Money>>();
        let discount = state.lines.iter().map(|line| line.discount).sum::<Option<Money>>();
        let lines_fit = state.lines.iter().all(|line| {
            line.unit_price.checked_mul(line.quantity) == Some(line.subtotal)
                && !line.discount.is_negative()
                && line.discount <= line.subtotal
        });
        let discount_fits =
            discount == Some(state.discount) && (state.coupon.is_some() || state.discount == Money::ZERO);
        let payable = state.total.checked_sub(state.discount);
        let paid_fits = match state.status {
            OrderStatus::Pending | OrderStatus::Cancelled | OrderStatus::Expired => state.paid == Money::ZERO,
            OrderStatus::Paid | OrderStatus::PartiallyRefunded | OrderStatus::Refunded => {
                payable == Some(state.paid)
            }
        };
        let expiry_fits = state.expires_at.is_some() == (state.status == OrderStatus::Pending);
        if total != Some(state.total) || !lines_fit || !discount_fits || !paid_fits || !expiry_fits {
            return Err(OrderError::Inconsistent);
        }
        Ok(Self(state))
    }

    /// Returns what is to be paid for it.
    pub fn payable(&self) -> Money {
        // The difference of two amounts of which neither is negative is in range.
        self.total.checked_sub(self.discount).unwrap_or(self.total)
    }

    /// Tells whether the time to pay it is over, whether or not anybody has taken note of it.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Gives it up before it was paid.
    pub fn cancel(&mut self, by: Actor, now: Timestamp) -> Result<StatusChange, OrderError> {
        self.become_status(OrderStatus::Cancelled, by, now)
    }

    /// Takes note that it was not paid in time.
    pub fn expire(&mut self, now: Timestamp) -> Result<StatusChange, OrderError> {
        self.become_status(OrderStatus::Expired, Actor::System, now)
    }

    /// Takes note that a part of what was paid has been given back, or with `full` the last of it.
    pub fn refund(&mut self, full: bool, by: Actor, now: Timestamp) -> Result<StatusChange, OrderError> {
        let to = if full { OrderStatus::Refunded } else { OrderStatus::PartiallyRefunded };
        self.become_status(to, by, now)
    }

    /// Takes note that it was paid in full.
    pub fn pay(&mut self, by: Actor, now: Timestamp) -> Result<StatusChange, OrderError> {
        let change = self.become_status(OrderStatus::Paid, by, now)?;
        self.0.paid = self.payable();
        Ok(change)
    }

    fn become_status(
        &mut self,
        to: OrderStatus,
        by: Actor,
        now: Timestamp,
    ) -> Result<StatusChange, OrderError> {
        let from = self.status;
        if !from.may_become(to) {
            return Err(OrderError::Transition { from, to });
        }
        self.0.status = to;
        self.0.expires_at = None;
        self.0.version += 1;
        Ok(self.change(Some(from), by, now))
    }

    fn change(&self, from: Option<OrderStatus>, by: Actor, now: Timestamp) -> StatusChange {
        StatusChange {
            order_id: self.id,
            sequence: self.version,
            from,
            to: self.status,
            changed_by: by,
            changed_at: now,
        }
    }
}
