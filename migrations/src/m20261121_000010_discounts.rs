//! Discounts in orders: what a coupon takes off each line, and orders that come to nothing with it.

use sea_orm_migration::prelude::*;

use crate::columns::{amount, id, instant, one_of, optional_bytes, optional_id, word};
use crate::rebuild::rebuild;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A piece of a coupon is used by one live order at most.
const ONE_LIVE_ORDER: &str = "CREATE UNIQUE INDEX ux_orders_user_coupon ON orders \
    ((CASE WHEN status NOT IN ('CANCELLED', 'EXPIRED', 'REFUNDED') THEN user_coupon_id END))";

/// An order is settled once at most.
const ONE_SUCCESS: &str = "CREATE UNIQUE INDEX ux_payments_success ON payments \
    ((CASE WHEN status = 'SUCCESS' THEN order_id END))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column a statement.
        for column in [optional_id("user_coupon_id"), optional_bytes("coupon_code", 64)] {
            manager.alter_table(Table::alter().table("orders").add_column(column).to_owned()).await?;
        }
        manager.get_connection().execute_unprepared(ONE_LIVE_ORDER).await?;
        let discount = amount("discount").default(0).check(Expr::cust("discount >= 0")).take();
        manager.alter_table(Table::alter().table("order_items").add_column(discount).to_owned()).await?;
        replace_payments(manager, "point_amount + card_amount >= 0").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace_payments(manager, "point_amount + card_amount > 0").await?;
        manager.alter_table(Table::alter().table("order_items").drop_column("discount").to_owned()).await?;
        manager.drop_index(Index::drop().name("ux_orders_user_coupon").table("orders").to_owned()).await?;
        for column in ["coupon_code", "user_coupon_id"] {
            manager.alter_table(Table::alter().table("orders").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

/// Changes what the sum of a payment's tenders may be.
async fn replace_payments(manager: &SchemaManager<'_>, sum: &'static str) -> Result<(), DbErr> {
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
        .check(Expr::cust("point_amount >= 0 AND card_amount >= 0"))
        .check(Expr::cust(sum))
        .check(one_of("status", &["PENDING", "SUCCESS", "FAILED"]))
        .to_owned();
    let columns = "id, order_id, user_id, status, point_amount, card_amount, created_at";
    rebuild(manager, "payments", table, columns).await?;
    manager.get_connection().execute_unprepared(ONE_SUCCESS).await?;
    Ok(())
}
