//! Refunds for readers, and those whose money is not back yet.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{PaymentId, RefundId, StoreError, Timestamp};
use refund::{Refund, RefundReader, UnsettledRefund, UnsettledRefunds};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::Database;
use crate::convert::Place;
use crate::entity::refund as row;
use crate::error::database;
use crate::refund_rows::with_items;

#[async_trait]
impl RefundReader for Database {
    async fn find(&self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(with_items(&self.reader, row.into_iter().collect()).await?.pop())
    }

    async fn of_payment(&self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        let rows = row::Entity::find()
            .filter(row::Column::PaymentId.eq(payment.as_uuid()))
            .order_by_desc(row::Column::CreatedAt)
            .order_by_desc(row::Column::Id)
            .all(&self.reader)
            .await
            .map_err(database)?;
        with_items(&self.reader, rows).await
    }
}

#[async_trait]
impl UnsettledRefunds for Database {
    async fn take_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<UnsettledRefund>, StoreError> {
        let due = row::Entity::find()
            .filter(row::Column::RetryAfter.lte(now))
            .order_by_asc(row::Column::RetryAfter)
            .limit(u64::from(limit))
            .all(&self.reader)
            .await
            .map_err(database)?;
        let mut taken = Vec::with_capacity(due.len());
        for row in due {
            // Who finds the row as it was read has it; for the others its turn is put off already.
            let leased = row::Entity::update_many()
                .col_expr(row::Column::RetryAfter, (now + lease).into())
                .col_expr(row::Column::Attempts, Expr::col(row::Column::Attempts).add(1))
                .filter(row::Column::Id.eq(row.id))
                .filter(row::Column::RetryAfter.lte(now))
                .filter(row::Column::Attempts.eq(row.attempts))
                .exec(&self.writer)
                .await
                .map_err(database)?;
            if leased.rows_affected == 1 {
                let attempts = Place::new("refunds", row.id).count("attempts", row.attempts)?;
                let id = RefundId::from_uuid(row.id);
                taken.push(UnsettledRefund { id, attempt: attempts.saturating_add(1) });
            }
        }
        Ok(taken)
    }

    async fn put_off(&self, id: RefundId, until: Timestamp) -> Result<(), StoreError> {
        row::Entity::update_many()
            .col_expr(row::Column::RetryAfter, until.into())
            .filter(row::Column::Id.eq(id.as_uuid()))
            .filter(row::Column::RetryAfter.is_not_null())
            .exec(&self.writer)
            .await
            .map_err(database)?;
        Ok(())
    }
}
