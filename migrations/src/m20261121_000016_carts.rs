//! Carts and what is in them.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, count, id, instant, text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("carts")
            .col(id("user_id"))
            .col(count("version"))
            .col(instant("updated_at"))
            // One a user: of two first uses at once, one has to run again.
            .primary_key(Index::create().col("user_id"))
            .check(Expr::cust("version > 0"))
            .to_owned();
        manager.create_table(table).await?;
        let table = Table::create()
            .table("cart_items")
            .col(id("user_id"))
            .col(id("product_id"))
            .col(count("quantity"))
            .col(amount("unit_price"))
            .col(text("name", 200))
            .col(instant("added_at"))
            .primary_key(Index::create().col("user_id").col("product_id"))
            .foreign_key(
                ForeignKey::create()
                    .name("fk_cart_items_cart")
                    .from("cart_items", "user_id")
                    .to("carts", "user_id")
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .check(Expr::cust("quantity BETWEEN 1 AND 1000 AND unit_price >= 0"))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("cart_items").to_owned()).await?;
        manager.drop_table(Table::drop().table("carts").to_owned()).await?;
        Ok(())
    }
}
