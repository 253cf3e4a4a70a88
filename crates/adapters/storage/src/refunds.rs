//! Refunds inside a transaction, with what they reserve of their payment and its order.

use async_trait::async_trait;
use kernel::{Money, PaymentId, RefundId, StoreError};
use refund::{Refund, RefundRepository, RefundStatus};
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
};

use crate::entity::{order_item, payment, refund as row};
use crate::error::database;
use crate::refund_rows::{item_rows, refund_row, with_items};
use crate::{StorageError, row_set};

/// Refunds inside a transaction.
pub(crate) struct Refunds<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

/// Whether a reservation is made or given up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reservation {
    Made,
    GivenUp,
}

#[async_trait]
impl RefundRepository for Refunds<'_> {
    async fn insert(&mut self, refunds: &[Refund]) -> Result<(), StoreError> {
        for refund in refunds.iter().filter(|refund| refund.status != RefundStatus::Failed) {
            self.reserve(refund, Reservation::Made).await?;
        }
        let rows: Vec<_> = refunds.iter().map(refund_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)?;
        let items: Vec<_> = refunds.iter().flat_map(item_rows).collect();
        row_set::insert(self.tx, &items).await.map_err(database)
    }

    async fn of_payment(&mut self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        let rows = row::Entity::find()
            .filter(row::Column::PaymentId.eq(payment.as_uuid()))
            .order_by_asc(row::Column::CreatedAt)
            .order_by_asc(row::Column::Id)
            .all(self.tx)
            .await
            .map_err(database)?;
        with_items(self.tx, rows).await
    }

    async fn find(&mut self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(self.tx).await.map_err(database)?;
        Ok(with_items(self.tx, row.into_iter().collect()).await?.pop())
    }

    async fn save(&mut self, refund: &Refund, from: RefundStatus) -> Result<(), StoreError> {
        let new = refund_row(refund);
        let saved = row::Entity::update_many()
            .col_expr(row::Column::Status, new.status.into())
            .col_expr(row::Column::SettledAt, new.settled_at.into())
            .col_expr(row::Column::RetryAfter, new.retry_after.into())
            .filter(row::Column::Id.eq(new.id))
            // ADR-009: a refund is settled once, whoever brings the news.
            .filter(row::Column::Status.eq(from.as_str()))
            .exec(self.tx)
            .await
            .map_err(database)?;
        if saved.rows_affected != 1 {
            return Err(StorageError::Stale { table: "refunds" }.into());
        }
        if refund.status == RefundStatus::Failed && from != RefundStatus::Failed {
            self.reserve(refund, Reservation::GivenUp).await?;
        }
        Ok(())
    }
}

impl Refunds<'_> {
    /// Reserves what a refund gives back, as long as so much is left.
    async fn reserve(&self, refund: &Refund, reservation: Reservation) -> Result<(), StoreError> {
        let point = self.shifted(payment::Column::PointRefunds, refund.point_amount, reservation);
        let card = self.shifted(payment::Column::CardRefunds, refund.card_amount, reservation);
        let reserved = payment::Entity::update_many()
            .col_expr(payment::Column::PointRefunds, point.clone())
            .col_expr(payment::Column::CardRefunds, card.clone())
            .filter(payment::Column::Id.eq(refund.payment_id.as_uuid()))
            .filter(point.lte(Expr::col(payment::Column::PointAmount)))
            .filter(card.lte(Expr::col(payment::Column::CardAmount)))
            .exec(self.tx)
            .await
            .map_err(database)?;
        if reserved.rows_affected != 1 {
            return Err(StorageError::Stale { table: "payments" }.into());
        }
        for item in &refund.items {
            let quantity = Expr::col(order_item::Column::RefundQuantity);
            let pieces = i64::from(item.quantity);
            let quantity = match reservation {
                Reservation::Made => quantity.add(pieces),
                Reservation::GivenUp => quantity.sub(pieces),
            };
            let reserved = order_item::Entity::update_many()
                .col_expr(order_item::Column::RefundQuantity, quantity.clone())
                .filter(order_item::Column::OrderId.eq(refund.order_id.as_uuid()))
                .filter(order_item::Column::ProductId.eq(item.product_id.as_uuid()))
                .filter(quantity.lte(Expr::col(order_item::Column::Quantity)))
                .exec(self.tx)
                .await
                .map_err(database)?;
            if reserved.rows_affected != 1 {
                return Err(StorageError::Stale { table: "order_items" }.into());
            }
        }
        Ok(())
    }

    fn shifted(&self, column: payment::Column, amount: Money, reservation: Reservation) -> Expr {
        let (sum, amount) = (Expr::col(column), Decimal::from(amount));
        let sum = match reservation {
            Reservation::Made => sum.add(amount),
            Reservation::GivenUp => sum.sub(amount),
        };
        match self.tx.get_database_backend() {
            DatabaseBackend::MySql => sum,
            // Amounts are REAL in SQLite: exact to 15 digits, rounded after each sum.
            _ => Expr::expr(Func::cust("ROUND").arg(sum).arg(2)),
        }
    }
}
