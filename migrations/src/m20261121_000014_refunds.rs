//! Refunds and what they give back.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, count, id, instant, one_of, optional_id, optional_instant, text, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// ADR-009: the database's last word on how many pieces can come back.
const BOUNDED: &str = "refund_quantity >= 0 AND refund_quantity <= quantity";

fn on_mysql(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == sea_orm_migration::sea_orm::DatabaseBackend::MySql
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("refunds")
            .col(id("id"))
            .col(id("payment_id"))
            .col(id("order_id"))
            .col(id("user_id"))
            .col(word("status"))
            .col(text("reason", 200))
            .col(amount("point_amount"))
            .col(amount("card_amount"))
            .col(optional_id("requested_by"))
            .col(instant("created_at"))
            .col(optional_instant("settled_at"))
            .col(optional_instant("retry_after"))
            .col(count("attempts"))
            .primary_key(Index::create().col("id"))
            .check(one_of("status", &["PENDING", "SUCCESS", "FAILED"]))
            .check(Expr::cust("point_amount >= 0 AND card_amount >= 0"))
            .check(Expr::cust("(status = 'PENDING') = (settled_at IS NULL)"))
            .check(Expr::cust("retry_after IS NULL OR status = 'PENDING'"))
            .to_owned();
        manager.create_table(table).await?;
        // Only refunds that wait have a time: the index is as long as their queue.
        for (name, column) in [("ix_refunds_payment", "payment_id"), ("ix_refunds_retry", "retry_after")] {
            let index = Index::create().name(name).table("refunds").col(column).to_owned();
            manager.create_index(index).await?;
        }
        let table = Table::create()
            .table("refund_items")
            .col(id("refund_id"))
            .col(id("product_id"))
            .col(count("line"))
            .col(count("quantity"))
            .col(amount("amount"))
            .primary_key(Index::create().col("refund_id").col("product_id"))
            .foreign_key(
                ForeignKey::create()
                    .name("fk_refund_items_refund")
                    .from("refund_items", "refund_id")
                    .to("refunds", "id")
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .check(Expr::cust("quantity > 0 AND amount >= 0"))
            .to_owned();
        manager.create_table(table).await?;
        // How many pieces of a line are in refunds that have not failed.
        let mut column = count("refund_quantity").default(0).take();
        if !on_mysql(manager) {
            // The only form in which SQLite adds a CHECK, and one that MySQL does not take.
            column.check(Expr::cust(BOUNDED));
        }
        manager.alter_table(Table::alter().table("order_items").add_column(column).to_owned()).await?;
        if on_mysql(manager) {
            let check =
                format!("ALTER TABLE order_items ADD CONSTRAINT order_items_refunds CHECK ({BOUNDED})");
            manager.get_connection().execute_unprepared(&check).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if on_mysql(manager) {
            let check = "ALTER TABLE order_items DROP CONSTRAINT order_items_refunds";
            manager.get_connection().execute_unprepared(check).await?;
        }
        let dropped = Table::alter().table("order_items").drop_column("refund_quantity").to_owned();
        manager.alter_table(dropped).await?;
        manager.drop_table(Table::drop().table("refund_items").to_owned()).await?;
        manager.drop_table(Table::drop().table("refunds").to_owned()).await
    }
}
