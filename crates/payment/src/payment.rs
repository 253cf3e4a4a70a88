//! The payment aggregate: one attempt to settle an order.

use std::ops::Deref;
use std::time::Duration;

use kernel::{Money, OrderId, PaymentId, Timestamp, UserId};

use crate::{ChargeState, FailureReason, GatewayCharge, PaymentError, PaymentStatus};

/// What there is to know of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentState {
    /// Its id, and the key by which the gateway knows it.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Who pays.
    pub user_id: UserId,
    /// How far it has come.
    pub status: PaymentStatus,
    /// What is paid with points.
    pub point_amount: Money,
    /// What is paid by card.
    pub card_amount: Money,
    /// What the gateway calls it; unknown until it has answered.
    pub charge_id: Option<String>,
    /// Why it did not settle the order.
    pub failure: Option<FailureReason>,
    /// Why the card was declined, in the gateway's words.
    pub decline_code: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it left [`PaymentStatus::Pending`].
    pub settled_at: Option<Timestamp>,
}

/// An attempt to settle an order. Everybody may read its state; only its methods change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment(PaymentState);

impl Deref for Payment {
    type Target = PaymentState;

    fn deref(&self) -> &PaymentState {
        &self.0
    }
}

/// What follows for the others when an attempt learns what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Nothing that was not known before.
    Unchanged,
    /// The order is paid.
    Paid,
    /// The attempt failed: held points go back.
    Failed,
    /// The money goes back to the card, and held points to the wallet.
    Reversed {
        /// Whether the attempt had failed before, so that its points are back already.
        had_failed: bool,
    },
}

impl Payment {
    /// How long whoever began an attempt may be at work on it. After that others ask the gateway.
    pub const PATIENCE: Duration = Duration::from_secs(10);
    /// How old an attempt must be for "never heard of it" to be the gateway's last word: by then no request
    /// can be on its way any more.
    pub const UNHEARD_AFTER: Duration = Duration::from_secs(30);

    /// Records that an order was settled with points alone, in the transaction that took them.
    pub const fn settled_with_points(
        id: PaymentId,
        order_id: OrderId,
        user_id: UserId,
        amount: Money,
        now: Timestamp,
    ) -> Self {
        Self(PaymentState {
            id,
            order_id,
            user_id,
            status: PaymentStatus::Success,
            point_amount: amount,
            card_amount: Money::ZERO,
            charge_id: None,
            failure: None,
            decline_code: None,
            created_at: now,
            settled_at: Some(now),
        })
    }

    /// Records an attempt that the gateway is about to be asked for; points are held from now on.
    pub const fn begun(
        id: PaymentId,
        order_id: OrderId,
        user_id: UserId,
        (point_amount, card_amount): (Money, Money),
        now: Timestamp,
    ) -> Self {
        Self(PaymentState {
            id,
            order_id,
            user_id,
            status: PaymentStatus::Pending,
            point_amount,
            card_amount,
            charge_id: None,
            failure: None,
            decline_code: None,
            created_at: now,
            settled_at: None,
        })
    }

    /// Makes an attempt of its stored state, unless that could never have come about.
    pub fn restore(state: PaymentState) -> Result<Self, PaymentError> {
        let fits = match state.status {
            PaymentStatus::Pending => state.settled_at.is_none() && state.failure.is_none(),
            PaymentStatus::Success => state.settled_at.is_some() && state.failure.is_none(),
            PaymentStatus::Failed | PaymentStatus::Reversed => {
                state.settled_at.is_some() && state.failure.is_some()
            }
        };
        if !fits || state.point_amount.is_negative() || state.card_amount.is_negative() {
            return Err(PaymentError::Inconsistent);
        }
        Ok(Self(state))
    }

    /// Returns what is paid in all.
    pub fn amount(&self) -> Money {
        // Both parts are shares of an order's total, which is in range.
        self.point_amount.checked_add(self.card_amount).unwrap_or(Money::MAX)
    }

    /// Takes note of what the gateway says of the attempt, where `order_is_open` tells whether the order
    /// still waits to be paid. Hearing the same again changes nothing, in whatever order it is heard.
    pub fn learn(
        &mut self,
        charge: &GatewayCharge,
        order_is_open: bool,
        now: Timestamp,
    ) -> Result<Settlement, PaymentError> {
        match (&charge.state, self.status) {
            (ChargeState::Pending, _)
            | (ChargeState::Captured, PaymentStatus::Success | PaymentStatus::Reversed)
            | (ChargeState::Declined { .. }, PaymentStatus::Failed) => Ok(Settlement::Unchanged),
            (ChargeState::Captured, status) => {
                if charge.amount != self.card_amount {
                    return Err(PaymentError::AmountMismatch);
                }
                self.0.charge_id = Some(charge.id.clone());
                if status == PaymentStatus::Pending && order_is_open {
                    self.settle(PaymentStatus::Success, None, now);
                    return Ok(Settlement::Paid);
                }
                self.settle(PaymentStatus::Reversed, Some(FailureReason::TooLate), now);
                Ok(Settlement::Reversed { had_failed: status == PaymentStatus::Failed })
            }
            (ChargeState::Declined { code }, PaymentStatus::Pending) => {
                self.0.charge_id = Some(charge.id.clone());
                Ok(self.decline(code, now))
            }
            // It said once that it had the money.
            (ChargeState::Declined { .. }, PaymentStatus::Success | PaymentStatus::Reversed) => {
                Err(PaymentError::Inconsistent)
            }
        }
    }

    /// Takes note that the gateway refuses, in its words, to take the money.
    pub fn decline(&mut self, code: &str, now: Timestamp) -> Settlement {
        let declined = self.give_up(FailureReason::Declined, now);
        if declined == Settlement::Failed {
            self.0.decline_code = Some(code.to_owned());
        }
        declined
    }

    /// Takes note that the gateway took nothing and never will of its own accord: it was not asked, or has
    /// never heard of the attempt. Should it take the money all the same, [`Self::learn`] sends it back.
    pub fn give_up(&mut self, reason: FailureReason, now: Timestamp) -> Settlement {
        if self.status != PaymentStatus::Pending {
            return Settlement::Unchanged;
        }
        self.settle(PaymentStatus::Failed, Some(reason), now);
        Settlement::Failed
    }

    fn settle(&mut self, status: PaymentStatus, failure: Option<FailureReason>, now: Timestamp) {
        self.0.status = status;
        self.0.failure = failure;
        self.0.settled_at = Some(now);
    }
}

#[cfg(test)]
mod tests;
