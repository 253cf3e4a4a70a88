//! Rows that have had their time.

use kernel::{StoreError, Timestamp};
use sea_orm::sea_query::IntoValueTuple;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait, QueryFilter,
    QuerySelect,
};

use crate::error::database;
use crate::{Database, row_set};

/// Removes rows whose moment has come, as many as a statement names, and returns how many there were. It looks
/// first, so that an idle round locks nothing, and deletes only what is still old then.
pub(crate) async fn purge<E: EntityTrait>(
    store: &Database,
    moment: E::Column,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let key = || E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
    let old: Vec<<E::PrimaryKey as PrimaryKeyTrait>::ValueType> = E::find()
        .select_only()
        .columns(key())
        .filter(moment.lte(now))
        .limit(row_set::NAMED_A_STATEMENT as u64)
        .into_tuple()
        .all(&store.reader)
        .await
        .map_err(database)?;
    if old.is_empty() {
        return Ok(0);
    }
    let named = old.into_iter().fold(Condition::any(), |any, row| {
        let values = key().zip(row.into_value_tuple());
        any.add(values.fold(Condition::all(), |all, (column, value)| all.add(column.eq(value))))
    });
    let purged = E::delete_many().filter(named).filter(moment.lte(now));
    Ok(purged.exec(&store.writer).await.map_err(database)?.rows_affected)
}
