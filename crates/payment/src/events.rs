//! What others are told of a payment.

use kernel::{EventPayload, Money, OrderId, PaymentId, UserId};
use serde::Serialize;

use crate::Payment;

/// An attempt to pay did not settle its order. It is the first event of its payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentFailed {
    /// The attempt.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// Who wanted to pay.
    pub user_id: UserId,
    /// What should have been paid with points.
    pub point_amount: Money,
    /// What should have been paid by card.
    pub card_amount: Money,
    /// Why it failed.
    pub reason: &'static str,
    /// Why the card was declined, in the gateway's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
}

impl PaymentFailed {
    /// The event's number among those of its payment.
    pub const SEQUENCE: u32 = 1;

    /// Tells of an attempt that failed or is reversed.
    pub fn of(payment: &Payment) -> Self {
        Self {
            payment_id: payment.id,
            order_id: payment.order_id,
            user_id: payment.user_id,
            point_amount: payment.point_amount,
            card_amount: payment.card_amount,
            reason: payment.failure.map_or("", crate::FailureReason::as_str),
            decline_code: payment.decline_code.clone(),
        }
    }
}

impl EventPayload for PaymentFailed {
    const AGGREGATE: &'static str = "payment";
    const TYPE: &'static str = "PaymentFailed";
}
