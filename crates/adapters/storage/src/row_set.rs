//! Sets of rows: inserted and changed in few statements, each changed row guarded by its version.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Value};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
};

use crate::StorageError;

/// How many rows an INSERT carries at most; with the widest table that stays below the number of
/// parameters that MySQL (65,535) and SQLite (32,766) take.
pub(crate) const ROWS_A_STATEMENT: usize = 500;

/// Inserts rows; nothing for an empty set.
pub(crate) async fn insert<A>(tx: &DatabaseTransaction, rows: Vec<A>) -> Result<(), sea_orm::DbErr>
where
    A: ActiveModelTrait + Send + Clone,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    for rows in rows.chunks(ROWS_A_STATEMENT) {
        A::Entity::insert_many(rows.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// One row to change.
pub(crate) struct Change {
    /// Its primary key.
    pub(crate) key: Value,
    /// What its version must still be.
    pub(crate) version: i64,
    /// The new values, one for each of the columns that change.
    pub(crate) values: Vec<Value>,
}

/// How many rows a condition names one by one at most: SQLite nests it, a thousand deep at the most.
pub(crate) const NAMED_A_STATEMENT: usize = 200;

/// Changes rows in few statements, each row only if its version is what the caller has seen.
///
/// # Errors
/// [`StorageError::Stale`] if one was not; some may have been changed then, so roll back.
pub(crate) async fn change<E: EntityTrait>(
    tx: &DatabaseTransaction,
    table: &'static str,
    (key, version): (E::Column, E::Column),
    columns: &[E::Column],
    changes: &[Change],
) -> Result<(), StorageError> {
    for changes in changes.chunks(NAMED_A_STATEMENT) {
        let mut update = E::update_many();
        for (index, column) in columns.iter().enumerate() {
            let case = changes.iter().fold(CaseStatement::new(), |case, change| {
                case.case(key.eq(change.key.clone()), Expr::val(change.values[index].clone()))
            });
            update = update.col_expr(*column, case.into());
        }
        let guard = changes.iter().fold(Condition::any(), |any, change| {
            any.add(key.eq(change.key.clone()).and(version.eq(change.version)))
        });
        let affected = update.filter(guard).exec(tx).await?.rows_affected;
        if affected != changes.len() as u64 {
            return Err(StorageError::Stale { table });
        }
    }
    Ok(())
}
