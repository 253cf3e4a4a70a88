//! What others are told of refunds.

use kernel::{EventPayload, Money, OrderId, PaymentId, ProductId, RefundId, UserId};
use serde::Serialize;

use crate::{Refund, RefundItem};

/// A payment, or a part of it, was given back to who paid it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRefunded {
    /// The refund.
    pub refund_id: RefundId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that was paid.
    pub order_id: OrderId,
    /// Who got the money.
    pub user_id: UserId,
    /// How much in all.
    pub amount: Money,
    /// How much of it as points.
    pub point_amount: Money,
    /// How much of it by card.
    pub card_amount: Money,
    /// The pieces that came back; none where money came too late.
    pub items: Vec<RefundedItem>,
    /// Whether nothing of the payment is left.
    pub full: bool,
}

/// Pieces of a product that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundedItem {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces.
    pub qty: u32,
    /// What was given back for them.
    pub amount: Money,
}

impl PaymentRefunded {
    /// Tells of a refund, and whether it was the last.
    pub fn of(refund: &Refund, full: bool) -> Self {
        Self {
            refund_id: refund.id,
            payment_id: refund.payment_id,
            order_id: refund.order_id,
            user_id: refund.user_id,
            amount: refund.amount(),
            point_amount: refund.point_amount,
            card_amount: refund.card_amount,
            items: refund.items.iter().map(RefundedItem::of).collect(),
            full,
        }
    }
}

impl RefundedItem {
    fn of(item: &RefundItem) -> Self {
        Self { product_id: item.product_id, qty: item.quantity, amount: item.amount }
    }
}

/// It changes the order's status, so it is an event of the order.
impl EventPayload for PaymentRefunded {
    const AGGREGATE: &'static str = "order";
    const TYPE: &'static str = "PaymentRefunded";
}

/// Money that came too late was given back. Receivers see a [`PaymentRefunded`] like any other; the order
/// does not change by it, so it is an event of the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PaymentReversed(PaymentRefunded);

impl PaymentReversed {
    /// Its place among the events of the payment: the first told that the payment failed.
    pub const SEQUENCE: u32 = 2;

    /// Tells of a reversal, which leaves nothing.
    pub fn of(reversal: &Refund) -> Self {
        Self(PaymentRefunded::of(reversal, true))
    }
}

impl EventPayload for PaymentReversed {
    const AGGREGATE: &'static str = "payment";
    const TYPE: &'static str = "PaymentRefunded";
}
