//! Removing what sessions and logins leave behind.

use async_trait::async_trait;
use kernel::{StoreError, Timestamp};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use user::{LoginAttempts, SessionJanitor};
use uuid::Uuid;

use crate::entity::{login_attempt, refresh_token, session};
use crate::error::database;
use crate::{Database, row_set};

#[async_trait]
impl SessionJanitor for Database {
    async fn purge_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let tokens = self.purge_tokens(now).await?;
        let sessions = self.purge_ended(now).await?;
        let attempts = self.purge_attempts(now).await?;
        Ok(tokens + sessions + attempts)
    }
}

/// Each looks first, so that an idle round locks nothing, and deletes only what is still old then.
impl Database {
    /// Removes old tokens of sessions that go on.
    async fn purge_tokens(&self, now: Timestamp) -> Result<u64, StoreError> {
        use refresh_token::{Column, Entity};
        let old: Vec<(Uuid, i64)> = Entity::find()
            .select_only()
            .columns([Column::SessionId, Column::Sequence])
            .filter(Column::ExpiresAt.lte(now))
            .limit(row_set::NAMED_A_STATEMENT as u64)
            .into_tuple()
            .all(&self.reader)
            .await
            .map_err(database)?;
        if old.is_empty() {
            return Ok(0);
        }
        let old = old.into_iter().fold(Condition::any(), |any, (session, sequence)| {
            any.add(Column::SessionId.eq(session).and(Column::Sequence.eq(sequence)))
        });
        let purged = Entity::delete_many().filter(old).filter(Column::ExpiresAt.lte(now));
        Ok(purged.exec(&self.writer).await.map_err(database)?.rows_affected)
    }

    /// Removes sessions whose last token is old; what is left of their tokens goes with them.
    async fn purge_ended(&self, now: Timestamp) -> Result<u64, StoreError> {
        use session::{Column, Entity};
        let ended: Vec<Uuid> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::ExpiresAt.lte(now))
            .limit(row_set::NAMED_A_STATEMENT as u64)
            .into_tuple()
            .all(&self.reader)
            .await
            .map_err(database)?;
        if ended.is_empty() {
            return Ok(0);
        }
        let purged = Entity::delete_many().filter(Column::Id.is_in(ended)).filter(Column::ExpiresAt.lte(now));
        Ok(purged.exec(&self.writer).await.map_err(database)?.rows_affected)
    }

    /// Removes tries at passwords that count no more.
    async fn purge_attempts(&self, now: Timestamp) -> Result<u64, StoreError> {
        use login_attempt::{Column, Entity};
        let forgotten = now - LoginAttempts::WINDOW;
        let old: Vec<(Vec<u8>, i64)> = Entity::find()
            .select_only()
            .columns([Column::EmailHash, Column::Slot])
            .filter(Column::AttemptedAt.lte(forgotten))
            .limit(row_set::NAMED_A_STATEMENT as u64)
            .into_tuple()
            .all(&self.reader)
            .await
            .map_err(database)?;
        if old.is_empty() {
            return Ok(0);
        }
        let old = old.into_iter().fold(Condition::any(), |any, (email, slot)| {
            any.add(Column::EmailHash.eq(email).and(Column::Slot.eq(slot)))
        });
        let purged = Entity::delete_many().filter(old).filter(Column::AttemptedAt.lte(forgotten));
        Ok(purged.exec(&self.writer).await.map_err(database)?.rows_affected)
    }
}
