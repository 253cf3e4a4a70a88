//! Damages of what is kept beside: histories, events, keys, sales, and what belongs to whom.

use super::{Damage, damage};

pub(super) const DAMAGES: &[Damage] = &[
    damage(
        "claims-have-their-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'CouponClaimed'",
        "UPDATE outbox SET event_type = 'CouponClaimed' WHERE event_type = 'StockAdjusted'",
    ),
    damage(
        "claims-have-their-event",
        "UPDATE outbox SET aggregate_type = 'user_coupon' WHERE aggregate_type = 'payment'",
        "UPDATE outbox SET aggregate_type = 'payment' WHERE event_type = 'PaymentFailed' OR event_type = 'PaymentRefunded' AND sequence = 2 AND aggregate_type = 'user_coupon'",
    ),
    damage(
        "history-explains-status",
        "UPDATE order_status_history SET from_status = 'EXPIRED' WHERE sequence = 2",
        "UPDATE order_status_history SET from_status = 'PENDING' WHERE sequence = 2",
    ),
    damage(
        "history-explains-status",
        "UPDATE orders SET status = 'REFUNDED' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET status = 'PAID' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "history-explains-status",
        "UPDATE orders SET version = version + 1 WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET version = version - 1 WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "history-explains-status",
        "UPDATE order_status_history SET sequence = sequence + 10 WHERE sequence = 3",
        "UPDATE order_status_history SET sequence = sequence - 10 WHERE sequence = 13",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'OrderPlaced'",
        "UPDATE outbox SET event_type = 'OrderPlaced' WHERE event_type = 'StockAdjusted'",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'OrderPaid'",
        "UPDATE outbox SET event_type = 'OrderPaid' WHERE event_type = 'StockAdjusted'",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'OrderCancelled'",
        "UPDATE outbox SET event_type = 'OrderCancelled' WHERE event_type = 'StockAdjusted'",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'OrderExpired'",
        "UPDATE outbox SET event_type = 'OrderExpired' WHERE event_type = 'StockAdjusted'",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'PaymentRefunded' AND aggregate_type = 'order'",
        "UPDATE outbox SET event_type = 'PaymentRefunded' WHERE event_type = 'StockAdjusted'",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET aggregate_id = x'00000000000000000000000000000001' WHERE event_type = 'OrderExpired'",
        "UPDATE outbox SET aggregate_id = (SELECT id FROM orders WHERE status = 'EXPIRED') WHERE event_type = 'OrderExpired'",
    ),
    damage(
        "events-without-gaps",
        "UPDATE outbox SET sequence = 1000 WHERE sequence = 2",
        "UPDATE outbox SET sequence = 2 WHERE sequence = 1000",
    ),
    damage(
        "events-without-gaps",
        "UPDATE products SET event_sequence = 1 WHERE event_sequence = 0",
        "UPDATE products SET event_sequence = 0 WHERE event_sequence = 1",
    ),
    damage(
        "events-will-be-sent",
        "UPDATE outbox SET next_attempt_at = NULL WHERE sequence > 0",
        "UPDATE outbox SET next_attempt_at = occurred_at WHERE sequence > 0",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET resource_type = CASE resource_type WHEN 'order' THEN 'payment' WHEN 'payment' THEN 'refund' ELSE 'order' END",
        "UPDATE idempotency_keys SET resource_type = CASE resource_type WHEN 'payment' THEN 'order' WHEN 'refund' THEN 'payment' ELSE 'refund' END",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET resource_type = 'product' WHERE resource_type = 'order'",
        "UPDATE idempotency_keys SET resource_type = 'order' WHERE resource_type = 'product'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET resource_type = 'product' WHERE resource_type = 'payment'",
        "UPDATE idempotency_keys SET resource_type = 'payment' WHERE resource_type = 'product'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET resource_type = 'product' WHERE resource_type = 'refund'",
        "UPDATE idempotency_keys SET resource_type = 'refund' WHERE resource_type = 'product'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET body = NULL WHERE body IS NOT NULL",
        "UPDATE idempotency_keys SET body = '{}' WHERE body IS NULL",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET status = NULL WHERE status IS NOT NULL",
        "UPDATE idempotency_keys SET status = 201 WHERE status IS NULL",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET caller_id = x'00000000000000000000000000000001' WHERE resource_type = 'order'",
        "UPDATE idempotency_keys SET caller_id = (SELECT user_id FROM wallets) WHERE resource_type = 'order'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET caller_id = x'00000000000000000000000000000001' WHERE resource_type = 'payment'",
        "UPDATE idempotency_keys SET caller_id = (SELECT user_id FROM wallets) WHERE resource_type = 'payment'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET caller_id = x'00000000000000000000000000000001' WHERE resource_type = 'refund'",
        "UPDATE idempotency_keys SET caller_id = (SELECT user_id FROM wallets) WHERE resource_type = 'refund'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE payments SET user_id = id WHERE status = 'SUCCESS'",
        "UPDATE payments SET user_id = (SELECT user_id FROM wallets) WHERE status = 'SUCCESS'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE refunds SET requested_by = id WHERE requested_by IS NOT NULL",
        "UPDATE refunds SET requested_by = (SELECT user_id FROM wallets) WHERE requested_by IS NOT NULL",
    ),
    damage(
        "daily-sales-equal-orders",
        "INSERT INTO daily_sales (day, product_id, quantity, amount) SELECT day, x'00000000000000000000000000000001', 1, 1 FROM daily_sales LIMIT 1",
        "DELETE FROM daily_sales WHERE product_id = x'00000000000000000000000000000001'",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE daily_sales SET quantity = quantity + 1",
        "UPDATE daily_sales SET quantity = quantity - 1",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE daily_sales SET amount = amount + 0.01",
        "UPDATE daily_sales SET amount = amount - 0.01",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE daily_sales SET day = '2026-03-02' WHERE day = '2026-03-01'",
        "UPDATE daily_sales SET day = '2026-03-01' WHERE day = '2026-03-02'",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE orders SET status = 'PAID' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'EXPIRED')",
        "UPDATE orders SET status = 'EXPIRED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'EXPIRED')",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE refund_items SET quantity = quantity + 1 WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'SUCCESS')",
        "UPDATE refund_items SET quantity = quantity - 1 WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'SUCCESS')",
    ),
    damage(
        "no-orphans",
        "UPDATE cart_items SET product_id = x'00000000000000000000000000000001' WHERE quantity > 0",
        "UPDATE cart_items SET product_id = (SELECT product_id FROM order_items WHERE line = 2 AND order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')) WHERE quantity > 0",
    ),
    damage(
        "no-orphans",
        "INSERT INTO carts (user_id, version, updated_at) VALUES (x'00000000000000000000000000000001', 1, '2026-03-01 03:00:00')",
        "DELETE FROM carts WHERE user_id = x'00000000000000000000000000000001'",
    ),
    damage(
        "no-orphans",
        "UPDATE gateway_notices SET payment_id = x'00000000000000000000000000000001' WHERE payment_id IS NOT NULL",
        "UPDATE gateway_notices SET payment_id = (SELECT id FROM payments WHERE status = 'REVERSED') WHERE payment_id IS NOT NULL",
    ),
    damage(
        "no-orphans",
        "UPDATE payments SET order_id = id WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE payments SET order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED') WHERE order_id = id",
    ),
    damage(
        "no-orphans",
        "UPDATE order_items SET product_id = x'00000000000000000000000000000001' WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED') AND line = 2",
        "UPDATE order_items SET product_id = (SELECT MAX(product_id) FROM cart_items) WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED') AND line = 2",
    ),
    damage(
        "no-orphans",
        "UPDATE user_coupons SET coupon_id = id WHERE id IN (SELECT user_coupon_id FROM orders WHERE status = 'REFUNDED')",
        "UPDATE user_coupons SET coupon_id = (SELECT id FROM coupons WHERE name = 'a coupon' AND code = x'474956454E4241434B') WHERE id IN (SELECT user_coupon_id FROM orders WHERE status = 'REFUNDED')",
    ),
];
