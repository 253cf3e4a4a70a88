//! Daily sales.

use async_trait::async_trait;
use checkout::{DailySale, SalesRepository};
use kernel::StoreError;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, IntoActiveModel};

use crate::entity::daily_sale as row;
use crate::error::database;

/// Daily sales inside a transaction.
pub(crate) struct Sales<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl SalesRepository for Sales<'_> {
    async fn add(&mut self, sales: &[DailySale]) -> Result<(), StoreError> {
        if sales.is_empty() {
            return Ok(());
        }
        let (quantity, amount) = match self.tx.get_database_backend() {
            DatabaseBackend::MySql => ("quantity + VALUES(quantity)", "amount + VALUES(amount)"),
            // Amounts are REAL in SQLite: exact to 15 digits, rounded after each sum.
            _ => ("quantity + excluded.quantity", "ROUND(amount + excluded.amount, 2)"),
        };
        let add_up = OnConflict::columns([row::Column::Day, row::Column::ProductId])
            .value(row::Column::Quantity, Expr::cust(quantity))
            .value(row::Column::Amount, Expr::cust(amount))
            .to_owned();
        let rows = sales.iter().map(|sale| sale_row(sale).into_active_model());
        row::Entity::insert_many(rows)
            .on_conflict(add_up)
            .exec_without_returning(self.tx)
            .await
            .map_err(database)?;
        Ok(())
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
