//! Idempotency keys, written in the transaction of the effect.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, count, document, id, instant, optional_id, optional_text};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("idempotency_keys")
            .col(id("caller_id"))
            .col(bytes("idempotency_key", 255))
            .col(bytes("fingerprint", 32))
            .col(count("status").null().take())
            .col(document("body"))
            .col(optional_text("resource_type", 32))
            .col(optional_id("resource_id"))
            .col(instant("created_at"))
            .col(instant("expires_at"))
            .primary_key(Index::create().col("caller_id").col("idempotency_key"))
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("ix_idempotency_keys_expiry")
            .table("idempotency_keys")
            .col("expires_at")
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("idempotency_keys").to_owned()).await?;
        Ok(())
    }
}
