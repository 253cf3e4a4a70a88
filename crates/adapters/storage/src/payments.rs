//! Payments inside a transaction.

use async_trait::async_trait;
use kernel::{OrderId, PaymentId, StoreError};
use payment::{GatewayNotice, Payment, PaymentRepository, PaymentStatus};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::entity::{gateway_notice, payment as row};
use crate::error::database;
use crate::payment_rows::{attempts_of, payment_row};
use crate::{StorageError, row_set};

/// Payments inside a transaction.
pub(crate) struct Payments<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl PaymentRepository for Payments<'_> {
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        let rows: Vec<_> = payments.iter().map(payment_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)
    }

    async fn find(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(self.tx).await.map_err(database)?;
        Ok(row.map(Payment::try_from).transpose()?)
    }

    async fn of_order(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreError> {
        attempts_of(self.tx, order).await
    }

    async fn save(&mut self, payment: &Payment, from: PaymentStatus) -> Result<(), StoreError> {
        let new = payment_row(payment);
        let saved = row::Entity::update_many()
            .col_expr(row::Column::Status, new.status.into())
            .col_expr(row::Column::ChargeId, new.charge_id.into())
            .col_expr(row::Column::Failure, new.failure.into())
            .col_expr(row::Column::DeclineCode, new.decline_code.into())
            .col_expr(row::Column::SettledAt, new.settled_at.into())
            .col_expr(row::Column::CheckAfter, new.check_after.into())
            .filter(row::Column::Id.eq(new.id))
            // ADR-015: an attempt is settled once, whoever brings the news.
            .filter(row::Column::Status.eq(from.as_str()))
            .exec(self.tx)
            .await
            .map_err(database)?;
        if saved.rows_affected != 1 {
            return Err(StorageError::Stale { table: "payments" }.into());
        }
        Ok(())
    }

    async fn note(&mut self, notice: &GatewayNotice) -> Result<bool, StoreError> {
        let id = notice.id.as_bytes().to_vec();
        let known = gateway_notice::Entity::find_by_id(id.clone()).one(self.tx).await.map_err(database)?;
        if known.is_some() {
            return Ok(false);
        }
        let row = gateway_notice::Model {
            id,
            payment_id: notice.payment_id.as_uuid(),
            kind: notice.kind.clone(),
            received_at: notice.received_at,
        };
        // A twin that came in the same moment makes this wait until it is stored, and then fail.
        row_set::insert(self.tx, &[row]).await.map_err(database)?;
        Ok(true)
    }
}
