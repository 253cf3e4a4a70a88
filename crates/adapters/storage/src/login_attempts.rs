//! Tries at passwords, each in one of as many slots as there may be tries.

use async_trait::async_trait;
use kernel::StoreError;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use user::{Email, LoginAttempt, LoginAttemptRepository, LoginAttempts};

use crate::StorageError;
use crate::convert::Place;
use crate::entity::login_attempt as row;
use crate::error::database;
use crate::personal_data::Cipher;

/// Tries at passwords inside a transaction. They are found by the hash that users are found by.
pub(crate) struct Attempts<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
    pub(crate) cipher: &'t Cipher,
}

impl Attempts<'_> {
    fn at(&self, email: &Email) -> Condition {
        Condition::all().add(row::Column::EmailHash.eq(self.cipher.email_hash(email).to_vec()))
    }
}

#[async_trait]
impl LoginAttemptRepository for Attempts<'_> {
    async fn lock(&mut self, email: &Email) -> Result<LoginAttempts, StoreError> {
        let rows = row::Entity::find()
            .filter(self.at(email))
            .order_by_asc(row::Column::Slot)
            .lock_exclusive()
            .all(self.tx)
            .await
            .map_err(database)?;
        let slots = rows.into_iter().map(|row| {
            let place = Place::new("login_attempts", row.attempt_id);
            let slot = u8::try_from(row.slot).map_err(|error| place.damaged("slot", error))?;
            Ok((slot, LoginAttempt { id: row.attempt_id, at: row.attempted_at }))
        });
        Ok(LoginAttempts::new(slots.collect::<Result<Vec<_>, StorageError>>()?))
    }

    async fn put(
        &mut self,
        email: &Email,
        attempts: &LoginAttempts,
        slot: u8,
        attempt: LoginAttempt,
    ) -> Result<(), StoreError> {
        let Some(forgotten) = attempts.get(slot) else {
            let row = row::Model {
                email_hash: self.cipher.email_hash(email).to_vec(),
                slot: slot.into(),
                attempt_id: attempt.id,
                attempted_at: attempt.at,
            };
            // Where there was no row there was nothing to lock: the primary key decides.
            let inserted = row::Entity::insert(row.into_active_model()).exec_without_returning(self.tx).await;
            return inserted.map(|_| ()).map_err(database);
        };
        let taken = row::Entity::update_many()
            .col_expr(row::Column::AttemptId, attempt.id.into())
            .col_expr(row::Column::AttemptedAt, attempt.at.into())
            .filter(self.at(email))
            .filter(row::Column::Slot.eq(slot))
            .filter(row::Column::AttemptId.eq(forgotten.id))
            .exec(self.tx)
            .await
            .map_err(database)?;
        if taken.rows_affected != 1 {
            return Err(StorageError::Stale { table: "login_attempts" }.into());
        }
        Ok(())
    }

    async fn remove(&mut self, email: &Email, attempt: LoginAttempt) -> Result<(), StoreError> {
        let this = self.at(email).add(row::Column::AttemptId.eq(attempt.id));
        row::Entity::delete_many().filter(this).exec(self.tx).await.map_err(database)?;
        Ok(())
    }

    async fn clear(&mut self, email: &Email) -> Result<(), StoreError> {
        row::Entity::delete_many().filter(self.at(email)).exec(self.tx).await.map_err(database)?;
        Ok(())
    }
}
