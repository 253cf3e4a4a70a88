//! Orders of the past, made within the database: whole tables in few statements.
//!
//! They satisfy the audit: stock and wallets are less by what was ordered, each ledger continues where it was,
//! and the sales of each day are there. Their events are sent, and say less than real ones.

use crate::Failure;
use crate::bench::say;
use crate::raw::Connection;

/// Orders of one transaction.
const BATCH: u64 = 50_000;

/// Makes orders until there are so many.
pub(super) async fn up_to(connection: &mut Connection, orders: u64) -> Result<(), Failure> {
    for sql in PREPARE {
        connection.command((*sql).to_owned()).await?;
    }
    let there = connection.number("SELECT COUNT(*) FROM orders").await?;
    let mut next = there;
    while next < orders {
        let count = BATCH.min(orders - next);
        connection.command("BEGIN".into()).await?;
        connection.command(batch(next, count)).await?;
        for sql in ROWS {
            connection.command((*sql).to_owned()).await?;
        }
        connection.command("COMMIT".into()).await?;
        next += count;
        say(&format!("  {next} orders in the tables"));
    }
    connection.command(CLEAN_UP.into()).await?;
    connection.command("ANALYZE TABLE orders, order_items, payments, outbox, daily_sales".into()).await?;
    Ok(())
}

/// Returns how much room all tables take.
pub(super) async fn bytes(connection: &mut Connection) -> Result<u64, Failure> {
    let sql = "SELECT CAST(SUM(data_length + index_length) AS SIGNED) FROM information_schema.tables \
        WHERE table_schema = DATABASE()";
    Ok(connection.number(sql).await?)
}

/// What [`PREPARE`] made.
const CLEAN_UP: &str = "DROP TABLE load_buyers, load_goods, load_batch, load_moves";

/// Who buys and what, numbered; and room for one batch. Nothing of it is written to the binary log: it is no
/// part of what is measured, and would double the disk that it takes. Not temporary tables, since MySQL cannot
/// read one of those twice in a statement.
const PREPARE: &[&str] = &[
    "SET SESSION sql_log_bin = 0",
    "SET SESSION cte_max_recursion_depth = 1000000",
    "SET SESSION max_execution_time = 0",
    "DROP TABLE IF EXISTS load_buyers, load_goods, load_batch, load_moves",
    "CREATE TABLE load_buyers (k INT PRIMARY KEY, id BINARY(16) NOT NULL) \
     SELECT CAST(ROW_NUMBER() OVER (ORDER BY user_id) - 1 AS SIGNED) AS k, user_id AS id FROM wallets \
     WHERE balance >= 5000000",
    "CREATE TABLE load_goods (k INT PRIMARY KEY, id BINARY(16) NOT NULL, name VARCHAR(200), price DECIMAL(19, 2)) \
     SELECT CAST(ROW_NUMBER() OVER (ORDER BY id) - 1 AS SIGNED) AS k, id, name, price FROM products \
     WHERE stock >= 500000",
    "CREATE TABLE load_batch (n BIGINT PRIMARY KEY, id BINARY(16) NOT NULL, user_id BINARY(16) NOT NULL, \
     at DATETIME(6) NOT NULL, first INT NOT NULL, second INT NOT NULL, total DECIMAL(19, 2) NOT NULL)",
    "CREATE TABLE load_moves (n BIGINT, line INT, product_id BINARY(16), name VARCHAR(200), \
     price DECIMAL(19, 2), order_id BINARY(16), at DATETIME(6), PRIMARY KEY (n, line))",
];

/// Numbers orders from `from` on: each of a buyer and two different products, over the last 29 days, with
/// ids that grow with time as real ones do.
fn batch(from: u64, count: u64) -> String {
    format!(
        "INSERT INTO load_batch SELECT n, UNHEX(CONCAT(LPAD(HEX(FLOOR(UNIX_TIMESTAMP(at) * 1000)), 12, '0'), '7', \
         LPAD(HEX(n DIV 65536 & 4095), 3, '0'), '8', LPAD(HEX(n & 65535), 4, '0'), '00', RIGHT(SHA2(n, 256), 9))), \
         b.id, at, f.k, s.k, f.price + s.price FROM ( \
         WITH RECURSIVE numbers (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {from} + {count}) \
         SELECT n, UTC_TIMESTAMP(6) - INTERVAL 29 DAY + INTERVAL (n - {from}) * 2500000 DIV {count} SECOND AS at, \
         (n * 7919) % (SELECT COUNT(*) FROM load_buyers) AS buyer, n % (SELECT COUNT(*) FROM load_goods) AS first, \
         (n + 1 + (n * 31) % ((SELECT COUNT(*) FROM load_goods) - 1)) % (SELECT COUNT(*) FROM load_goods) AS second FROM numbers \
         ) o JOIN load_buyers b ON b.k = o.buyer JOIN load_goods f ON f.k = o.first JOIN load_goods s ON s.k = o.second"
    )
}

/// What a batch leaves in each table.
const ROWS: &[&str] = &[
    "INSERT INTO load_moves SELECT n, 1, g.id, g.name, g.price, b.id, b.at FROM load_batch b JOIN load_goods g ON g.k = b.first",
    "INSERT INTO load_moves SELECT n, 2, g.id, g.name, g.price, b.id, b.at FROM load_batch b JOIN load_goods g ON g.k = b.second",
    "INSERT INTO orders (id, user_id, status, total, discount, paid, version, created_at) \
     SELECT id, user_id, 'PAID', total, 0, total, 2, at FROM load_batch ORDER BY id",
    "INSERT INTO order_items (order_id, product_id, line, name, unit_price, quantity, subtotal) \
     SELECT order_id, product_id, line, name, price, 1, price FROM load_moves ORDER BY order_id",
    "INSERT INTO order_status_history (order_id, sequence, from_status, to_status, changed_by, changed_at) \
     SELECT id, s.sequence, IF(s.sequence = 1, NULL, 'PENDING'), IF(s.sequence = 1, 'PENDING', 'PAID'), user_id, at \
     FROM load_batch JOIN (SELECT 1 AS sequence UNION ALL SELECT 2) s ORDER BY id",
    // The order's id with other digits in its middle is as good an id.
    "INSERT INTO payments (id, order_id, user_id, status, point_amount, card_amount, created_at, settled_at) \
     SELECT UNHEX(INSERT(HEX(id), 22, 2, '01')), id, user_id, 'SUCCESS', total, 0, at, at FROM load_batch ORDER BY id",
    "INSERT INTO stock_ledger (product_id, sequence, delta, balance_after, cause, order_id, created_at) \
     SELECT m.product_id, p.stock_version + ROW_NUMBER() OVER w, -1, p.stock - ROW_NUMBER() OVER w, 'ORDERED', \
     m.order_id, m.at FROM load_moves m JOIN products p ON p.id = m.product_id \
     WINDOW w AS (PARTITION BY m.product_id ORDER BY m.n, m.line)",
    "INSERT INTO point_ledger (user_id, sequence, kind, delta, balance_before, balance_after, order_id, created_at, payment_id) \
     SELECT b.user_id, a.version + ROW_NUMBER() OVER w, 'PAYMENT', -b.total, a.balance + b.total - SUM(b.total) OVER w, \
     a.balance - SUM(b.total) OVER w, b.id, b.at, UNHEX(INSERT(HEX(b.id), 22, 2, '01')) \
     FROM load_batch b JOIN wallets a ON a.user_id = b.user_id WINDOW w AS (PARTITION BY b.user_id ORDER BY b.n)",
    "INSERT INTO outbox (id, event_type, aggregate_type, aggregate_id, sequence, occurred_at, data, status, attempts, sent_at) \
     SELECT UNHEX(INSERT(HEX(id), 22, 2, IF(s.sequence = 1, '02', '03'))), \
     IF(s.sequence = 1, 'OrderPlaced', 'OrderPaid'), 'order', id, s.sequence, at, '{}', 'SENT', 1, at \
     FROM load_batch JOIN (SELECT 1 AS sequence UNION ALL SELECT 2) s ORDER BY id",
    "UPDATE wallets a JOIN (SELECT user_id, SUM(total) AS spent, COUNT(*) AS entries FROM load_batch GROUP BY user_id) b \
     ON b.user_id = a.user_id SET a.balance = a.balance - b.spent, a.version = a.version + b.entries",
    "UPDATE products p JOIN (SELECT product_id, COUNT(*) AS pieces FROM load_moves GROUP BY product_id) m \
     ON m.product_id = p.id SET p.stock = p.stock - m.pieces, p.stock_version = p.stock_version + m.pieces",
    "INSERT INTO daily_sales (day, product_id, quantity, amount) \
     SELECT DATE(at + INTERVAL 9 HOUR), product_id, COUNT(*), SUM(price) FROM load_moves GROUP BY 1, 2 \
     ON DUPLICATE KEY UPDATE quantity = quantity + VALUES(quantity), amount = amount + VALUES(amount)",
    "DELETE FROM load_moves",
    "DELETE FROM load_batch",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_on_where_the_last_one_ended() {
        let sql = batch(50_000, 7);
        assert!(
            sql.contains("SELECT 50000 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < 50000 + 7"),
            "{sql}"
        );
    }
}
