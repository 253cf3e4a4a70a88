//! Users. E-mail and name are encrypted; a keyed hash of the e-mail serves look-up and uniqueness.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, id, instant, one_of, text, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("users")
            .col(id("id"))
            .col(bytes("email_hash", 32))
            .col(bytes("email", 512))
            .col(bytes("name", 512))
            .col(text("password_hash", 255))
            .col(word("role"))
            .col(instant("created_at"))
            .primary_key(Index::create().col("id"))
            .index(Index::create().name("ux_users_email").unique().col("email_hash"))
            .check(one_of("role", &["USER", "ADMIN"]))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("users").to_owned()).await?;
        Ok(())
    }
}
