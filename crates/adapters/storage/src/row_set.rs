//! Sets of rows: inserted and changed in few statements, each changed row guarded by what it was.
//!
//! The statements are written here instead of through the query builder: with some hundred rows each that
//! costs a fraction of it, on both sides. Their numbers of rows are few, so that a connection keeps them
//! prepared (ADR-042).

use std::fmt::Write as _;

use guards::Guard;
use sea_orm::sea_query::{ColumnType, LockType, Value};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, EntityName, EntityTrait,
    IdenStatic, Iterable, ModelTrait, Order, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use crate::StorageError;
use crate::id_lists::filled_up;

/// How many rows a statement has. With the widest table the most stays below the number of parameters that
/// MySQL (65,535) and SQLite (32,766) take.
const SHAPES: [usize; 7] = [256, 64, 16, 8, 4, 2, 1];

/// The most rows that a statement has.
pub(crate) const ROWS_A_STATEMENT: usize = SHAPES[0];

/// How many rows a condition names one by one at most: SQLite nests it, a thousand deep at the most.
pub(crate) const NAMED_A_STATEMENT: usize = 200;

/// Inserts rows; nothing for an empty set.
pub(crate) async fn insert<M: ModelTrait>(tx: &DatabaseTransaction, rows: &[M]) -> Result<(), DbErr> {
    insert_or(tx, rows, "").await
}

/// Inserts rows; `or` ends the statement and says what happens to one that is there already.
pub(crate) async fn insert_or<M: ModelTrait>(
    tx: &DatabaseTransaction,
    rows: &[M],
    or: &str,
) -> Result<(), DbErr> {
    let columns: Vec<_> = <M::Entity as EntityTrait>::Column::iter().collect();
    let table = M::Entity::default().table_name();
    let names = columns.iter().map(quoted).collect::<Vec<_>>().join(",");
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    let mut rest = rows;
    while let Some(shape) = SHAPES.into_iter().find(|shape| *shape <= rest.len()) {
        let (some, others) = rest.split_at(shape);
        rest = others;
        let rows = vec![row.as_str(); shape].join(",");
        let sql = format!("INSERT INTO {table} ({names}) VALUES {rows} {or}");
        let values = some.iter().flat_map(|row| columns.iter().map(|column| row.get(*column)));
        run(tx, sql, values.collect()).await?;
    }
    Ok(())
}

/// One row to change.
pub(crate) struct Change {
    /// What it must still be: its primary key, and its version where it has one.
    pub(crate) was: Vec<Value>,
    /// The new values, one for each of the columns that change.
    pub(crate) becomes: Vec<Value>,
}

/// Changes rows, each only if it still is what the caller has seen: `was` names the columns that tell, the
/// primary key among them.
///
/// # Errors
/// [`StorageError::Stale`] if one was not; some may have been changed then, so roll back.
pub(crate) async fn change<E: EntityTrait>(
    tx: &DatabaseTransaction,
    was: &[E::Column],
    becomes: &[E::Column],
    changes: &[Change],
) -> Result<(), StorageError> {
    let table = E::default().table_name();
    for changes in changes.chunks(ROWS_A_STATEMENT) {
        let Some(first) = changes.first() else { break };
        let shape = SHAPES.into_iter().rfind(|shape| *shape >= changes.len()).unwrap_or(changes.len());
        let sql = match tx.get_database_backend() {
            DatabaseBackend::MySql => mysql_change::<E>(table, was, becomes, shape),
            _ => sqlite_change::<E>(table, was, becomes, shape),
        };
        // What fills the shape up is like no row.
        let nothing = first.was.iter().chain(&first.becomes).map(Value::as_null);
        let values = changes.iter().flat_map(|change| change.was.iter().chain(&change.becomes).cloned());
        let values = values.chain(std::iter::repeat_n(nothing, shape - changes.len()).flatten());
        if run(tx, sql, values.collect()).await? != changes.len() as u64 {
            return Err(StorageError::Stale { table });
        }
    }
    Ok(())
}

/// The order of the join and the index are fixed, so that no other rows are looked at, and locked, on the way.
fn mysql_change<E: EntityTrait>(
    table: &str,
    was: &[E::Column],
    becomes: &[E::Column],
    shape: usize,
) -> String {
    // A parameter in VALUES has no type of its own.
    let casts = was
        .iter()
        .chain(becomes)
        .map(|column| format!("CAST(? AS {})", cast(column.def().get_column_type())));
    let row = format!("ROW({})", casts.collect::<Vec<_>>().join(","));
    let names = (0..was.len() + becomes.len()).map(|index| format!("c{index}"));
    let mut sql = format!(
        "UPDATE (VALUES {}) AS new ({}) STRAIGHT_JOIN {table} AS old FORCE INDEX (PRIMARY) ON ",
        vec![row; shape].join(","),
        names.collect::<Vec<_>>().join(",")
    );
    let same = |(index, column): (usize, &E::Column)| format!("old.{} = new.c{index}", quoted(column));
    let set =
        |(index, column): (usize, &E::Column)| format!("old.{} = new.c{}", quoted(column), was.len() + index);
    sql.push_str(&conditions::<E>(was).map(same).collect::<Vec<_>>().join(" AND "));
    sql.push_str(" SET ");
    sql.push_str(&becomes.iter().enumerate().map(set).collect::<Vec<_>>().join(", "));
    sql
}

fn sqlite_change<E: EntityTrait>(
    table: &str,
    was: &[E::Column],
    becomes: &[E::Column],
    shape: usize,
) -> String {
    let row = format!("({})", vec!["?"; was.len() + becomes.len()].join(","));
    let set = |(index, column): (usize, &E::Column)| {
        format!("{} = new.column{}", quoted(column), was.len() + index + 1)
    };
    let same = |(index, column): (usize, &E::Column)| {
        format!("{table}.{} = new.column{}", quoted(column), index + 1)
    };
    let mut sql = format!("UPDATE {table} SET ");
    sql.push_str(&becomes.iter().enumerate().map(set).collect::<Vec<_>>().join(", "));
    let _ = write!(sql, " FROM (VALUES {}) AS new WHERE ", vec![row; shape].join(","));
    sql.push_str(&conditions::<E>(was).map(same).collect::<Vec<_>>().join(" AND "));
    sql
}

/// Returns the columns that a row must not have changed, each with its place: all of them (ADR-018).
fn conditions<E: EntityTrait>(was: &[E::Column]) -> impl Iterator<Item = (usize, &E::Column)> {
    let is_key = |column: &E::Column| E::PrimaryKey::iter().any(|key| key.as_str() == column.as_str());
    was.iter().enumerate().filter(move |(_, column)| Guard::ConditionalUpdate.stands() || is_key(column))
}

/// What MySQL calls the type of a column in a CAST. All amounts are DECIMAL(19,2), all instants DATETIME(6).
fn cast(column: &ColumnType) -> &'static str {
    match column {
        ColumnType::Uuid => "BINARY(16)",
        ColumnType::Decimal(_) => "DECIMAL(19,2)",
        ColumnType::DateTime | ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => "DATETIME(6)",
        ColumnType::Binary(_) | ColumnType::VarBinary(_) | ColumnType::Blob => "BINARY",
        ColumnType::TinyInteger
        | ColumnType::SmallInteger
        | ColumnType::Integer
        | ColumnType::BigInteger
        | ColumnType::Boolean => "SIGNED",
        // As long as a MEDIUMTEXT: without a length it would be cut off after 65,535 bytes.
        _ => "CHAR(16777215)",
    }
}

/// Fills a list of keys up to one of few lengths, by naming the last one again.
pub(crate) fn padded<T: Clone>(keys: impl IntoIterator<Item = T>) -> Vec<T> {
    let keys: Vec<T> = keys.into_iter().collect();
    let shape = SHAPES.into_iter().rfind(|shape| *shape >= keys.len());
    let shape = shape.unwrap_or_else(|| keys.len().next_multiple_of(ROWS_A_STATEMENT));
    filled_up(keys, shape)
}

/// Reads rows in one statement, ascending by the column of their ids, and locks them where that is asked for.
pub(crate) async fn select<E: EntityTrait>(
    tx: &DatabaseTransaction,
    id: E::Column,
    ids: impl ExactSizeIterator<Item = Uuid>,
    lock: Option<LockType>,
) -> Result<Vec<E::Model>, DbErr> {
    if ids.len() == 0 {
        return Ok(Vec::new());
    }
    let order = if Guard::LockOrder.stands() { Order::Asc } else { Order::Desc };
    let mut select = E::find().filter(id.is_in(padded(ids))).order_by(id, order);
    if let Some(lock) = lock.filter(|_| Guard::RowLock.stands()) {
        select = select.lock(lock);
    }
    select.all(tx).await
}

fn quoted(column: &impl IdenStatic) -> String {
    format!("`{}`", column.as_str())
}

async fn run(tx: &DatabaseTransaction, sql: String, values: Vec<Value>) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{idempotency_key, wallet};

    #[test]
    fn sets_are_cut_and_filled_up_to_few_shapes() {
        for keys in 1..=600 {
            let filled = padded(0..keys);
            let shape = filled.len();
            assert!(SHAPES.contains(&shape) || shape % ROWS_A_STATEMENT == 0, "{keys} keys are {shape}");
            assert!(filled.starts_with(&(0..keys).collect::<Vec<_>>()));
            assert!(filled[keys..].iter().all(|key| *key == keys - 1));
        }
        assert!(padded(Vec::<u8>::new()).is_empty());
    }

    #[test]
    fn a_change_joins_the_new_values_by_the_primary_key() {
        let (was, becomes) = ([wallet::Column::UserId, wallet::Column::Version], [wallet::Column::Balance]);
        assert_eq!(
            mysql_change::<wallet::Entity>("wallets", &was, &becomes, 2),
            "UPDATE (VALUES ROW(CAST(? AS BINARY(16)),CAST(? AS SIGNED),CAST(? AS DECIMAL(19,2))),\
             ROW(CAST(? AS BINARY(16)),CAST(? AS SIGNED),CAST(? AS DECIMAL(19,2)))) AS new (c0,c1,c2) \
             STRAIGHT_JOIN wallets AS old FORCE INDEX (PRIMARY) ON old.`user_id` = new.c0 AND old.`version` = new.c1 \
             SET old.`balance` = new.c2"
        );
        assert_eq!(
            sqlite_change::<wallet::Entity>("wallets", &was, &becomes, 2),
            "UPDATE wallets SET `balance` = new.column3 FROM (VALUES (?,?,?),(?,?,?)) AS new \
             WHERE wallets.`user_id` = new.column1 AND wallets.`version` = new.column2"
        );
    }

    #[test]
    fn types_are_named_for_every_kind_of_column_that_changes() {
        use wallet::Column;
        let types = [Column::UserId, Column::Balance, Column::Version, Column::UpdatedAt]
            .map(|column| cast(column.def().get_column_type()));
        assert_eq!(types, ["BINARY(16)", "DECIMAL(19,2)", "SIGNED", "DATETIME(6)"]);
        assert_eq!(cast(idempotency_key::Column::Body.def().get_column_type()), "CHAR(16777215)");
        assert_eq!(cast(idempotency_key::Column::IdempotencyKey.def().get_column_type()), "BINARY");
    }
}
