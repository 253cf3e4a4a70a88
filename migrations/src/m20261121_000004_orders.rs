//! Orders, their lines and their history.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, count, id, instant, one_of, optional_id, optional_text, text, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statuses = ["PENDING", "PAID", "CANCELLED", "EXPIRED", "PARTIALLY_REFUNDED", "REFUNDED"];
        let table = Table::create()
            .table("orders")
            .col(id("id"))
            .col(id("user_id"))
            .col(word("status"))
            .col(amount("total"))
            .col(amount("discount"))
            .col(amount("paid"))
            .col(count("version"))
            .col(instant("created_at"))
            .primary_key(Index::create().col("id"))
            .check(Expr::cust("total > 0 AND discount >= 0 AND discount <= total"))
            .check(Expr::cust("paid >= 0 AND paid <= total"))
            .check(one_of("status", &statuses))
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("ix_orders_user")
            .table("orders")
            .col("user_id")
            .col("created_at")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("ix_orders_user_status")
            .table("orders")
            .col("user_id")
            .col("status")
            .col("created_at")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        let table = Table::create()
            .table("order_items")
            .col(id("order_id"))
            .col(id("product_id"))
            .col(count("line"))
            .col(text("name", 200))
            .col(amount("unit_price"))
            .col(count("quantity"))
            .col(amount("subtotal"))
            .primary_key(Index::create().col("order_id").col("product_id"))
            .foreign_key(
                ForeignKey::create()
                    .name("fk_order_items_order")
                    .from("order_items", "order_id")
                    .to("orders", "id")
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .check(Expr::cust("quantity > 0 AND unit_price >= 0"))
            .check(Expr::cust("ROUND(unit_price * quantity - subtotal, 2) = 0"))
            .to_owned();
        manager.create_table(table).await?;
        let table = Table::create()
            .table("order_status_history")
            .col(id("order_id"))
            .col(count("sequence"))
            .col(optional_text("from_status", 32))
            .col(word("to_status"))
            .col(optional_id("changed_by"))
            .col(instant("changed_at"))
            .primary_key(Index::create().col("order_id").col("sequence"))
            .foreign_key(
                ForeignKey::create()
                    .name("fk_order_status_history_order")
                    .from("order_status_history", "order_id")
                    .to("orders", "id")
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .check(one_of("to_status", &statuses))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("order_status_history").to_owned()).await?;
        manager.drop_table(Table::drop().table("order_items").to_owned()).await?;
        manager.drop_table(Table::drop().table("orders").to_owned()).await?;
        Ok(())
    }
}
