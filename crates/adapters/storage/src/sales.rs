//! Daily sales.

use async_trait::async_trait;
use checkout::{DailySale, SalesRepository};
use kernel::{Money, StoreError};
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter};

use crate::entity::daily_sale as row;
use crate::error::database;
use crate::{StorageError, row_set};

/// Daily sales inside a transaction.
pub(crate) struct Sales<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl SalesRepository for Sales<'_> {
    async fn add(&mut self, sales: &[DailySale]) -> Result<(), StoreError> {
        let add_up = match self.tx.get_database_backend() {
            DatabaseBackend::MySql => {
                "ON DUPLICATE KEY UPDATE quantity = quantity + VALUES(quantity), amount = amount + VALUES(amount)"
            }
            // Amounts are REAL in SQLite: exact to 15 digits, rounded after each sum.
            _ => {
                "ON CONFLICT (day, product_id) DO UPDATE SET quantity = quantity + excluded.quantity, \
                 amount = ROUND(amount + excluded.amount, 2)"
            }
        };
        let rows: Vec<_> = sales.iter().map(sale_row).collect();
        row_set::insert_or(self.tx, &rows, add_up).await.map_err(database)
    }

    async fn take_back(&mut self, sales: &[DailySale]) -> Result<(), StoreError> {
        for sale in sales {
            let taken = row::Entity::update_many()
                .col_expr(
                    row::Column::Quantity,
                    Expr::col(row::Column::Quantity).sub(i64::from(sale.quantity)),
                )
                .col_expr(row::Column::Amount, self.less(sale.amount))
                .filter(row::Column::Day.eq(sale.day))
                .filter(row::Column::ProductId.eq(sale.product_id.as_uuid()))
                .filter(row::Column::Quantity.gte(i64::from(sale.quantity)))
                .exec(self.tx)
                .await
                .map_err(database)?;
            if taken.rows_affected != 1 {
                return Err(StoreError::Internal(Box::new(StorageError::BadRow {
                    table: "daily_sales",
                    column: "quantity",
                    key: format!("{}/{}", sale.day, sale.product_id),
                    reason: format!("less than {} pieces to take back", sale.quantity),
                })));
            }
        }
        Ok(())
    }
}

impl Sales<'_> {
    fn less(&self, amount: Money) -> Expr {
        let rest = Expr::col(row::Column::Amount).sub(Decimal::from(amount));
        match self.tx.get_database_backend() {
            DatabaseBackend::MySql => rest,
            // Amounts are REAL in SQLite: exact to 15 digits, rounded after each sum.
            _ => Expr::expr(Func::cust("ROUND").arg(rest).arg(2)),
        }
    }
}

fn sale_row(sale: &DailySale) -> row::Model {
    row::Model {
        day: sale.day,
        product_id: sale.product_id.as_uuid(),
        quantity: sale.quantity.into(),
        amount: sale.amount.into(),
    }
}
