//! Rows that one of several workers takes for a while, to look after what they are about.

use std::time::Duration;

use kernel::{StoreError, Timestamp};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::Database;
use crate::error::database;

/// The columns by which the rows of a table are taken.
pub(crate) struct Lease<E: EntityTrait> {
    /// The primary key.
    pub(crate) id: E::Column,
    /// When a row is due; a row without it never is.
    pub(crate) due: E::Column,
    /// How often it was taken.
    pub(crate) taken: E::Column,
}

impl<E: EntityTrait> Lease<E> {
    /// Takes rows that are due, the longest due first, and counts that. They are returned as they were before.
    pub(crate) async fn take_due(
        &self,
        store: &Database,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<E::Model>, StoreError> {
        let Self { id, due, taken } = *self;
        let rows = E::find()
            .filter(due.lte(now))
            .order_by_asc(due)
            .limit(u64::from(limit))
            .all(&store.reader)
            .await
            .map_err(database)?;
        let mut leased = Vec::with_capacity(rows.len());
        for row in rows {
            // Who finds the row as it was read has it; for the others its turn is put off already.
            let update = E::update_many()
                .col_expr(due, (now + lease).into())
                .col_expr(taken, Expr::col(taken).add(1))
                .filter(id.eq(row.get(id)))
                .filter(due.lte(now))
                .filter(taken.eq(row.get(taken)));
            if update.exec(&store.writer).await.map_err(database)?.rows_affected == 1 {
                leased.push(row);
            }
        }
        Ok(leased)
    }

    /// Puts a row off that is looked after still.
    pub(crate) async fn put_off(
        &self,
        store: &Database,
        row: Uuid,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let put_off = E::update_many()
            .col_expr(self.due, until.into())
            .filter(self.id.eq(row))
            .filter(self.due.is_not_null());
        put_off.exec(&store.writer).await.map_err(database)?;
        Ok(())
    }
}
