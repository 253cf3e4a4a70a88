//! A schema that has been in use for a while, so that what the optimizer chooses means something.

use std::collections::BTreeSet;

use kernel::{ProductId, UserId};
use sea_orm::ConnectionTrait;
use testkit::TestDatabase;
use testkit::fixtures::order;
use uuid::Uuid;

/// How many rows there are of most things; the tables of orders have some times as many.
pub(crate) const ROWS: u32 = 3_000;

/// The user to whom every other order, payment and entry of a ledger belongs.
pub(crate) fn heavy_user() -> UserId {
    UserId::from_uuid(Uuid::from_bytes(*b"U000000000000000"))
}

/// Returns an id that nothing has.
pub(crate) fn new_id() -> Uuid {
    order(heavy_user(), &[(ProductId::from_uuid(Uuid::nil()), 1)]).command.order_id.as_uuid()
}

/// Each table with its columns and what row `i` holds. `{X}` is the id of the X with that number: a user, a
/// product, an order, a payment; `{u}` is the user of row `i`, and `{at}` a time before tests begin.
const TABLES: [(&str, &str); 26] = [
    (
        "users (id, email_hash, email, name, password_hash, role, created_at)",
        "{U}, UNHEX(SHA2(i, 256)), UNHEX(SHA2(i, 256)), UNHEX(SHA2(i, 256)), 'none', 'USER', {at}",
    ),
    ("wallets (user_id, balance, version, updated_at)", "{U}, 1000, 1, {at}"),
    (
        "point_ledger (user_id, sequence, kind, delta, balance_before, balance_after, created_at)",
        "{u}, i + 1, 'CHARGE', 1, 0, 1, {at}",
    ),
    (
        "products (id, name, price, stock, status, version, stock_version, event_sequence, created_at, \
         updated_at)",
        "{P}, CONCAT('Product ', i), 100 + i, 10, IF(i % 10 = 0, 'INACTIVE', 'ACTIVE'), 1, 1, 1, {at}, {at}",
    ),
    (
        "stock_ledger (product_id, sequence, delta, balance_after, cause, created_at)",
        "{P}, 1, 10, 10, 'CREATED', {at}",
    ),
    (
        "orders (id, user_id, status, total, discount, paid, version, created_at)",
        "{O}, {u}, IF(i % 50 = 0, 'CANCELLED', 'PAID'), 4000, 0, IF(i % 50 = 0, 0, 4000), 2, {at}",
    ),
    (
        "order_items (order_id, product_id, line, name, unit_price, quantity, subtotal)",
        "{O}, {P}, 1, 'Product', 1000, 2, 2000",
    ),
    (
        "order_items (order_id, product_id, line, name, unit_price, quantity, subtotal)",
        "{O}, CAST(CONCAT('P', LPAD((i + 7) % 3000, 15, '0')) AS BINARY(16)), 2, 'Product', 1000, 2, 2000",
    ),
    ("order_status_history (order_id, sequence, to_status, changed_at)", "{O}, 1, 'PENDING', {at}"),
    (
        "order_status_history (order_id, sequence, from_status, to_status, changed_at)",
        "{O}, 2, 'PENDING', 'PAID', {at}",
    ),
    (
        "payments (id, order_id, user_id, status, point_amount, card_amount, created_at, settled_at, failure)",
        "{Y}, {O}, {u}, IF(i % 50 = 0, 'FAILED', 'SUCCESS'), 4000, 0, {at}, {at}, \
         IF(i % 50 = 0, 'DECLINED', NULL)",
    ),
    (
        "refunds (id, payment_id, order_id, user_id, status, reason, point_amount, card_amount, created_at, \
         settled_at, attempts)",
        "{R}, {Y}, {O}, {u}, 'SUCCESS', 'too small', 1, 0, {at}, {at}, 0",
    ),
    ("refund_items (refund_id, product_id, line, quantity, amount)", "{R}, {P}, 1, 1, 1"),
    (
        "outbox (id, event_type, aggregate_type, aggregate_id, sequence, occurred_at, data, status, attempts, \
         sent_at)",
        "{E}, 'order.paid', 'order', {O}, 1, {at}, '{}', 'SENT', 1, {at}",
    ),
    (
        "idempotency_keys (caller_id, idempotency_key, fingerprint, status, body, created_at, expires_at)",
        "{u}, CONCAT('key-', i), UNHEX(SHA2(i, 256)), 201, '{}', {at}, {later}",
    ),
    ("gateway_notices (id, payment_id, kind, received_at)", "CONCAT('n', i), {Y}, 'payment.succeeded', {at}"),
    (
        "daily_sales (day, product_id, quantity, amount)",
        "DATE '2026-03-01' - INTERVAL i DIV 100 DAY, \
         CAST(CONCAT('P', LPAD(i % 100, 15, '0')) AS BINARY(16)), 1, 1000",
    ),
    (
        "product_views (day, product_id, views)",
        "DATE '2026-03-01' - INTERVAL i DIV 100 DAY, \
         CAST(CONCAT('P', LPAD(i % 100, 15, '0')) AS BINARY(16)), 1",
    ),
    ("view_batches (id, stored_at)", "{V}, {at}"),
    (
        "coupons (id, code, name, kind, value, quantity, issued, starts_at, ends_at, product_ids, created_at)",
        "{C}, CONCAT('CODE', i), 'a coupon', 'FIXED', 1, 10, 1, {at}, {later}, NULL, {at}",
    ),
    (
        "user_coupons (id, coupon_id, user_id, status, version, claimed_at)",
        "{H}, {C}, {U}, 'CLAIMED', 1, {at}",
    ),
    ("carts (user_id, version, updated_at)", "{U}, 1, {at}"),
    (
        "cart_items (user_id, product_id, quantity, unit_price, name, added_at)",
        "{U}, {P}, 1, 1000, 'Product', {at}",
    ),
    ("sessions (id, user_id, opened_at, expires_at)", "{S}, {U}, {at}, {later}"),
    (
        "refresh_tokens (session_id, sequence, token_hash, issued_at, expires_at)",
        "{S}, 1, UNHEX(SHA2(i, 256)), {at}, {later}",
    ),
    ("login_attempts (email_hash, slot, attempt_id, attempted_at)", "UNHEX(SHA2(i, 256)), 1, {A}, {later}"),
];

/// Fills every table that grows and lets the server count what is in them.
pub(crate) async fn fill(database: &TestDatabase) {
    let connection = database.connect().await.unwrap();
    let mut tables = BTreeSet::new();
    connection.execute_unprepared("SET SESSION cte_max_recursion_depth = 10000").await.unwrap();
    for (columns, values) in TABLES {
        let mut values = values
            .replace("{u}", "CAST(CONCAT('U', LPAD(IF(i % 2 = 0, 0, i), 15, '0')) AS BINARY(16))")
            .replace("{at}", "TIMESTAMP '2026-02-28 00:00:00' - INTERVAL i MINUTE")
            .replace("{later}", "TIMESTAMP '2027-01-01 00:00:00' + INTERVAL i MINUTE");
        for kind in 'A'..='Z' {
            let id = format!("CAST(CONCAT('{kind}', LPAD(i, 15, '0')) AS BINARY(16))");
            values = values.replace(&format!("{{{kind}}}"), &id);
        }
        let insert = format!(
            "INSERT INTO {columns} WITH RECURSIVE n (i) AS \
             (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {ROWS}) SELECT {values} FROM n"
        );
        connection.execute_unprepared(&insert).await.unwrap();
        tables.extend(columns.split(' ').next());
    }
    connection
        .execute_unprepared(&format!("ANALYZE TABLE {}", tables.into_iter().collect::<Vec<_>>().join(", ")))
        .await
        .unwrap();
    connection.close().await.unwrap();
}
