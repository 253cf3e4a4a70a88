//! Orders that wait for their payment: when they expire, and stock that comes back.

use sea_orm_migration::prelude::*;

use crate::columns::{
    amount, count, id, instant, one_of, optional_id, optional_instant, optional_text, word,
};
use crate::rebuild::rebuild;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let expires_at = optional_instant("expires_at");
        manager.alter_table(Table::alter().table("orders").add_column(expires_at).to_owned()).await?;
        // Only orders that wait have a time: the index is as long as their queue.
        let index = Index::create().name("ix_orders_expiry").table("orders").col("expires_at").to_owned();
        manager.create_index(index).await?;
        let causes = ["CREATED", "ADJUSTED", "ORDERED", "RETURNED"];
        replace_stock_ledger(manager, &causes, "(cause IN ('ORDERED', 'RETURNED')) = (order_id IS NOT NULL)")
            .await?;
        // What a refund takes back can leave a day without a sale.
        replace_daily_sales(manager, "quantity >= 0 AND amount >= 0").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace_daily_sales(manager, "quantity > 0 AND amount >= 0").await?;
        let causes = ["CREATED", "ADJUSTED", "ORDERED"];
        replace_stock_ledger(manager, &causes, "(cause = 'ORDERED') = (order_id IS NOT NULL)").await?;
        manager.drop_index(Index::drop().name("ix_orders_expiry").table("orders").to_owned()).await?;
        manager.alter_table(Table::alter().table("orders").drop_column("expires_at").to_owned()).await?;
        Ok(())
    }
}

async fn replace_stock_ledger(
    manager: &SchemaManager<'_>,
    causes: &[&str],
    of_order: &'static str,
) -> Result<(), DbErr> {
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
        .check(one_of("cause", causes))
        .check(Expr::cust("(cause = 'ADJUSTED') = (reason IS NOT NULL)"))
        .check(Expr::cust(of_order))
        .to_owned();
    let columns = "product_id, sequence, delta, balance_after, cause, reason, order_id, created_at";
    rebuild(manager, "stock_ledger", table, columns).await
}

async fn replace_daily_sales(manager: &SchemaManager<'_>, check: &'static str) -> Result<(), DbErr> {
    let table = Table::create()
        .table("daily_sales")
        .col(ColumnDef::new("day").date().not_null().take())
        .col(id("product_id"))
        .col(count("quantity"))
        .col(amount("amount"))
        .primary_key(Index::create().col("day").col("product_id"))
        .check(Expr::cust(check))
        .to_owned();
    rebuild(manager, "daily_sales", table, "day, product_id, quantity, amount").await
}
