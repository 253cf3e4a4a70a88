//! Damages of stock, wallets, orders and coupons.

use super::{Damage, damage};

pub(super) const DAMAGES: &[Damage] = &[
    damage(
        "stock-not-negative",
        "UPDATE products SET stock = stock - 1000",
        "UPDATE products SET stock = stock + 1000",
    ),
    damage(
        "stock-equals-ledger",
        "UPDATE products SET stock = stock + 1",
        "UPDATE products SET stock = stock - 1",
    ),
    damage(
        "stock-ledger-continues",
        "UPDATE stock_ledger SET sequence = 1000 WHERE sequence = 2",
        "UPDATE stock_ledger SET sequence = 2 WHERE sequence = 1000",
    ),
    damage(
        "stock-ledger-continues",
        "UPDATE stock_ledger SET balance_after = balance_after + 1 WHERE sequence = 2",
        "UPDATE stock_ledger SET balance_after = balance_after - 1 WHERE sequence = 2",
    ),
    damage(
        "stock-ledger-continues",
        "UPDATE products SET stock_version = stock_version + 1",
        "UPDATE products SET stock_version = stock_version - 1",
    ),
    damage(
        "stock-ledger-continues",
        "INSERT INTO stock_ledger (product_id, sequence, delta, balance_after, cause, created_at) VALUES (x'00000000000000000000000000000001', 1, 1, 1, 'CREATED', '2026-03-01 03:00:00')",
        "DELETE FROM stock_ledger WHERE product_id = x'00000000000000000000000000000001'",
    ),
    damage(
        "stock-taken-by-orders",
        "UPDATE order_items SET quantity = quantity + 1 WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE order_items SET quantity = quantity - 1 WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "stock-taken-by-orders",
        "UPDATE orders SET status = 'PENDING' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'EXPIRED')",
        "UPDATE orders SET status = 'EXPIRED' WHERE id IN (SELECT order_id FROM order_status_history WHERE to_status = 'EXPIRED')",
    ),
    damage(
        "stock-taken-by-orders",
        "UPDATE orders SET status = 'CANCELLED' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET status = 'PAID' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "stock-taken-by-orders",
        "UPDATE refund_items SET quantity = quantity + 1 WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'SUCCESS')",
        "UPDATE refund_items SET quantity = quantity - 1 WHERE refund_id IN (SELECT id FROM refunds WHERE status = 'SUCCESS')",
    ),
    damage(
        "stock-taken-by-orders",
        "INSERT INTO stock_ledger (product_id, sequence, delta, balance_after, cause, order_id, created_at) SELECT product_id, 1000, 0, balance_after, 'RETURNED', x'00000000000000000000000000000001', created_at FROM stock_ledger WHERE sequence = 1",
        "DELETE FROM stock_ledger WHERE sequence = 1000",
    ),
    damage(
        "balance-not-negative",
        "UPDATE wallets SET balance = balance - 100000000",
        "UPDATE wallets SET balance = balance + 100000000",
    ),
    damage(
        "balance-equals-ledger",
        "UPDATE wallets SET balance = balance + 0.01",
        "UPDATE wallets SET balance = balance - 0.01",
    ),
    damage(
        "point-ledger-continues",
        "UPDATE point_ledger SET balance_before = balance_before + 1, balance_after = balance_after + 1 WHERE sequence = 2",
        "UPDATE point_ledger SET balance_before = balance_before - 1, balance_after = balance_after - 1 WHERE sequence = 2",
    ),
    damage(
        "point-ledger-continues",
        "UPDATE wallets SET version = version + 1",
        "UPDATE wallets SET version = version - 1",
    ),
    damage(
        "point-ledger-continues",
        "UPDATE point_ledger SET sequence = 1000 WHERE sequence = 2",
        "UPDATE point_ledger SET sequence = 2 WHERE sequence = 1000",
    ),
    damage(
        "point-ledger-continues",
        "INSERT INTO point_ledger (user_id, sequence, kind, delta, balance_before, balance_after, created_at) VALUES (x'00000000000000000000000000000001', 1, 'CHARGE', 1, 0, 1, '2026-03-01 03:00:00')",
        "DELETE FROM point_ledger WHERE user_id = x'00000000000000000000000000000001'",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE orders SET total = total + 1, paid = paid + 1 WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET total = total - 1, paid = paid - 1 WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE order_items SET unit_price = unit_price + 1 WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED') AND line = 1",
        "UPDATE order_items SET unit_price = unit_price - 1 WHERE order_id = (SELECT order_id FROM user_coupons WHERE status = 'USED') AND line = 1",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE order_items SET discount = discount + 0.01 WHERE line = 1",
        "UPDATE order_items SET discount = discount - 0.01 WHERE line = 1",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE orders SET user_coupon_id = NULL WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET user_coupon_id = (SELECT id FROM user_coupons WHERE status = 'USED') WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "coupons-issued-equal-pieces",
        "UPDATE coupons SET issued = issued + 1",
        "UPDATE coupons SET issued = issued - 1",
    ),
    damage(
        "coupons-issued-equal-pieces",
        "UPDATE coupons SET quantity = 0 WHERE quantity = 10",
        "UPDATE coupons SET quantity = 10 WHERE quantity = 0",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE user_coupons SET order_id = id WHERE status = 'USED'",
        "UPDATE user_coupons SET order_id = (SELECT id FROM orders WHERE status = 'PAID') WHERE status = 'USED'",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE user_coupons SET order_id = (SELECT id FROM orders WHERE status = 'CANCELLED') WHERE status = 'USED'",
        "UPDATE user_coupons SET order_id = (SELECT id FROM orders WHERE status = 'PAID') WHERE status = 'USED'",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE user_coupons SET status = CASE status WHEN 'USED' THEN 'CLAIMED' ELSE 'USED' END",
        "UPDATE user_coupons SET status = CASE status WHEN 'USED' THEN 'CLAIMED' ELSE 'USED' END",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE orders SET status = 'EXPIRED' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET status = 'PAID' WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE orders SET user_id = id WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
        "UPDATE orders SET user_id = (SELECT user_id FROM wallets) WHERE id = (SELECT order_id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE user_coupons SET status = 'USED', order_id = (SELECT id FROM orders WHERE status = 'REFUNDED') WHERE id IN (SELECT user_coupon_id FROM orders WHERE status = 'REFUNDED')",
        "UPDATE user_coupons SET status = 'CLAIMED', order_id = NULL WHERE id IN (SELECT user_coupon_id FROM orders WHERE status = 'REFUNDED')",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE orders SET user_coupon_id = x'00000000000000000000000000000001' WHERE status = 'EXPIRED'",
        "UPDATE orders SET user_coupon_id = NULL WHERE status = 'EXPIRED'",
    ),
];
