//! Products with their stock, and the ledger of it.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, count, id, instant, one_of, optional_id, optional_text, text, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("products")
            .col(id("id"))
            .col(text("name", 200))
            .col(amount("price"))
            .col(count("stock"))
            .col(word("status"))
            .col(count("version"))
            .col(count("stock_version"))
            .col(count("event_sequence"))
            .col(instant("created_at"))
            .col(instant("updated_at"))
            .primary_key(Index::create().col("id"))
            .check(Expr::cust("price >= 0"))
            .check(Expr::cust("stock >= 0"))
            .check(one_of("status", &["ACTIVE", "INACTIVE"]))
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("ix_products_created")
            .table("products")
            .col("status")
            .col("created_at")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("ix_products_price")
            .table("products")
            .col("status")
            .col("price")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("ix_products_name")
            .table("products")
            .col("status")
            .col("name")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        let table = Table::create()
            .table("stock_ledger")
            .col(id("product_id"))
            .col(count("sequence"))
            .col(count("delta"))
            .col(count("balance_after"))
            .col(word("cause"))
            .col(optional_text("reason", 200))
            .col(optional_id("order_id"))
            .col(instant("created_at"))
            .primary_key(Index::create().col("product_id").col("sequence"))
            .check(Expr::cust("balance_after >= 0"))
            .check(one_of("cause", &["CREATED", "ADJUSTED", "ORDERED"]))
            .check(Expr::cust("(cause = 'ADJUSTED') = (reason IS NOT NULL)"))
            .check(Expr::cust("(cause = 'ORDERED') = (order_id IS NOT NULL)"))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("stock_ledger").to_owned()).await?;
        manager.drop_table(Table::drop().table("products").to_owned()).await?;
        Ok(())
    }
}
