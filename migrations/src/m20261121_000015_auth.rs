//! Sessions with their refresh tokens, of which only hashes are kept, and tries at passwords.

use sea_orm_migration::prelude::*;

use crate::columns::{bytes, count, id, instant, optional_instant};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions = Table::create()
            .table("sessions")
            .col(id("id"))
            .col(id("user_id"))
            .col(instant("opened_at"))
            .col(instant("expires_at"))
            .col(optional_instant("revoked_at"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(sessions).await?;
        let tokens = Table::create()
            .table("refresh_tokens")
            .col(id("session_id"))
            .col(count("sequence"))
            .col(bytes("token_hash", 32))
            .col(instant("issued_at"))
            .col(instant("expires_at"))
            .col(optional_instant("used_at"))
            .primary_key(Index::create().col("session_id").col("sequence"))
            .index(Index::create().name("ux_refresh_tokens_hash").unique().col("token_hash"))
            .foreign_key(
                ForeignKey::create()
                    .name("fk_refresh_tokens_session")
                    .from("refresh_tokens", "session_id")
                    .to("sessions", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .check(Expr::cust("sequence > 0"))
            .to_owned();
        manager.create_table(tokens).await?;
        // As many slots as there may be tries: the primary key holds the bound.
        let attempts = Table::create()
            .table("login_attempts")
            .col(bytes("email_hash", 32))
            .col(count("slot"))
            .col(id("attempt_id"))
            .col(instant("attempted_at"))
            .primary_key(Index::create().col("email_hash").col("slot"))
            .check(Expr::cust("slot BETWEEN 1 AND 5"))
            .to_owned();
        manager.create_table(attempts).await?;
        // What has had its time is looked for by the janitor.
        for (name, table, column) in [
            ("ix_sessions_expires", "sessions", "expires_at"),
            ("ix_refresh_tokens_expires", "refresh_tokens", "expires_at"),
            ("ix_login_attempts_at", "login_attempts", "attempted_at"),
        ] {
            manager.create_index(Index::create().name(name).table(table).col(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["login_attempts", "refresh_tokens", "sessions"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
