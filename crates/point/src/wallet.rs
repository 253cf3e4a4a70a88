//! The wallet aggregate and its ledger.

use kernel::{Money, OrderId, PaymentId, RefundId, Timestamp, UserId};

use crate::{ChargeAmount, PointError};

/// Why a balance changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointKind {
    /// The user paid money in.
    Charge,
    /// An order was paid.
    Payment,
    /// An order's payment came back.
    Refund,
}

impl PointKind {
    /// Returns the kind as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "CHARGE",
            Self::Payment => "PAYMENT",
            Self::Refund => "REFUND",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Charge, Self::Payment, Self::Refund].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What made a balance change. Each cause does so once; the database itself sees to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointCause {
    /// The user paid money in.
    Charged,
    /// A payment of an order took points.
    Paid {
        /// The order.
        order: OrderId,
        /// The payment.
        payment: PaymentId,
    },
    /// A payment that did not come about gave the points back that it held.
    Released {
        /// The order.
        order: OrderId,
        /// The payment.
        payment: PaymentId,
    },
    /// A refund of a payment gave points back.
    Refunded {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
    },
}

impl PointCause {
    /// Returns how the cause is called in a ledger.
    pub const fn kind(self) -> PointKind {
        match self {
            Self::Charged => PointKind::Charge,
            Self::Paid { .. } => PointKind::Payment,
            Self::Released { .. } | Self::Refunded { .. } => PointKind::Refund,
        }
    }

    /// Returns the order that it belongs to.
    pub const fn order_id(self) -> Option<OrderId> {
        match self {
            Self::Charged => None,
            Self::Paid { order, .. } | Self::Released { order, .. } | Self::Refunded { order, .. } => {
                Some(order)
            }
        }
    }
}

/// One change of a wallet's balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointEntry {
    /// Whose wallet.
    pub user_id: UserId,
    /// Its place in the wallet's ledger, from 1 and without gaps.
    pub sequence: u32,
    /// Why.
    pub cause: PointCause,
    /// How much came (above zero) or went.
    pub delta: Money,
    /// What there was before it.
    pub balance_before: Money,
    /// What there is after it.
    pub balance_after: Money,
    /// When.
    pub created_at: Timestamp,
}

/// A user's prepaid money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    user_id: UserId,
    balance: Money,
    version: u32,
}

impl Wallet {
    /// Returns the wallet of a user who never charged.
    pub const fn empty(user_id: UserId) -> Self {
        Self { user_id, balance: Money::ZERO, version: 0 }
    }

    /// Makes a wallet of its stored state, unless that could never have come about.
    pub fn restore(user_id: UserId, balance: Money, version: u32) -> Result<Self, PointError> {
        if balance.is_negative() {
            return Err(PointError::NegativeBalance);
        }
        Ok(Self { user_id, balance, version })
    }

    /// Returns whose wallet it is.
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// Returns what is in it.
    pub const fn balance(&self) -> Money {
        self.balance
    }

    /// Returns the number of its ledger's entries.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Adds what the user paid in.
    pub fn charge(&mut self, amount: ChargeAmount, now: Timestamp) -> Result<PointEntry, PointError> {
        self.shift(PointCause::Charged, amount.get(), now)
    }

    /// Pays for an order, if the balance covers it.
    pub fn pay(
        &mut self,
        amount: Money,
        order: OrderId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<PointEntry, PointError> {
        if amount.is_negative() {
            return Err(PointError::NegativePayment);
        }
        if amount > self.balance {
            return Err(PointError::InsufficientBalance { required: amount, balance: self.balance });
        }
        self.shift(PointCause::Paid { order, payment }, amount.negated(), now)
    }

    /// Takes back what a payment held that did not come about.
    pub fn release(
        &mut self,
        amount: Money,
        order: OrderId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<PointEntry, PointError> {
        self.take_back(PointCause::Released { order, payment }, amount, now)
    }

    /// Takes back what a refund gives.
    pub fn refund(
        &mut self,
        amount: Money,
        order: OrderId,
        refund: RefundId,
        now: Timestamp,
    ) -> Result<PointEntry, PointError> {
        self.take_back(PointCause::Refunded { order, refund }, amount, now)
    }

    fn take_back(
        &mut self,
        cause: PointCause,
        amount: Money,
        now: Timestamp,
    ) -> Result<PointEntry, PointError> {
        if amount.is_negative() {
            return Err(PointError::NegativePayment);
        }
        self.shift(cause, amount, now)
    }

    /// Makes an entry that was decided on an earlier state of this wallet, from where it stands now.
    ///
    /// # Errors
    /// [`PointError::InsufficientBalance`] if the balance does not cover it any more.
    pub fn repeat(&mut self, entry: &PointEntry) -> Result<PointEntry, PointError> {
        let required = entry.delta.negated();
        if required > self.balance {
            return Err(PointError::InsufficientBalance { required, balance: self.balance });
        }
        self.shift(entry.cause, entry.delta, entry.created_at)
    }

    fn shift(&mut self, cause: PointCause, delta: Money, now: Timestamp) -> Result<PointEntry, PointError> {
        let balance_before = self.balance;
        let balance_after = balance_before.checked_add(delta).ok_or(PointError::BalanceTooLarge)?;
        self.balance = balance_after;
        self.version += 1;
        Ok(PointEntry {
            user_id: self.user_id,
            sequence: self.version,
            cause,
            delta,
            balance_before,
            balance_after,
            created_at: now,
        })
    }
}
