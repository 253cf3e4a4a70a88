//! Payments for readers, and those whose outcome nobody knows.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{CursorPage, OrderId, PageSize, PaymentId, StoreError, Timestamp};
use payment::{Payment, PaymentCursor, PaymentFilter, PaymentReader, UnsettledPayment, UnsettledPayments};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::convert::Place;
use crate::entity::payment as row;
use crate::error::database;
use crate::lease::Lease;
use crate::payment_rows::attempts_of;
use crate::{Database, StorageError, newest_first};

#[async_trait]
impl PaymentReader for Database {
    async fn find(&self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(row.map(Payment::try_from).transpose()?)
    }

    async fn of_order(&self, order: OrderId) -> Result<Vec<Payment>, StoreError> {
        attempts_of(&self.reader, order).await
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
        let after = after.map(|PaymentCursor { created_at, id }| (created_at, id.as_uuid()));
        let page = newest_first::page(select, (row::Column::CreatedAt, row::Column::Id), after, size);
        let rows = page.all(&self.reader).await.map_err(database)?;
        let payments = rows.into_iter().map(Payment::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(CursorPage::from_overfetched(payments, size, |payment| PaymentCursor {
            created_at: payment.created_at,
            id: payment.id,
        }))
    }
}

const LEASE: Lease<row::Entity> =
    Lease { id: row::Column::Id, due: row::Column::CheckAfter, taken: row::Column::Checks };

#[async_trait]
impl UnsettledPayments for Database {
    async fn take_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<UnsettledPayment>, StoreError> {
        let taken = LEASE.take_due(self, now, lease, limit).await?;
        let unsettled = taken.into_iter().map(|row| {
            let attempt = Place::new("payments", row.id).count("checks", row.checks)?.saturating_add(1);
            Ok(UnsettledPayment { id: PaymentId::from_uuid(row.id), created_at: row.created_at, attempt })
        });
        unsettled.collect::<Result<_, StorageError>>().map_err(StoreError::from)
    }

    async fn put_off(&self, id: PaymentId, until: Timestamp) -> Result<(), StoreError> {
        LEASE.put_off(self, id.as_uuid(), until).await
    }
}
