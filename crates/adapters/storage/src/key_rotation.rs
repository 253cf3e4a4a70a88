//! Bringing personal data under the current key (ADR-036).

use async_trait::async_trait;
use kernel::{StoreError, UserId, causes};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use user::{PersonalDataRotation, RotatedBatch};

use crate::entity::user as row;
use crate::error::{commit_failed, database, duplicate_of};
use crate::users::{decrypt, encrypt};
use crate::{Database, StorageError};

/// How many users are looked at in a batch: their rows are locked together for some tens of milliseconds.
const USERS_A_BATCH: u64 = 100;

/// A row, and what it is to become.
struct Renewal {
    old: row::Model,
    new: row::Model,
}

#[async_trait]
impl PersonalDataRotation for Database {
    async fn rotate(&self, after: Option<UserId>) -> Result<RotatedBatch, StoreError> {
        let mut next = row::Entity::find().order_by_asc(row::Column::Id).limit(USERS_A_BATCH);
        if let Some(after) = after {
            next = next.filter(row::Column::Id.gt(after.as_uuid()));
        }
        let rows = next.all(&self.reader).await.map_err(database)?;
        let last = rows.last().map(|row| UserId::from_uuid(row.id));
        let mut batch = RotatedBatch { last, ..RotatedBatch::default() };
        let mut renewals = Vec::new();
        for old in rows {
            let current = self.cipher.is_current(&old.email) && self.cipher.is_current(&old.name);
            if current {
                continue;
            }
            match self.renew(&old) {
                Ok(new) => renewals.push(Renewal { old, new }),
                Err(error) => {
                    tracing::warn!(causes = causes(&error), "personal data stays under its key");
                    batch.left.push(UserId::from_uuid(old.id));
                }
            }
        }
        match self.store(&renewals, &mut batch).await {
            Err(StoreError::Duplicate(_)) => {
                // One of them, and one alone, has an address that another user has too.
                for renewal in renewals.chunks(1) {
                    match self.store(renewal, &mut batch).await {
                        Err(StoreError::Duplicate(_)) => batch.left.extend(renewal.iter().map(Renewal::user)),
                        stored => stored?,
                    }
                }
            }
            stored => stored?,
        }
        Ok(batch)
    }
}

impl Renewal {
    fn user(&self) -> UserId {
        UserId::from_uuid(self.old.id)
    }
}

impl Database {
    fn renew(&self, old: &row::Model) -> Result<row::Model, StorageError> {
        encrypt(&decrypt(old.clone(), &self.cipher)?, &self.cipher)
    }

    /// Stores renewals in one transaction and counts them in `batch`.
    async fn store(&self, renewals: &[Renewal], batch: &mut RotatedBatch) -> Result<(), StoreError> {
        if renewals.is_empty() {
            return Ok(());
        }
        let tx = self.begin_write().await.map_err(database)?;
        let mut overtaken = Vec::new();
        for Renewal { old, new } in renewals {
            let renewed = row::Entity::update_many()
                .col_expr(row::Column::EmailHash, new.email_hash.clone().into())
                .col_expr(row::Column::Email, new.email.clone().into())
                .col_expr(row::Column::Name, new.name.clone().into())
                .filter(row::Column::Id.eq(old.id))
                // No ciphertext is made twice: whoever has changed the row since has changed these.
                .filter(row::Column::Email.eq(old.email.clone()))
                .filter(row::Column::Name.eq(old.name.clone()))
                .exec(&tx)
                .await
                .map_err(|error| duplicate_of(error, "e-mail address"))?;
            if renewed.rows_affected != 1 {
                overtaken.push(UserId::from_uuid(old.id));
            }
        }
        tx.commit().await.map_err(commit_failed)?;
        batch.rotated += (renewals.len() - overtaken.len()) as u64;
        batch.left.extend(overtaken);
        Ok(())
    }
}
