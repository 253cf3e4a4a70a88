//! The business day of each order, as a table that the rules of the audit can join.

use kernel::{BusinessZone, Stretch, Timestamp};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, Statement, Value};

/// `order_days (order_id, day)`, to be written after `WITH`.
///
/// Neither database can be asked for the day of a zone: MySQL's time zone tables may be empty or old, and
/// SQLite has none. So the zone's own rules say when its clocks were set in the time of the orders, and
/// the database adds what is constant in between (ADR-032).
pub(crate) struct OrderDays {
    pub(crate) definition: String,
    pub(crate) values: Vec<Value>,
}

impl OrderDays {
    /// The name of the table.
    pub(crate) const TABLE: &str = "order_days";

    /// Makes the table for the orders that a transaction sees.
    pub(crate) async fn read(tx: &DatabaseTransaction, zone: BusinessZone) -> Result<Self, DbErr> {
        let backend = tx.get_database_backend();
        let ends = "SELECT /*+ MAX_EXECUTION_TIME(3600000) */ MIN(created_at) AS oldest, \
            MAX(created_at) AS newest FROM orders";
        let row = tx.query_one_raw(Statement::from_string(backend, ends)).await?;
        let mut stretches = Vec::new();
        if let Some(row) = row
            && let (Some(oldest), Some(newest)) = (
                row.try_get::<Option<Timestamp>>("", "oldest")?,
                row.try_get::<Option<Timestamp>>("", "newest")?,
            )
        {
            stretches = zone.stretches(oldest, newest + std::time::Duration::from_secs(1));
        }
        Ok(Self::of(backend, &stretches))
    }

    fn of(backend: DatabaseBackend, stretches: &[Stretch]) -> Self {
        if stretches.is_empty() {
            let definition = "order_days AS (SELECT id AS order_id, NULL AS day FROM orders WHERE 1 = 0)";
            return Self { definition: definition.into(), values: Vec::new() };
        }
        // A bare parameter is text to MySQL; SQLite's instants are text, in the order of time.
        let instant = if backend == DatabaseBackend::MySql { "CAST(? AS DATETIME(6))" } else { "?" };
        let row = format!("SELECT {instant} AS begins, {instant} AS ends, CAST(? AS SIGNED) AS ahead");
        let mut values: Vec<Value> = Vec::with_capacity(stretches.len() * 3);
        for stretch in stretches {
            values.extend([stretch.begins.into(), stretch.ends.into(), stretch.ahead_seconds.into()]);
        }
        let day = match backend {
            DatabaseBackend::MySql => "CAST(o.created_at + INTERVAL s.ahead SECOND AS DATE)",
            // Without the fraction, which SQLite would round up into the next day.
            _ => "date(substr(o.created_at, 1, 19), s.ahead || ' seconds')",
        };
        let definition = format!(
            "order_days AS (SELECT o.id AS order_id, {day} AS day FROM orders o \
             JOIN ({}) s ON o.created_at >= s.begins AND o.created_at < s.ends)",
            vec![row.as_str(); stretches.len()].join(" UNION ALL ")
        );
        Self { definition, values }
    }
}
