//! Payments: attempts to settle an order.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, id, instant, one_of, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("payments")
            .col(id("id"))
            .col(id("order_id"))
            .col(id("user_id"))
            .col(word("status"))
            .col(amount("point_amount"))
            .col(amount("card_amount"))
            .col(instant("created_at"))
            .primary_key(Index::create().col("id"))
            .check(Expr::cust("point_amount >= 0 AND card_amount >= 0 AND point_amount + card_amount > 0"))
            .check(one_of("status", &["PENDING", "SUCCESS", "FAILED"]))
            .to_owned();
        manager.create_table(table).await?;
        // An order is settled once at most.
        manager.get_connection().execute_unprepared("CREATE UNIQUE INDEX ux_payments_success ON payments ((CASE WHEN status = 'SUCCESS' THEN order_id END))").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("payments").to_owned()).await?;
        Ok(())
    }
}
