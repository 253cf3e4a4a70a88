//! Wallets and their ledger.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, count, id, instant, one_of, optional_id, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("wallets")
            .col(id("user_id"))
            .col(amount("balance"))
            .col(count("version"))
            .col(instant("updated_at"))
            .primary_key(Index::create().col("user_id"))
            .check(Expr::cust("balance >= 0"))
            .check(Expr::cust("version > 0"))
            .to_owned();
        manager.create_table(table).await?;
        let table = Table::create()
            .table("point_ledger")
            .col(id("user_id"))
            .col(count("sequence"))
            .col(word("kind"))
            .col(amount("delta"))
            .col(amount("balance_before"))
            .col(amount("balance_after"))
            .col(optional_id("order_id"))
            .col(instant("created_at"))
            .primary_key(Index::create().col("user_id").col("sequence"))
            .check(one_of("kind", &["CHARGE", "PAYMENT", "REFUND"]))
            .check(Expr::cust("balance_before >= 0 AND balance_after >= 0"))
            .check(Expr::cust("ROUND(balance_before + delta - balance_after, 2) = 0"))
            .check(Expr::cust("(kind = 'PAYMENT') = (delta < 0)"))
            .check(Expr::cust("(kind = 'CHARGE') = (order_id IS NULL)"))
            .to_owned();
        manager.create_table(table).await?;
        // An order is paid from a wallet once at most.
        manager.get_connection().execute_unprepared("CREATE UNIQUE INDEX ux_point_ledger_payment ON point_ledger ((CASE WHEN kind = 'PAYMENT' THEN order_id END))").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("point_ledger").to_owned()).await?;
        manager.drop_table(Table::drop().table("wallets").to_owned()).await?;
        Ok(())
    }
}
