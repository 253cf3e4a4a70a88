//! Sessions and their refresh tokens inside a transaction.

use async_trait::async_trait;
use kernel::{StoreError, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, UpdateMany,
};
use user::{IssuedToken, Session, SessionId, SessionRepository, TokenDigest};
use uuid::Uuid;

use crate::StorageError;
use crate::convert::Place;
use crate::entity::{refresh_token, session as row};
use crate::error::database;

/// Sessions inside a transaction.
pub(crate) struct Sessions<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

impl Sessions<'_> {
    async fn add(&self, session: SessionId, token: &IssuedToken) -> Result<(), StoreError> {
        let token = refresh_token::Model {
            session_id: session.as_uuid(),
            sequence: token.sequence.into(),
            token_hash: token.digest.as_bytes().to_vec(),
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
        };
        let added = refresh_token::Entity::insert(token.into_active_model());
        added.exec_without_returning(self.tx).await.map_err(database)?;
        Ok(())
    }

    /// Changes the one row that its guard still describes.
    async fn change<E: EntityTrait>(
        &self,
        table: &'static str,
        change: UpdateMany<E>,
    ) -> Result<(), StoreError> {
        match change.exec(self.tx).await.map_err(database)?.rows_affected {
            1 => Ok(()),
            _ => Err(StorageError::Stale { table }.into()),
        }
    }
}

#[async_trait]
impl SessionRepository for Sessions<'_> {
    async fn insert(&mut self, session: &Session) -> Result<(), StoreError> {
        let row = row::Model {
            id: session.id.as_uuid(),
            user_id: session.user_id.as_uuid(),
            opened_at: session.opened_at,
            expires_at: session.token.expires_at,
            revoked_at: session.revoked_at,
        };
        row::Entity::insert(row.into_active_model())
            .exec_without_returning(self.tx)
            .await
            .map_err(database)?;
        self.add(session.id, &session.token).await
    }

    async fn lock(&mut self, token: &TokenDigest) -> Result<Option<Session>, StoreError> {
        let this = refresh_token::Column::TokenHash.eq(token.as_bytes().to_vec());
        let id: Option<Uuid> = refresh_token::Entity::find()
            .select_only()
            .column(refresh_token::Column::SessionId)
            .filter(this.clone())
            .into_tuple()
            .one(self.tx)
            .await
            .map_err(database)?;
        let Some(id) = id else { return Ok(None) };
        let row = row::Entity::find_by_id(id).lock_exclusive().one(self.tx).await.map_err(database)?;
        // Read once more: until the session was locked another one may have used the token.
        let token = refresh_token::Entity::find().filter(this).one(self.tx).await.map_err(database)?;
        let (Some(row), Some(token)) = (row, token) else { return Ok(None) };
        Ok(Some(session(&row, &token)?))
    }

    async fn rotate(&mut self, session: &Session, next: &IssuedToken) -> Result<(), StoreError> {
        let used = refresh_token::Entity::update_many()
            .col_expr(refresh_token::Column::UsedAt, next.issued_at.into())
            .filter(refresh_token::Column::SessionId.eq(session.id.as_uuid()))
            .filter(refresh_token::Column::Sequence.eq(session.token.sequence))
            // ADR-035: whatever was locked, a token is used once.
            .filter(refresh_token::Column::UsedAt.is_null());
        self.change("refresh_tokens", used).await?;
        let extended = row::Entity::update_many()
            .col_expr(row::Column::ExpiresAt, next.expires_at.into())
            .filter(row::Column::Id.eq(session.id.as_uuid()))
            .filter(row::Column::RevokedAt.is_null());
        self.change("sessions", extended).await?;
        self.add(session.id, next).await
    }

    async fn revoke(&mut self, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
        row::Entity::update_many()
            .col_expr(row::Column::RevokedAt, now.into())
            .filter(row::Column::Id.eq(session.as_uuid()))
            .filter(row::Column::RevokedAt.is_null())
            .exec(self.tx)
            .await
            .map_err(database)?;
        Ok(())
    }
}

fn session(row: &row::Model, token: &refresh_token::Model) -> Result<Session, StorageError> {
    let place = Place::new("refresh_tokens", row.id);
    let digest: [u8; 32] =
        token.token_hash.as_slice().try_into().map_err(|error| place.damaged("token_hash", error))?;
    Ok(Session {
        id: SessionId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        opened_at: row.opened_at,
        revoked_at: row.revoked_at,
        token: IssuedToken {
            digest: TokenDigest::from_bytes(digest),
            sequence: place.count("sequence", token.sequence)?,
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
        },
    })
}
