//! The audit: every invariant as one query for what breaks it, all in one consistent read.

use async_trait::async_trait;
use checkout::{AuditCheck, AuditReport, Auditor};
use kernel::StoreError;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbErr, IsolationLevel, Statement, TransactionTrait,
};
use uuid::Uuid;

use crate::Database;
use crate::audit_rules::{RULES, Rule};
use crate::error::database;
use crate::order_days::OrderDays;

/// `returned (order_id, product_id, pieces)`, to be written after `WITH`: what settled refunds gave back.
const RETURNED: &str = "returned AS (SELECT r.order_id, i.product_id, SUM(i.quantity) AS pieces \
    FROM refund_items i JOIN refunds r ON r.id = i.refund_id AND r.status = 'SUCCESS' \
    GROUP BY r.order_id, i.product_id)";

/// How many offenders are named.
const NAMED: u32 = 20;

#[async_trait]
impl Auditor for Database {
    async fn audit(&self) -> Result<AuditReport, StoreError> {
        let tx = self.begin_snapshot().await.map_err(database)?;
        let order_days = OrderDays::read(&tx, self.settings.business_zone).await.map_err(database)?;
        let mut checks = Vec::with_capacity(RULES.len());
        for rule in RULES {
            checks.push(check(&tx, rule, &order_days).await.map_err(database)?);
        }
        tx.rollback().await.map_err(database)?;
        Ok(AuditReport { checks })
    }
}

impl Database {
    /// Begins a transaction whose reads all see the same moment: REPEATABLE READ on MySQL, where the
    /// sessions are READ COMMITTED otherwise; any transaction on SQLite.
    async fn begin_snapshot(&self) -> Result<DatabaseTransaction, DbErr> {
        if self.has_row_locks() {
            let isolation = Some(IsolationLevel::RepeatableRead);
            self.reader.pool().begin_with_config(isolation, Some(AccessMode::ReadOnly)).await
        } else {
            self.reader.pool().begin().await
        }
    }
}

async fn check(tx: &DatabaseTransaction, rule: &Rule, order_days: &OrderDays) -> Result<AuditCheck, DbErr> {
    // MySQL does not tell the types of parameters in a table that nobody joins, so only who names it has it.
    let (mut tables, mut values) = (Vec::new(), Vec::new());
    if rule.broken_by.contains(OrderDays::TABLE) {
        tables.push(order_days.definition.as_str());
        values.clone_from(&order_days.values);
    }
    if rule.broken_by.contains("JOIN returned ") {
        tables.push(RETURNED);
    }
    let with = if tables.is_empty() { String::new() } else { format!("WITH {} ", tables.join(", ")) };
    // The hint lifts the time limit that other reads have; SQLite takes it for a comment.
    let sql = format!(
        "{with}SELECT /*+ MAX_EXECUTION_TIME(3600000) */ id, COUNT(*) OVER () AS violations \
         FROM ({}) broken LIMIT {NAMED}",
        rule.broken_by
    );
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(statement).await?;
    let violations = rows.first().map_or(Ok(0), |row| row.try_get::<i64>("", "violations"))?;
    let offenders = rows
        .iter()
        .map(|row| row.try_get::<Uuid>("", "id").map(|id| id.to_string()))
        .collect::<Result<_, _>>()?;
    let violations = u64::try_from(violations).unwrap_or_default();
    Ok(AuditCheck { name: rule.name, rule: rule.holds, violations, offenders })
}
