//! What a refund gives back, from the order, the payment and the refunds before it.

use kernel::{Money, Timestamp};
use order::Order;
use payment::{Payment, PaymentStatus};
use refund::{PaidLine, Refund, RefundError, RefundPlan, RefundRequest, Refundable};

/// Decides what a refund gives back. A preview shows it, the refund does it.
///
/// # Errors
/// Why nothing can be given back, or not this.
pub fn plan_refund(
    order: &Order,
    payment: &Payment,
    earlier: &[Refund],
    wanted: &RefundRequest,
    now: Timestamp,
) -> Result<RefundPlan, RefundError> {
    let (PaymentStatus::Success, Some(paid_at)) = (payment.status, payment.settled_at) else {
        return Err(RefundError::NotPaid(payment.id));
    };
    let lines = order.lines.iter().map(|line| PaidLine {
        product_id: line.product_id,
        quantity: line.quantity,
        // An order is not restored whose discounts exceed its subtotals.
        net: line.subtotal.checked_sub(line.discount).unwrap_or(Money::ZERO),
    });
    let lines = lines.collect();
    Refundable::new(payment.id, payment.point_amount, payment.card_amount, paid_at, lines, earlier)?
        .plan(wanted, now)
}
