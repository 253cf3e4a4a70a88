//! The refund aggregate: what is given back, and how far that has come.

use std::collections::BTreeSet;
use std::ops::Deref;

use kernel::{Money, OrderId, PaymentId, ProductId, RefundId, Timestamp, UserId};

use crate::{RefundError, RefundPlan, RefundReason};

/// How far a refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    /// Its pieces and amounts are reserved, the money is not back yet.
    Pending,
    /// The money is back.
    Success,
    /// The money cannot be given back this way; the reservation is given up.
    Failed,
}

impl RefundStatus {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Success, Self::Failed];

    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Pieces of a product that go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundItem {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces, at least one.
    pub quantity: u32,
    /// What is given back for them; nothing if a coupon took everything.
    pub amount: Money,
}

/// What there is to know of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundState {
    /// Its id, by which the payment gateway knows a repetition.
    pub id: RefundId,
    /// The payment that is given back, or a part of it.
    pub payment_id: PaymentId,
    /// The order that was paid.
    pub order_id: OrderId,
    /// Who gets the money.
    pub user_id: UserId,
    /// How far it has come.
    pub status: RefundStatus,
    /// Why.
    pub reason: RefundReason,
    /// Each product once; nothing for a reversal.
    pub items: Vec<RefundItem>,
    /// What goes back to the wallet.
    pub point_amount: Money,
    /// What goes back to the card.
    pub card_amount: Money,
    /// Who asked for it; `None` if Jumun did by itself.
    pub requested_by: Option<UserId>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it succeeded or failed.
    pub settled_at: Option<Timestamp>,
}

/// What a reversal needs: money by card that came when its order could not be fulfilled any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReversal {
    /// The id of the refund.
    pub id: RefundId,
    /// The payment whose money came too late.
    pub payment_id: PaymentId,
    /// The order that cannot be fulfilled.
    pub order_id: OrderId,
    /// Who paid.
    pub user_id: UserId,
    /// Why it cannot be kept.
    pub reason: RefundReason,
    /// What the gateway took, above zero.
    pub card_amount: Money,
}

/// A refund. Everybody may read its state; only its methods change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund(RefundState);

impl Deref for Refund {
    type Target = RefundState;

    fn deref(&self) -> &RefundState {
        &self.0
    }
}

impl Refund {
    /// Begins what was planned; from now on it holds its pieces and amounts.
    pub fn begin(
        id: RefundId,
        (order_id, user_id): (OrderId, UserId),
        plan: RefundPlan,
        reason: RefundReason,
        requested_by: Option<UserId>,
        now: Timestamp,
    ) -> Self {
        Self(RefundState {
            id,
            payment_id: plan.payment_id,
            order_id,
            user_id,
            status: RefundStatus::Pending,
            reason,
            items: plan.items,
            point_amount: plan.point_amount,
            card_amount: plan.card_amount,
            requested_by,
            created_at: now,
            settled_at: None,
        })
    }

    /// Begins to give back money by card that came too late. Nobody asks for it, and no window closes it.
    pub fn reversal(new: NewReversal, now: Timestamp) -> Result<Self, RefundError> {
        Self::restore(RefundState {
            id: new.id,
            payment_id: new.payment_id,
            order_id: new.order_id,
            user_id: new.user_id,
            status: RefundStatus::Pending,
            reason: new.reason,
            items: Vec::new(),
            point_amount: Money::ZERO,
            card_amount: new.card_amount,
            requested_by: None,
            created_at: now,
            settled_at: None,
        })
    }

    /// Makes a refund of its stored state, unless that could never have come about.
    pub fn restore(state: RefundState) -> Result<Self, RefundError> {
        let amount = state.point_amount.checked_add(state.card_amount);
        let signs_fit = !state.point_amount.is_negative() && !state.card_amount.is_negative();
        let content_fits = if state.items.is_empty() {
            state.point_amount == Money::ZERO
                && state.card_amount > Money::ZERO
                && state.requested_by.is_none()
        } else {
            let products: BTreeSet<ProductId> = state.items.iter().map(|item| item.product_id).collect();
            products.len() == state.items.len()
                && state.items.iter().all(|item| item.quantity > 0 && !item.amount.is_negative())
                && state.items.iter().map(|item| item.amount).sum::<Option<Money>>() == amount
        };
        let settled_fits = (state.status == RefundStatus::Pending) == state.settled_at.is_none();
        if amount.is_none() || !signs_fit || !content_fits || !settled_fits {
            return Err(RefundError::Inconsistent);
        }
        Ok(Self(state))
    }

    /// Returns what is given back in all.
    pub fn amount(&self) -> Money {
        // Whoever made or restored the refund saw that the sum is in range.
        self.point_amount.checked_add(self.card_amount).unwrap_or(Money::MAX)
    }

    /// Tells whether it gives back money that came too late, rather than pieces of an order.
    pub fn is_reversal(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes note that the money is back.
    pub fn succeed(&mut self, now: Timestamp) -> Result<(), RefundError> {
        self.settle(RefundStatus::Success, now)
    }

    /// Takes note that the money cannot be given back, and gives up what was reserved.
    pub fn fail(&mut self, now: Timestamp) -> Result<(), RefundError> {
        self.settle(RefundStatus::Failed, now)
    }

    fn settle(&mut self, status: RefundStatus, now: Timestamp) -> Result<(), RefundError> {
        if self.status != RefundStatus::Pending {
            return Err(RefundError::Settled(self.id));
        }
        self.0.status = status;
        self.0.settled_at = Some(now);
        Ok(())
    }
}
