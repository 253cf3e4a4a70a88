//! Removing what sessions and logins leave behind.

use async_trait::async_trait;
use kernel::{StoreError, Timestamp};
use user::{LoginAttempts, SessionJanitor};

use crate::Database;
use crate::entity::{login_attempt, refresh_token, session};
use crate::purge::purge;

#[async_trait]
impl SessionJanitor for Database {
    async fn purge_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        // Old tokens of sessions that go on, sessions whose last token is old with what is left of their
        // tokens, and tries at passwords that count no more.
        let tokens = purge::<refresh_token::Entity>(self, refresh_token::Column::ExpiresAt, now).await?;
        let sessions = purge::<session::Entity>(self, session::Column::ExpiresAt, now).await?;
        let forgotten = now - LoginAttempts::WINDOW;
        let tries =
            purge::<login_attempt::Entity>(self, login_attempt::Column::AttemptedAt, forgotten).await?;
        Ok(tokens + sessions + tries)
    }
}
