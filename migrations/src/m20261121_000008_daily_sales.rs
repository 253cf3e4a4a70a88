//! What was sold of each product on each business day.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, count, id};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("daily_sales")
            .col(ColumnDef::new("day").date().not_null().take())
            .col(id("product_id"))
            .col(count("quantity"))
            .col(amount("amount"))
            .primary_key(Index::create().col("day").col("product_id"))
            .check(Expr::cust("quantity > 0 AND amount >= 0"))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("daily_sales").to_owned()).await?;
        Ok(())
    }
}
