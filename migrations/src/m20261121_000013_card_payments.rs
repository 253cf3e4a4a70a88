//! Payments by card: what the gateway is asked, what it says, and the points that are held meanwhile.

use sea_orm_migration::prelude::*;

use crate::columns::{
    amount, bytes, count, id, instant, one_of, optional_bytes, optional_id, optional_instant, optional_text,
    word,
};
use crate::rebuild::rebuild;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// An order has one attempt at most that is under way or has succeeded.
const ONE_LIVE: &str = "CREATE UNIQUE INDEX ux_payments_live ON payments \
    ((CASE WHEN status IN ('PENDING', 'SUCCESS') THEN order_id END))";

/// An order is settled once at most.
const ONE_SUCCESS: &str = "CREATE UNIQUE INDEX ux_payments_success ON payments \
    ((CASE WHEN status = 'SUCCESS' THEN order_id END))";

/// An order is paid from a wallet once at most.
const ONE_PAYMENT: &str = "CREATE UNIQUE INDEX ux_point_ledger_payment ON point_ledger \
    ((CASE WHEN kind = 'PAYMENT' THEN order_id END))";

/// Which payment took the points of the entries that there are.
const NAME_PAYMENTS: &str = "UPDATE point_ledger SET payment_id = (SELECT p.id FROM payments p \
    WHERE p.order_id = point_ledger.order_id AND p.status = 'SUCCESS') WHERE kind = 'PAYMENT'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let columns = "id, order_id, user_id, status, point_amount, card_amount, created_at, settled_at";
        let settled_at = optional_instant("settled_at");
        manager.alter_table(Table::alter().table("payments").add_column(settled_at).to_owned()).await?;
        // So far every payment was settled at once.
        connection.execute_unprepared("UPDATE payments SET settled_at = created_at").await?;
        let table = payments()
            .col(optional_bytes("charge_id", 64))
            .col(optional_text("failure", 32))
            .col(optional_text("decline_code", 64))
            .col(optional_instant("settled_at"))
            .col(optional_instant("check_after"))
            .col(count("checks").default(0).take())
            .col(amount("point_refunds").default(0).take())
            .col(amount("card_refunds").default(0).take())
            // ADR-009: the database's last word on how much can go back.
            .check(Expr::cust("point_refunds >= 0 AND point_refunds <= point_amount"))
            .check(Expr::cust("card_refunds >= 0 AND card_refunds <= card_amount"))
            .check(one_of("status", &["PENDING", "SUCCESS", "FAILED", "REVERSED"]))
            .check(Expr::cust("(status = 'PENDING') = (settled_at IS NULL)"))
            .check(Expr::cust("(status IN ('FAILED', 'REVERSED')) = (failure IS NOT NULL)"))
            .check(Expr::cust("check_after IS NULL OR status = 'PENDING'"))
            .to_owned();
        rebuild(manager, "payments", table, columns).await?;
        connection.execute_unprepared(ONE_LIVE).await?;
        // Only attempts that wait have a time: the index is as long as their queue.
        for (name, columns) in [
            ("ix_payments_check", &["check_after"][..]),
            ("ix_payments_order", &["order_id"]),
            ("ix_payments_user", &["user_id", "created_at", "id"]),
        ] {
            let mut index = Index::create().name(name).table("payments").to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        for column in [optional_id("payment_id"), optional_id("refund_id")] {
            manager.alter_table(Table::alter().table("point_ledger").add_column(column).to_owned()).await?;
        }
        connection.execute_unprepared(NAME_PAYMENTS).await?;
        drop_index(manager, "ux_point_ledger_payment", "point_ledger").await?;
        // A payment takes points once at most, and gives them back once at most.
        let index = Index::create()
            .name("ux_point_ledger_payment")
            .table("point_ledger")
            .col("payment_id")
            .col("kind")
            .unique()
            .to_owned();
        manager.create_index(index).await?;
        let held_until = optional_instant("held_until");
        manager
            .alter_table(Table::alter().table("idempotency_keys").add_column(held_until).to_owned())
            .await?;
        let table = Table::create()
            .table("gateway_notices")
            .col(bytes("id", 255))
            .col(id("payment_id"))
            .col(word("kind"))
            .col(instant("received_at"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        manager.drop_table(Table::drop().table("gateway_notices").to_owned()).await?;
        manager
            .alter_table(Table::alter().table("idempotency_keys").drop_column("held_until").to_owned())
            .await?;
        drop_index(manager, "ux_point_ledger_payment", "point_ledger").await?;
        for column in ["refund_id", "payment_id"] {
            manager.alter_table(Table::alter().table("point_ledger").drop_column(column).to_owned()).await?;
        }
        connection.execute_unprepared(ONE_PAYMENT).await?;
        let table = payments().check(one_of("status", &["PENDING", "SUCCESS", "FAILED"])).to_owned();
        let columns = "id, order_id, user_id, status, point_amount, card_amount, created_at";
        rebuild(manager, "payments", table, columns).await?;
        connection.execute_unprepared(ONE_SUCCESS).await?;
        Ok(())
    }
}

fn payments() -> TableCreateStatement {
    Table::create()
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
        .check(Expr::cust("point_amount + card_amount >= 0"))
        .to_owned()
}

async fn drop_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
) -> Result<(), DbErr> {
    manager.drop_index(Index::drop().name(name).table(table).to_owned()).await
}
