//! Payments for readers, and those whose outcome nobody knows.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{CursorPage, OrderId, PageSize, PaymentId, StoreError, Timestamp};
use payment::{Payment, PaymentCursor, PaymentFilter, PaymentReader, UnsettledPayment, UnsettledPayments};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::Database;
use crate::convert::Place;
use crate::entity::payment as row;
use crate::error::database;
use crate::newest_first::older_than;

#[async_trait]
impl PaymentReader for Database {
    async fn find(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(row.map(Payment::try_from).transpose()?)
    }

    async fn of_order(&self, order: OrderId) -> Result<Vec<Payment>, StoreError> {
        let rows = row::Entity::find()
            .filter(row::Column::OrderId.eq(order.as_uuid()))
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(&self.reader)
            .await
            .map_err(database)?;
        Ok(rows.into_iter().map(Payment::try_from).collect::<Result<_, _>>()?)
    }

    async fn list(
        &self,
        filter: PaymentFilter,
        after: Option<PaymentCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Payment, PaymentCursor>, StoreError> {
        let mut select = row::Entity::find().filter(row::Column::UserId.eq(filter.user_id.as_uuid()));
        if let Some(status) = filter.status {
            select = select.filter(row::Column::Status.eq(status.as_str()));
        }
        if let Some(PaymentCursor { created_at, id }) = after {
            let place = (row::Column::CreatedAt, row::Column::Id);
            select = select.filter(older_than(place, created_at, id.as_uuid()));
        }
        let rows = select
            .order_by_desc(row::Column::CreatedAt)
            .order_by_desc(row::Column::Id)
            .limit(u64::from(size.get()) + 1)
            .all(&self.reader)
            .await
            .map_err(database)?;
        let payments = rows.into_iter().map(Payment::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(CursorPage::from_overfetched(payments, size, |payment| PaymentCursor {
            created_at: payment.created_at,
            id: payment.id,
        }))
    }
}

#[async_trait]
impl UnsettledPayments for Database {
    async fn take_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<UnsettledPayment>, StoreError> {
        let due = row::Entity::find()
            .filter(row::Column::CheckAfter.lte(now))
            .order_by_asc(row::Column::CheckAfter)
            .limit(u64::from(limit))
            .all(&self.reader)
            .await
            .map_err(database)?;
        let mut taken = Vec::with_capacity(due.len());
        for row in due {
            // Who finds the row as it was read has it; for the others its turn is put off already.
            let leased = row::Entity::update_many()
                .col_expr(row::Column::CheckAfter, (now + lease).into())
                .col_expr(row::Column::Checks, Expr::col(row::Column::Checks).add(1))
                .filter(row::Column::Id.eq(row.id))
                .filter(row::Column::CheckAfter.lte(now))
                .filter(row::Column::Checks.eq(row.checks))
                .exec(&self.writer)
                .await
                .map_err(database)?;
            if leased.rows_affected == 1 {
                let place = Place::new("payments", row.id);
                let attempt = place.count("checks", row.checks)?.saturating_add(1);
                let id = PaymentId::from_uuid(row.id);
                taken.push(UnsettledPayment { id, created_at: row.created_at, attempt });
            }
        }
        Ok(taken)
    }

    async fn put_off(&self, id: PaymentId, until: Timestamp) -> Result<(), StoreError> {
        row::Entity::update_many()
            .col_expr(row::Column::CheckAfter, until.into())
            .filter(row::Column::Id.eq(id.as_uuid()))
            .filter(row::Column::CheckAfter.is_not_null())
            .exec(&self.writer)
            .await
            .map_err(database)?;
        Ok(())
    }
}
