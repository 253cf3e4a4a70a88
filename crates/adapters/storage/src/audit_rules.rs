//! What always holds, each rule with the query for what breaks it.
//!
//! The queries read the same on MySQL and SQLite. Each returns the ids of the aggregates that break its
//! rule. Beside the tables they may join `order_days (order_id, day)` and `returned (order_id, product_id,
//! pieces)`, what settled refunds have given back. Amounts are compared after rounding to two decimals, since
//! SQLite adds them up as REAL.

/// An invariant.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) holds: &'static str,
    pub(crate) broken_by: &'static str,
}

/// All invariants, in the order in which a report shows them.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "stock-not-negative",
        holds: "no product has less than no stock",
        broken_by: "SELECT id FROM products WHERE stock < 0",
    },
    Rule {
        name: "stock-equals-ledger",
        holds: "the stock of a product is the sum of its ledger",
        broken_by: "SELECT p.id FROM products p \
            LEFT JOIN (SELECT product_id, SUM(delta) AS total FROM stock_ledger GROUP BY product_id) l \
            ON l.product_id = p.id WHERE p.stock <> COALESCE(l.total, 0)",
    },
    Rule {
        name: "stock-ledger-continues",
        holds: "each entry of a stock ledger continues the one before it, numbered without gaps",
        broken_by: "SELECT DISTINCT product_id AS id FROM (SELECT product_id, sequence, delta, balance_after, \
            LAG(balance_after, 1, 0) OVER (PARTITION BY product_id ORDER BY sequence) AS before_it, \
            ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY sequence) AS place FROM stock_ledger) l \
            WHERE balance_after <> before_it + delta OR sequence <> place \
            UNION SELECT p.id FROM products p \
            LEFT JOIN (SELECT product_id, MAX(sequence) AS last FROM stock_ledger GROUP BY product_id) l \
            ON l.product_id = p.id WHERE p.stock_version <> COALESCE(l.last, 0) \
            UNION SELECT l.product_id FROM stock_ledger l LEFT JOIN products p ON p.id = l.product_id \
            WHERE p.id IS NULL",
    },
    Rule {
        name: "stock-taken-by-orders",
        holds: "an order holds of each product's stock what its lines say, less what was refunded; nothing once it \
            is cancelled or expired",
        broken_by: "SELECT DISTINCT i.order_id AS id FROM order_items i JOIN orders o ON o.id = i.order_id \
            LEFT JOIN (SELECT order_id, product_id, SUM(delta) AS taken FROM stock_ledger \
            WHERE order_id IS NOT NULL GROUP BY order_id, product_id) l \
            ON l.order_id = i.order_id AND l.product_id = i.product_id \
            LEFT JOIN returned b ON b.order_id = i.order_id AND b.product_id = i.product_id \
            WHERE COALESCE(l.taken, 0) <> CASE WHEN o.status IN ('CANCELLED', 'EXPIRED') THEN 0 \
            ELSE COALESCE(b.pieces, 0) - i.quantity END \
            UNION SELECT l.order_id FROM stock_ledger l \
            LEFT JOIN order_items i ON i.order_id = l.order_id AND i.product_id = l.product_id \
            WHERE l.order_id IS NOT NULL AND i.order_id IS NULL",
    },
    Rule {
        name: "balance-not-negative",
        holds: "no wallet holds less than nothing",
        broken_by: "SELECT user_id AS id FROM wallets WHERE balance < 0",
    },
    Rule {
        name: "balance-equals-ledger",
        holds: "the balance of a wallet is the sum of its ledger",
        broken_by: "SELECT w.user_id AS id FROM wallets w \
            LEFT JOIN (SELECT user_id, SUM(delta) AS total FROM point_ledger GROUP BY user_id) l \
            ON l.user_id = w.user_id WHERE ROUND(w.balance - COALESCE(l.total, 0), 2) <> 0",
    },
    Rule {
        name: "point-ledger-continues",
        holds: "each entry of a wallet continues the one before it, numbered without gaps",
        broken_by: "SELECT DISTINCT user_id AS id FROM (SELECT user_id, sequence, delta, balance_before, \
            balance_after, LAG(balance_after, 1, 0) OVER (PARTITION BY user_id ORDER BY sequence) AS before_it, \
            ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY sequence) AS place FROM point_ledger) l \
            WHERE ROUND(balance_before - before_it, 2) <> 0 \
            OR ROUND(balance_before + delta - balance_after, 2) <> 0 OR sequence <> place \
            UNION SELECT w.user_id FROM wallets w \
            LEFT JOIN (SELECT user_id, MAX(sequence) AS last FROM point_ledger GROUP BY user_id) l \
            ON l.user_id = w.user_id WHERE w.version <> COALESCE(l.last, 0) \
            UNION SELECT l.user_id FROM point_ledger l LEFT JOIN wallets w ON w.user_id = l.user_id \
            WHERE w.user_id IS NULL",
    },
    Rule {
        name: "order-total-equals-lines",
        holds: "total and discount of an order are the sums over its lines, each price times quantity",
        broken_by: "SELECT o.id FROM orders o \
            LEFT JOIN (SELECT order_id, SUM(subtotal) AS total, SUM(discount) AS discount FROM order_items \
            GROUP BY order_id) i ON i.order_id = o.id WHERE ROUND(o.total - COALESCE(i.total, 0), 2) <> 0 \
            OR ROUND(o.discount - COALESCE(i.discount, 0), 2) <> 0 \
            OR (o.discount <> 0 AND o.user_coupon_id IS NULL) \
            UNION SELECT order_id FROM order_items WHERE ROUND(unit_price * quantity - subtotal, 2) <> 0 \
            OR discount < 0 OR discount > subtotal",
    },
    Rule {
        name: "order-paid-equals-tenders",
        holds: "what an order was paid is its total without the discount, and the sum of its payment's tenders",
        broken_by: "SELECT o.id FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.status = 'SUCCESS' \
            WHERE ROUND(o.paid - COALESCE(p.point_amount + p.card_amount, 0), 2) <> 0 \
            OR (o.status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED') \
            AND ROUND(o.total - o.discount - o.paid, 2) <> 0)",
    },
    Rule {
        name: "one-payment-settles-an-order",
        holds: "a paid order has one payment that succeeded, any other order none",
        broken_by: "SELECT o.id FROM orders o \
            LEFT JOIN (SELECT order_id, COUNT(*) AS settled FROM payments WHERE status = 'SUCCESS' \
            GROUP BY order_id) p ON p.order_id = o.id WHERE COALESCE(p.settled, 0) <> \
            CASE WHEN o.status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED') THEN 1 ELSE 0 END",
    },
    Rule {
        name: "points-paid-equal-payments",
        holds: "a payment holds the points that it says while it is pending or has succeeded, and none once it came \
            to nothing",
        broken_by: "SELECT p.id FROM payments p \
            LEFT JOIN (SELECT payment_id, user_id, order_id, SUM(delta) AS total FROM point_ledger \
            WHERE payment_id IS NOT NULL GROUP BY payment_id, user_id, order_id) l \
            ON l.payment_id = p.id AND l.user_id = p.user_id AND l.order_id = p.order_id \
            WHERE ROUND(COALESCE(l.total, 0) + CASE WHEN p.status IN ('PENDING', 'SUCCESS') \
            THEN p.point_amount ELSE 0 END, 2) <> 0 \
            UNION SELECT COALESCE(l.payment_id, l.user_id) FROM point_ledger l \
            LEFT JOIN payments p ON p.id = l.payment_id AND p.user_id = l.user_id \
            WHERE (l.kind = 'PAYMENT' AND p.id IS NULL) OR (l.payment_id IS NOT NULL AND p.id IS NULL) \
            OR (l.kind = 'REFUND' AND (l.payment_id IS NULL) = (l.refund_id IS NULL))",
    },
    Rule {
        name: "refunds-within-payments",
        holds: "what refunds give back of a payment, by points and by card, is reserved and never more than was paid",
        broken_by: "SELECT p.id FROM payments p \
            LEFT JOIN (SELECT payment_id, SUM(point_amount) AS points, SUM(card_amount) AS card FROM refunds \
            WHERE status <> 'FAILED' GROUP BY payment_id) r ON r.payment_id = p.id \
            WHERE ROUND(p.point_refunds - COALESCE(r.points, 0), 2) <> 0 \
            OR ROUND(p.card_refunds - COALESCE(r.card, 0), 2) <> 0 \
            OR p.point_refunds > p.point_amount OR p.card_refunds > p.card_amount \
            OR (r.payment_id IS NOT NULL AND p.status NOT IN ('SUCCESS', 'REVERSED')) \
            UNION SELECT r.id FROM refunds r LEFT JOIN payments p ON p.id = r.payment_id \
            WHERE p.id IS NULL OR p.order_id <> r.order_id OR p.user_id <> r.user_id",
    },
    Rule {
        name: "refunds-within-lines",
        holds: "a refund's items add up to it, and of no line come more pieces back than were bought, nor more money \
            than was paid",
        broken_by: "SELECT r.id FROM refunds r \
            LEFT JOIN (SELECT refund_id, SUM(amount) AS total FROM refund_items GROUP BY refund_id) i \
            ON i.refund_id = r.id JOIN payments p ON p.id = r.payment_id \
            WHERE p.status = 'SUCCESS' AND ROUND(r.point_amount + r.card_amount - COALESCE(i.total, 0), 2) <> 0 \
            UNION SELECT l.order_id FROM order_items l LEFT JOIN (SELECT r.order_id, i.product_id, \
            SUM(i.quantity) AS pieces, SUM(i.amount) AS total FROM refund_items i \
            JOIN refunds r ON r.id = i.refund_id WHERE r.status <> 'FAILED' GROUP BY r.order_id, i.product_id) b \
            ON b.order_id = l.order_id AND b.product_id = l.product_id \
            WHERE l.refund_quantity <> COALESCE(b.pieces, 0) OR l.refund_quantity > l.quantity \
            OR ROUND(COALESCE(b.total, 0) - (l.subtotal - l.discount), 2) > 0 \
            UNION SELECT i.refund_id FROM refund_items i JOIN refunds r ON r.id = i.refund_id \
            LEFT JOIN order_items l ON l.order_id = r.order_id AND l.product_id = i.product_id \
            WHERE l.order_id IS NULL",
    },
    Rule {
        name: "refunds-settle-orders",
        holds: "an order is refunded if all its pieces are back and the payment with them, partially if some are",
        broken_by: "SELECT o.id FROM orders o JOIN (SELECT l.order_id, SUM(l.quantity) AS bought, \
            SUM(COALESCE(b.pieces, 0)) AS back FROM order_items l LEFT JOIN returned b \
            ON b.order_id = l.order_id AND b.product_id = l.product_id GROUP BY l.order_id) i ON i.order_id = o.id \
            WHERE (o.status = 'REFUNDED') <> (i.back = i.bought) \
            OR (o.status = 'PARTIALLY_REFUNDED') <> (i.back > 0 AND i.back < i.bought) \
            UNION SELECT o.id FROM orders o JOIN payments p ON p.order_id = o.id AND p.status = 'SUCCESS' \
            WHERE o.status = 'REFUNDED' AND (ROUND(p.point_refunds - p.point_amount, 2) <> 0 \
            OR ROUND(p.card_refunds - p.card_amount, 2) <> 0)",
    },
    Rule {
        name: "points-refunded-equal-refunds",
        holds: "a refund that is done has put its points into the wallet, once; any other has put none",
        broken_by: "SELECT r.id FROM refunds r \
            LEFT JOIN (SELECT refund_id, user_id, order_id, SUM(delta) AS total FROM point_ledger \
            WHERE refund_id IS NOT NULL GROUP BY refund_id, user_id, order_id) l \
            ON l.refund_id = r.id AND l.user_id = r.user_id AND l.order_id = r.order_id \
            WHERE ROUND(COALESCE(l.total, 0) - CASE WHEN r.status = 'SUCCESS' THEN r.point_amount ELSE 0 END, 2) <> 0 \
            UNION SELECT l.refund_id FROM point_ledger l LEFT JOIN refunds r ON r.id = l.refund_id \
            AND r.user_id = l.user_id WHERE l.refund_id IS NOT NULL AND r.id IS NULL",
    },
    Rule {
        name: "late-money-goes-back",
        holds: "money that came too late for its order has one refund over all of it, without points, for they were \
            given back with the attempt, and without pieces",
        broken_by: "SELECT p.id FROM payments p \
            LEFT JOIN (SELECT payment_id, COUNT(*) AS refunds, SUM(card_amount) AS card, SUM(point_amount) AS points \
            FROM refunds WHERE status <> 'FAILED' GROUP BY payment_id) r ON r.payment_id = p.id \
            WHERE p.status = 'REVERSED' AND (COALESCE(r.refunds, 0) <> 1 OR ROUND(r.card - p.card_amount, 2) <> 0 \
            OR ROUND(r.points, 2) <> 0) UNION SELECT r.id FROM refund_items i JOIN refunds r ON r.id = i.refund_id \
            JOIN payments p ON p.id = r.payment_id AND p.status = 'REVERSED'",
    },
    Rule {
        name: "failed-payments-have-their-event",
        holds: "each attempt that came to nothing has its event in the outbox, and one more once late money is back; each \
            such event has its attempt",
        broken_by: "SELECT p.id FROM payments p LEFT JOIN outbox e ON e.aggregate_id = p.id AND e.sequence = 1 \
            AND e.event_type = 'PaymentFailed' WHERE p.status IN ('FAILED', 'REVERSED') AND e.id IS NULL \
            UNION SELECT e.aggregate_id FROM outbox e LEFT JOIN payments p ON p.id = e.aggregate_id \
            AND p.status IN ('FAILED', 'REVERSED') WHERE e.aggregate_type = 'payment' AND p.id IS NULL \
            UNION SELECT p.id FROM payments p LEFT JOIN refunds r ON r.payment_id = p.id AND r.status = 'SUCCESS' \
            LEFT JOIN outbox e ON e.aggregate_id = p.id AND e.sequence = 2 AND e.event_type = 'PaymentRefunded' \
            WHERE p.status IN ('FAILED', 'REVERSED') AND (r.id IS NULL) <> (e.id IS NULL)",
    },
    Rule {
        name: "unsettled-payments-are-asked-for",
        holds: "the gateway is asked some time for each payment and each refund that is pending",
        broken_by: "SELECT id FROM payments WHERE (status = 'PENDING') <> (check_after IS NOT NULL) \
            UNION SELECT id FROM refunds WHERE (status = 'PENDING') <> (retry_after IS NOT NULL)",
    },
    Rule {
        name: "pending-orders-expire",
        holds: "an order that waits for its payment has a time at which it expires, any other none",
        broken_by: "SELECT id FROM orders WHERE (status = 'PENDING') <> (expires_at IS NOT NULL)",
    },
    Rule {
        name: "coupons-issued-equal-pieces",
        holds: "as many pieces of a coupon are issued as users hold, one each, and never more than there are",
        broken_by: "SELECT c.id FROM coupons c \
            LEFT JOIN (SELECT coupon_id, COUNT(*) AS pieces, COUNT(DISTINCT user_id) AS holders \
            FROM user_coupons GROUP BY coupon_id) u ON u.coupon_id = c.id \
            WHERE c.issued > c.quantity OR c.issued <> COALESCE(u.pieces, 0) \
            OR COALESCE(u.pieces, 0) <> COALESCE(u.holders, 0)",
    },
    Rule {
        name: "used-coupons-have-one-live-order",
        holds: "a used piece of a coupon belongs to one live order of its holder, or to one that was refunded when the \
            coupon was over; a claimed one to none",
        broken_by: "SELECT u.id FROM user_coupons u \
            LEFT JOIN (SELECT user_coupon_id, COUNT(*) AS live, MIN(id) AS order_id FROM orders \
            WHERE user_coupon_id IS NOT NULL AND status NOT IN ('CANCELLED', 'EXPIRED', 'REFUNDED') \
            GROUP BY user_coupon_id) l ON l.user_coupon_id = u.id LEFT JOIN orders o ON o.id = u.order_id \
            WHERE (u.status = 'CLAIMED' AND l.live > 0) OR (u.status = 'USED' AND (o.id IS NULL \
            OR o.user_id <> u.user_id OR o.user_coupon_id IS NULL OR o.user_coupon_id <> u.id \
            OR o.status IN ('CANCELLED', 'EXPIRED') OR COALESCE(l.live, 0) > 1 OR COALESCE(l.order_id, o.id) <> o.id)) \
            UNION SELECT u.id FROM user_coupons u JOIN orders o ON o.id = u.order_id AND o.status = 'REFUNDED' \
            JOIN coupons c ON c.id = u.coupon_id JOIN (SELECT p.order_id, MAX(r.settled_at) AS refunded_at \
            FROM refunds r JOIN payments p ON p.id = r.payment_id AND p.status = 'SUCCESS' WHERE r.status = 'SUCCESS' \
            GROUP BY p.order_id) r ON r.order_id = o.id WHERE r.refunded_at < c.ends_at \
            UNION SELECT o.id FROM orders o LEFT JOIN user_coupons u ON u.id = o.user_coupon_id \
            WHERE o.user_coupon_id IS NOT NULL AND u.id IS NULL",
    },
    Rule {
        name: "claims-have-their-event",
        holds: "each claim of a coupon has its event in the outbox, and each such event its claim",
        broken_by: "SELECT u.id FROM user_coupons u LEFT JOIN outbox e ON e.aggregate_id = u.id \
            AND e.sequence = 1 AND e.aggregate_type = 'user_coupon' AND e.event_type = 'CouponClaimed' \
            WHERE e.id IS NULL UNION SELECT e.aggregate_id FROM outbox e \
            LEFT JOIN user_coupons u ON u.id = e.aggregate_id \
            WHERE e.aggregate_type = 'user_coupon' AND u.id IS NULL",
    },
    Rule {
        name: "history-explains-status",
        holds: "the history of an order leads in allowed steps, without gaps, to its status",
        broken_by: "SELECT DISTINCT order_id AS id FROM (SELECT order_id, sequence, from_status, to_status, \
            LAG(to_status) OVER (PARTITION BY order_id ORDER BY sequence) AS before_it, \
            ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY sequence) AS place FROM order_status_history) h \
            WHERE sequence <> place OR COALESCE(from_status, '') <> COALESCE(before_it, '') \
            OR CONCAT(COALESCE(from_status, ''), '>', to_status) NOT IN ('>PENDING', 'PENDING>PAID', \
            'PENDING>CANCELLED', 'PENDING>EXPIRED', 'PAID>PARTIALLY_REFUNDED', 'PAID>REFUNDED', \
            'PARTIALLY_REFUNDED>PARTIALLY_REFUNDED', 'PARTIALLY_REFUNDED>REFUNDED') \
            UNION SELECT o.id FROM orders o \
            LEFT JOIN order_status_history h ON h.order_id = o.id AND h.sequence = o.version \
            LEFT JOIN order_status_history n ON n.order_id = o.id AND n.sequence = o.version + 1 \
            WHERE h.order_id IS NULL OR h.to_status <> o.status OR n.order_id IS NOT NULL",
    },
    Rule {
        name: "every-change-has-its-event",
        holds: "each change of an order's status has its event in the outbox, and each event of an order its change",
        broken_by: "SELECT h.order_id AS id FROM order_status_history h \
            LEFT JOIN outbox e ON e.aggregate_id = h.order_id AND e.sequence = h.sequence \
            WHERE e.id IS NULL OR e.aggregate_type <> 'order' OR e.event_type <> CASE h.to_status \
            WHEN 'PENDING' THEN 'OrderPlaced' WHEN 'PAID' THEN 'OrderPaid' WHEN 'CANCELLED' THEN 'OrderCancelled' \
            WHEN 'EXPIRED' THEN 'OrderExpired' ELSE 'PaymentRefunded' END \
            UNION SELECT e.aggregate_id FROM outbox e \
            LEFT JOIN order_status_history h ON h.order_id = e.aggregate_id AND h.sequence = e.sequence \
            WHERE e.aggregate_type = 'order' AND h.order_id IS NULL",
    },
    Rule {
        name: "events-without-gaps",
        holds: "the events of an aggregate are numbered without gaps",
        broken_by: "SELECT aggregate_id AS id FROM outbox GROUP BY aggregate_id \
            HAVING COUNT(*) <> MAX(sequence) OR MIN(sequence) <> 1 \
            UNION SELECT p.id FROM products p \
            LEFT JOIN (SELECT aggregate_id, MAX(sequence) AS last FROM outbox GROUP BY aggregate_id) e \
            ON e.aggregate_id = p.id WHERE p.event_sequence <> COALESCE(e.last, 0)",
    },
    Rule {
        name: "events-will-be-sent",
        holds: "an event that waits is due some time, or an earlier one of its aggregate is given up",
        broken_by: "SELECT e.aggregate_id AS id FROM outbox e WHERE e.status IN ('PENDING', 'FAILED') \
            AND e.next_attempt_at IS NULL AND NOT EXISTS (SELECT 1 FROM outbox b \
            WHERE b.aggregate_id = e.aggregate_id AND b.sequence < e.sequence AND b.status = 'DEAD')",
    },
    Rule {
        name: "keys-point-to-what-they-made",
        holds: "an idempotency key has its reply, and what it made exists and is its caller's",
        broken_by: "SELECT k.caller_id AS id FROM idempotency_keys k \
            LEFT JOIN orders o ON k.resource_type = 'order' AND o.id = k.resource_id \
            LEFT JOIN products p ON k.resource_type = 'product' AND p.id = k.resource_id \
            LEFT JOIN wallets w ON k.resource_type = 'wallet' AND w.user_id = k.resource_id \
            LEFT JOIN coupons c ON k.resource_type = 'coupon' AND c.id = k.resource_id \
            LEFT JOIN user_coupons u ON k.resource_type = 'user_coupon' AND u.id = k.resource_id \
            LEFT JOIN payments y ON k.resource_type = 'payment' AND y.id = k.resource_id \
            LEFT JOIN refunds r ON k.resource_type = 'refund' AND r.id = k.resource_id \
            WHERE k.status IS NULL OR k.body IS NULL OR (k.resource_type IS NOT NULL \
            AND o.id IS NULL AND p.id IS NULL AND w.user_id IS NULL AND c.id IS NULL AND u.id IS NULL AND y.id IS NULL \
            AND r.id IS NULL) OR u.user_id <> k.caller_id OR y.user_id <> k.caller_id \
            OR r.requested_by <> k.caller_id OR (o.user_id <> k.caller_id AND NOT EXISTS (SELECT 1 \
            FROM order_status_history h WHERE h.order_id = o.id AND h.changed_by = k.caller_id))",
    },
    Rule {
        name: "daily-sales-equal-orders",
        holds: "the sales of a product on a business day are what was ordered of it on that day, paid and not refunded",
        broken_by: "SELECT product_id AS id FROM (\
            SELECT product_id, day, quantity, amount FROM daily_sales UNION ALL \
            SELECT i.product_id, d.day, -SUM(i.quantity - COALESCE(b.pieces, 0)), \
            -SUM((i.quantity - COALESCE(b.pieces, 0)) * i.unit_price) FROM order_items i \
            JOIN orders o ON o.id = i.order_id AND o.status IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED') \
            LEFT JOIN returned b ON b.order_id = i.order_id AND b.product_id = i.product_id \
            LEFT JOIN order_days d ON d.order_id = i.order_id GROUP BY i.product_id, d.day) s \
            GROUP BY product_id, day HAVING SUM(quantity) <> 0 OR ROUND(SUM(amount), 2) <> 0 \
            UNION SELECT s.product_id FROM daily_sales s LEFT JOIN products p ON p.id = s.product_id \
            WHERE p.id IS NULL",
    },
    Rule {
        name: "no-orphans",
        holds: "orders, wallets, carts, payments and pieces of coupons belong to users, lines to products, \
            payments to orders, notices to payments, pieces to coupons",
        broken_by: "SELECT o.id FROM orders o LEFT JOIN users u ON u.id = o.user_id WHERE u.id IS NULL \
            UNION SELECT w.user_id FROM wallets w LEFT JOIN users u ON u.id = w.user_id WHERE u.id IS NULL \
            UNION SELECT i.order_id FROM order_items i LEFT JOIN products p ON p.id = i.product_id WHERE p.id IS NULL \
            UNION SELECT p.id FROM payments p LEFT JOIN orders o ON o.id = p.order_id \
            WHERE o.id IS NULL OR o.user_id <> p.user_id \
            UNION SELECT n.payment_id FROM gateway_notices n LEFT JOIN payments p ON p.id = n.payment_id \
            WHERE p.id IS NULL \
            UNION SELECT c.user_id FROM carts c LEFT JOIN users u ON u.id = c.user_id WHERE u.id IS NULL \
            UNION SELECT i.user_id FROM cart_items i LEFT JOIN products p ON p.id = i.product_id WHERE p.id IS NULL \
            UNION SELECT h.id FROM user_coupons h LEFT JOIN users u ON u.id = h.user_id \
            LEFT JOIN coupons c ON c.id = h.coupon_id WHERE u.id IS NULL OR c.id IS NULL",
    },
];
