//! Payments.

use async_trait::async_trait;
use kernel::StoreError;
use payment::{Payment, PaymentRepository};
use sea_orm::{DatabaseTransaction, IntoActiveModel};

use crate::entity::payment as row;
use crate::error::database;
use crate::row_set;

/// Payments inside a transaction.
pub(crate) struct Payments<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl PaymentRepository for Payments<'_> {
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        let rows = payments.iter().map(|payment| payment_row(payment).into_active_model()).collect();
        row_set::insert(self.tx, rows).await.map_err(database)
    }
}

fn payment_row(payment: &Payment) -> row::Model {
    row::Model {
        id: payment.id.as_uuid(),
        order_id: payment.order_id.as_uuid(),
        user_id: payment.user_id.as_uuid(),
        status: payment.status.as_str().to_owned(),
        point_amount: payment.point_amount.into(),
        card_amount: payment.card_amount.into(),
        created_at: payment.created_at,
    }
}
