//! Refunds for readers, and those whose money is not back yet.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{PaymentId, RefundId, StoreError, Timestamp};
use refund::{Refund, RefundReader, UnsettledRefund, UnsettledRefunds};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::convert::Place;
use crate::entity::refund as row;
use crate::error::database;
use crate::lease::Lease;
use crate::refund_rows::with_items;
use crate::{Database, StorageError};

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

const LEASE: Lease<row::Entity> =
    Lease { id: row::Column::Id, due: row::Column::RetryAfter, taken: row::Column::Attempts };

#[async_trait]
impl UnsettledRefunds for Database {
    async fn take_due(
        &self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<UnsettledRefund>, StoreError> {
        let taken = LEASE.take_due(self, now, lease, limit).await?;
        let unsettled = taken.into_iter().map(|row| {
            let attempt = Place::new("refunds", row.id).count("attempts", row.attempts)?.saturating_add(1);
            Ok(UnsettledRefund { id: RefundId::from_uuid(row.id), attempt })
        });
        unsettled.collect::<Result<_, StorageError>>().map_err(StoreError::from)
    }

    async fn put_off(&self, id: RefundId, until: Timestamp) -> Result<(), StoreError> {
        LEASE.put_off(self, id.as_uuid(), until).await
    }
}
