//! Damages of payments and refunds.

use super::{Damage, damage};

pub(super) const DAMAGES: &[Damage] = &[
    damage(
        "order-paid-equals-tenders",
        "UPDATE payments SET point_amount = point_amount + 0.01 WHERE status = 'SUCCESS'",
        "UPDATE payments SET point_amount = point_amount - 0.01 WHERE status = 'SUCCESS'",
    ),
    damage(
        "order-paid-equals-tenders",
        "UPDATE payments SET card_amount = card_amount + 0.01 WHERE status = 'SUCCESS'",
        "UPDATE payments SET card_amount = card_amount - 0.01 WHERE status = 'SUCCESS'",
    ),
    damage(
        "order-paid-equals-tenders",
        "UPDATE orders SET paid = paid - 1 WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET paid = paid + 1 WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "order-paid-equals-tenders",
        "UPDATE orders SET paid = paid + 1 WHERE status = 'PENDING'",
        "UPDATE orders SET paid = paid - 1 WHERE status = 'PENDING'",
    ),
    damage(
        "order-paid-equals-tenders",
        "UPDATE orders SET total = total + 1 WHERE status = 'PARTIALLY_REFUNDED'",
        "UPDATE orders SET total = total - 1 WHERE status = 'PARTIALLY_REFUNDED'",
    ),
    damage(
        "one-payment-settles-an-order",
        "UPDATE payments SET status = 'FAILED' WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE payments SET status = 'SUCCESS' WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "one-payment-settles-an-order",
        "UPDATE payments SET status = 'SUCCESS' WHERE status = 'REVERSED'",
        "UPDATE payments SET status = 'REVERSED' WHERE failure = 'ORDER_NOT_PAYABLE'",
    ),
    damage(
        "one-payment-settles-an-order",
        "UPDATE orders SET status = 'CANCELLED' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET status = 'PAID' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "points-paid-equal-payments",
        "UPDATE payments SET point_amount = point_amount + 1 WHERE status = 'PENDING'",
        "UPDATE payments SET point_amount = point_amount - 1 WHERE status = 'PENDING'",
    ),
    damage(
        "points-paid-equal-payments",
        "UPDATE payments SET status = 'FAILED' WHERE status = 'PENDING'",
        "UPDATE payments SET status = 'PENDING' WHERE settled_at IS NULL",
    ),
    damage(
        "points-paid-equal-payments",
        "UPDATE point_ledger SET refund_id = payment_id WHERE kind = 'REFUND' AND payment_id IS NOT NULL",
        "UPDATE point_ledger SET refund_id = NULL WHERE payment_id IS NOT NULL",
    ),
    damage(
        "points-paid-equal-payments",
        "UPDATE point_ledger SET payment_id = x'00000000000000000000000000000001' WHERE kind = 'CHARGE'",
        "UPDATE point_ledger SET payment_id = NULL WHERE kind = 'CHARGE'",
    ),
    damage(
        "points-paid-equal-payments",
        "UPDATE point_ledger SET payment_id = NULL WHERE kind = 'PAYMENT' AND order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE point_ledger SET payment_id = (SELECT id FROM payments WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')) WHERE kind = 'PAYMENT' AND order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "points-paid-equal-payments",
        "UPDATE point_ledger SET order_id = payment_id WHERE kind = 'PAYMENT' AND order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE point_ledger SET order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED') WHERE kind = 'PAYMENT' AND order_id = payment_id",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE payments SET point_refunds = point_refunds + 1 WHERE status = 'SUCCESS'",
        "UPDATE payments SET point_refunds = point_refunds - 1 WHERE status = 'SUCCESS'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE payments SET card_refunds = card_refunds + 0.01 WHERE status = 'SUCCESS'",
        "UPDATE payments SET card_refunds = card_refunds - 0.01 WHERE status = 'SUCCESS'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE refunds SET card_amount = card_amount + 1 WHERE status = 'PENDING'",
        "UPDATE refunds SET card_amount = card_amount - 1 WHERE status = 'PENDING'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE refunds SET point_amount = point_amount + 1 WHERE status = 'PENDING'",
        "UPDATE refunds SET point_amount = point_amount - 1 WHERE status = 'PENDING'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE payments SET point_amount = point_amount - 1 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
        "UPDATE payments SET point_amount = point_amount + 1 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE payments SET card_amount = card_amount - 1 WHERE status = 'REVERSED'",
        "UPDATE payments SET card_amount = card_amount + 1 WHERE status = 'REVERSED'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE refunds SET status = 'FAILED' WHERE status = 'PENDING'",
        "UPDATE refunds SET status = 'PENDING' WHERE settled_at IS NULL",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE payments SET status = 'FAILED' WHERE status = 'REVERSED'",
        "UPDATE payments SET status = 'REVERSED' WHERE failure = 'ORDER_NOT_PAYABLE'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE refunds SET payment_id = x'00000000000000000000000000000001' WHERE status = 'PENDING'",
        "UPDATE refunds SET payment_id = (SELECT p.id FROM payments p WHERE p.order_id = refunds.order_id AND p.status = 'SUCCESS') WHERE status = 'PENDING'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE refunds SET order_id = payment_id WHERE status = 'PENDING'",
        "UPDATE refunds SET order_id = (SELECT p.order_id FROM payments p WHERE p.id = refunds.payment_id) WHERE status = 'PENDING'",
    ),
    damage(
        "refunds-within-payments",
        "UPDATE refunds SET user_id = payment_id WHERE status = 'PENDING'",
        "UPDATE refunds SET user_id = (SELECT user_id FROM wallets) WHERE status = 'PENDING'",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE refund_items SET amount = amount + 0.01",
        "UPDATE refund_items SET amount = amount - 0.01",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE refund_items SET quantity = quantity + 1 WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'PENDING')",
        "UPDATE refund_items SET quantity = quantity - 1 WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'PENDING')",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE order_items SET refund_quantity = refund_quantity + 1 WHERE refund_quantity > 0",
        "UPDATE order_items SET refund_quantity = refund_quantity - 1 WHERE refund_quantity > 0",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE order_items SET refund_quantity = refund_quantity + 1 WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE order_items SET refund_quantity = refund_quantity - 1 WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE order_items SET quantity = quantity - 1 WHERE refund_quantity = quantity",
        "UPDATE order_items SET quantity = quantity + 1 WHERE refund_quantity > quantity",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE order_items SET discount = subtotal WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')",
        "UPDATE order_items SET discount = 0 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')",
    ),
    damage(
        "refunds-within-lines",
        "UPDATE refund_items SET product_id = x'00000000000000000000000000000001' WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'PENDING')",
        "UPDATE refund_items SET product_id = (SELECT l.product_id FROM order_items l WHERE l.line = 2 AND l.order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')) WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'PENDING')",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE orders SET status = 'PAID' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')",
        "UPDATE orders SET status = 'PARTIALLY_REFUNDED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE orders SET status = 'REFUNDED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')",
        "UPDATE orders SET status = 'PARTIALLY_REFUNDED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'PARTIALLY_REFUNDED')",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE orders SET status = 'PARTIALLY_REFUNDED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
        "UPDATE orders SET status = 'REFUNDED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE orders SET status = 'REFUNDED' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET status = 'PAID' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE refunds SET status = 'PENDING' WHERE status = 'SUCCESS'",
        "UPDATE refunds SET status = 'SUCCESS' WHERE settled_at IS NOT NULL AND status = 'PENDING'",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE payments SET point_amount = point_amount + 1 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
        "UPDATE payments SET point_amount = point_amount - 1 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
    ),
    damage(
        "refunds-settle-orders",
        "UPDATE payments SET card_amount = card_amount + 1 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
        "UPDATE payments SET card_amount = card_amount - 1 WHERE order_id IN (SELECT order_id FROM order_status_history WHERE to_status = 'REFUNDED')",
    ),
    damage(
        "points-refunded-equal-refunds",
        "UPDATE refunds SET point_amount = point_amount + 0.01 WHERE status = 'SUCCESS'",
        "UPDATE refunds SET point_amount = point_amount - 0.01 WHERE status = 'SUCCESS'",
    ),
    damage(
        "points-refunded-equal-refunds",
        "UPDATE refunds SET status = 'PENDING' WHERE status = 'SUCCESS'",
        "UPDATE refunds SET status = 'SUCCESS' WHERE settled_at IS NOT NULL AND status = 'PENDING'",
    ),
    damage(
        "points-refunded-equal-refunds",
        "UPDATE point_ledger SET refund_id = x'00000000000000000000000000000001' WHERE kind = 'CHARGE'",
        "UPDATE point_ledger SET refund_id = NULL WHERE kind = 'CHARGE'",
    ),
    damage(
        "points-refunded-equal-refunds",
        "UPDATE point_ledger SET order_id = refund_id WHERE refund_id IS NOT NULL",
        "UPDATE point_ledger SET order_id = (SELECT r.order_id FROM refunds r WHERE r.id = point_ledger.refund_id) WHERE refund_id IS NOT NULL",
    ),
    damage(
        "late-money-goes-back",
        "UPDATE refunds SET card_amount = card_amount - 1 WHERE requested_by IS NULL",
        "UPDATE refunds SET card_amount = card_amount + 1 WHERE requested_by IS NULL",
    ),
    damage(
        "late-money-goes-back",
        "UPDATE refunds SET point_amount = point_amount + 1 WHERE requested_by IS NULL",
        "UPDATE refunds SET point_amount = point_amount - 1 WHERE requested_by IS NULL",
    ),
    damage(
        "late-money-goes-back",
        "UPDATE refunds SET status = 'FAILED' WHERE requested_by IS NULL",
        "UPDATE refunds SET status = 'SUCCESS' WHERE requested_by IS NULL",
    ),
    damage(
        "late-money-goes-back",
        "UPDATE refunds SET payment_id = (SELECT id FROM payments WHERE status = 'REVERSED') WHERE status = 'PENDING'",
        "UPDATE refunds SET payment_id = (SELECT p.id FROM payments p WHERE p.order_id = refunds.order_id AND p.status = 'SUCCESS') WHERE status = 'PENDING'",
    ),
    damage(
        "late-money-goes-back",
        "INSERT INTO refund_items (refund_id, product_id, line, quantity, amount) SELECT r.id, p.id, 0, 1, 0 FROM refunds r JOIN products p ON p.price > 0 WHERE r.requested_by IS NULL",
        "DELETE FROM refund_items WHERE amount = 0",
    ),
    damage(
        "failed-payments-have-their-event",
        "UPDATE outbox SET event_type = 'OrderPaid' WHERE event_type = 'PaymentFailed'",
        "UPDATE outbox SET event_type = 'PaymentFailed' WHERE aggregate_type = 'payment' AND sequence = 1",
    ),
    damage(
        "failed-payments-have-their-event",
        "UPDATE payments SET status = 'PENDING' WHERE status = 'REVERSED'",
        "UPDATE payments SET status = 'REVERSED' WHERE failure = 'ORDER_NOT_PAYABLE'",
    ),
    damage(
        "failed-payments-have-their-event",
        "UPDATE outbox SET event_type = 'PaymentFailed' WHERE aggregate_type = 'payment' AND sequence = 2",
        "UPDATE outbox SET event_type = 'PaymentRefunded' WHERE aggregate_type = 'payment' AND sequence = 2",
    ),
    damage(
        "failed-payments-have-their-event",
        "UPDATE refunds SET status = 'PENDING' WHERE requested_by IS NULL",
        "UPDATE refunds SET status = 'SUCCESS' WHERE requested_by IS NULL",
    ),
    damage(
        "unsettled-payments-are-asked-for",
        "UPDATE payments SET check_after = NULL WHERE status = 'PENDING'",
        "UPDATE payments SET check_after = created_at WHERE status = 'PENDING'",
    ),
    damage(
        "unsettled-payments-are-asked-for",
        "UPDATE payments SET check_after = created_at WHERE status <> 'PENDING'",
        "UPDATE payments SET check_after = NULL WHERE status <> 'PENDING'",
    ),
    damage(
        "unsettled-payments-are-asked-for",
        "UPDATE refunds SET retry_after = NULL WHERE status = 'PENDING'",
        "UPDATE refunds SET retry_after = created_at WHERE status = 'PENDING'",
    ),
    damage(
        "unsettled-payments-are-asked-for",
        "UPDATE refunds SET retry_after = created_at WHERE status <> 'PENDING'",
        "UPDATE refunds SET retry_after = NULL WHERE status <> 'PENDING'",
    ),
    damage(
        "pending-orders-expire",
        "UPDATE orders SET expires_at = NULL WHERE status = 'PENDING'",
        "UPDATE orders SET expires_at = created_at WHERE status = 'PENDING'",
    ),
    damage(
        "pending-orders-expire",
        "UPDATE orders SET expires_at = created_at WHERE status <> 'PENDING'",
        "UPDATE orders SET expires_at = NULL WHERE status <> 'PENDING'",
    ),
];
