//! How MySQL finds what the storage is asked for, by the plans of the statements that reach it (ADR-014).
//!
//! SQLite chooses by other rules and without having counted; what it does is not looked at.

#![cfg(test)]

mod filled;
mod log;
mod plan;
mod reads;
mod trade;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use testkit::till::Till;
use testkit::{Backend, Scenario, TestDatabase, scenarios};

use crate::log::{Account, Reading, query};
use crate::plan::{Exception, Findings};

fn main() {
    testkit::run([suite()]);
}

fn suite() -> Vec<Scenario> {
    scenarios![hot_queries_read_by_an_index_and_every_index_is_missed]
}

/// What reads much all the same.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        contains: "lower(name)like",
        because: "a text anywhere in a name: no index of a B-tree serves it",
    },
    Exception {
        contains: "andproducts.stock=",
        because: "stock changes with each sale and is not indexed; read in the order of an index, then filtered",
    },
    Exception {
        contains: "count(*)asnum_itemsfrom(selectproducts.",
        because: "how many products match: counts them, by an index where one fits; the answer is cached",
    },
    Exception {
        contains: "sum(c.sold)",
        because: "the ranking batch adds up its days, which are a range of the primary key",
    },
    Exception {
        contains: "outbox.occurred_at>=",
        because: "a replay by an administrator; an index for it would be paid by every event",
    },
];

/// Indexes that are rules; what they are of is looked for by others.
const RULES: &[&str] =
    &["ux_orders_user_coupon", "ux_payments_live", "ux_point_ledger_payment", "ux_popular_products_product"];

/// Without it the orders in one status are picked out of all orders of their user, still in the right
/// order: no plan shows how many are read in vain.
const NOT_MISSED_BY_PLANS: &str = "ix_orders_user_status";

/// Read by the audit alone.
const NEVER_READ: &[&str] = &["seaql_migrations", "stock_ledger"];

/// On its first run it found that old batches of views were forgotten by reading all of them. Every index is
/// hidden from the optimizer in turn, so the test itself shows that it fails without one: without
/// `ix_outbox_due`, for example, it says `reads all of e: SELECT e.* FROM outbox e WHERE …`.
async fn hot_queries_read_by_an_index_and_every_index_is_missed(database: Arc<TestDatabase>) {
    if database.backend == Backend::Sqlite {
        return;
    }
    filled::fill(&database).await;
    let (statements, readings) = do_everything(&database).await;
    let connection = database.connect().await.unwrap();
    assert_every_table_is_read(&connection, &statements).await;

    let mut findings = Findings::default();
    findings.explain(&connection, &statements, EXCEPTIONS).await;
    findings.weigh(&readings, EXCEPTIONS);
    assert!(findings.complaints.is_empty(), "{:#?}", findings.complaints);
    let excepted: BTreeSet<_> = EXCEPTIONS.iter().map(|exception| exception.contains).collect();
    assert_eq!(findings.excepted, excepted, "exceptions that nothing needs any more");

    for (table, index) in secondary_indexes(&connection).await {
        query(&connection, &format!("ALTER TABLE {table} ALTER INDEX {index} INVISIBLE")).await;
        let mut without = Findings::default();
        let of_table = statements.iter().filter(|statement| names(statement, &table));
        without.explain(&connection, of_table, EXCEPTIONS).await;
        let may_be_missing = RULES.contains(&index.as_str()) || index == NOT_MISSED_BY_PLANS;
        assert_eq!(without.complaints.is_empty(), may_be_missing, "{index}: {:#?}", without.complaints);
        query(&connection, &format!("ALTER TABLE {table} ALTER INDEX {index} VISIBLE")).await;
    }
    connection.close().await.unwrap();
}

/// Makes the calls that a shop makes, and returns which statements they have become.
async fn do_everything(database: &Arc<TestDatabase>) -> (Vec<String>, Vec<Reading>) {
    let account = Account::open(database).await;
    let pool = TestDatabase::open(&account.url, 8).await;
    let till = Till::open(database.clone()).beside(pool.clone());
    account.listen(database).await;
    let traded = trade::orders(&till).await;
    trade::goods(&till, &traded.products).await;
    trade::access(&till, &pool).await;
    reads::orders(&pool).await;
    reads::users(&pool, &traded).await;
    reads::products(&pool, &traded).await;
    work::deliveries(&till, &pool).await;
    work::rankings(&till, &pool, &traded).await;
    work::sweep(&till, &pool).await;
    // Last, since it makes much of the outbox due.
    reads::outbox(&pool).await;
    drop(till);
    pool.close().await.unwrap();
    account.close(database).await
}

/// What nobody reads here would be served by no index, and nobody would notice.
async fn assert_every_table_is_read(connection: &DatabaseConnection, statements: &[String]) {
    let tables = "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";
    for row in query(connection, tables).await {
        let table: String = row.try_get("", "name").unwrap();
        let read = statements.iter().any(|statement| names(statement, &table));
        assert_eq!(read, !NEVER_READ.contains(&table.as_str()), "{table}");
    }
}

fn names(statement: &str, table: &str) -> bool {
    statement.contains(&format!("`{table}`")) || statement.contains(&format!(" {table} "))
}

/// Returns each index that is not a primary key, with its table.
async fn secondary_indexes(connection: &DatabaseConnection) -> Vec<(String, String)> {
    let indexes = "SELECT DISTINCT TABLE_NAME AS name, INDEX_NAME AS index_name FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME <> 'PRIMARY'";
    let rows = query(connection, indexes).await;
    rows.iter()
        .map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "index_name").unwrap()))
        .collect()
}
