//! The outbox: events in the order in which each aggregate tells them.

use sea_orm_migration::prelude::*;

use crate::columns::{
    count, document, id, instant, one_of, optional_id, optional_instant, optional_text, text, word,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("outbox")
            .col(id("id"))
            .col(text("event_type", 64))
            .col(word("aggregate_type"))
            .col(id("aggregate_id"))
            .col(count("sequence"))
            .col(instant("occurred_at"))
            .col(document("data").not_null().take())
            .col(optional_text("traceparent", 64))
            .col(word("status"))
            .col(count("attempts"))
            .col(optional_instant("next_attempt_at"))
            .col(optional_id("lease_owner"))
            .col(optional_text("last_error", 500))
            .col(optional_instant("sent_at"))
            .primary_key(Index::create().col("id"))
            .index(Index::create().name("ux_outbox_sequence").unique().col("aggregate_id").col("sequence"))
            .check(one_of("status", &["PENDING", "FAILED", "SENT", "DEAD"]))
            .check(Expr::cust("sequence > 0 AND attempts >= 0"))
            .check(Expr::cust("status <> 'SENT' OR sent_at IS NOT NULL"))
            .to_owned();
        manager.create_table(table).await?;
        // Workers ask for what is due. Nothing that was sent or given up is due ever again, so the index
        // they read stays short at its end however long the table grows.
        let index = Index::create().name("ix_outbox_due").table("outbox").col("next_attempt_at").to_owned();
        manager.create_index(index).await?;
        let index =
            Index::create().name("ix_outbox_status").table("outbox").col("status").col("id").to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("outbox").to_owned()).await?;
        Ok(())
    }
}
