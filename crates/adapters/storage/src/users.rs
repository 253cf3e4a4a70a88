//! Users, their personal data encrypted.

use std::collections::HashMap;

use async_trait::async_trait;
use kernel::{StoreError, UserId};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use user::{Credentials, Email, PasswordHash, Role, User, UserDirectory, UserName, UserRepository};
use uuid::Uuid;

use crate::convert::Place;
use crate::entity::user as row;
use crate::error::{database, duplicate_of};
use crate::id_lists::id_lists;
use crate::personal_data::Cipher;
use crate::{Database, StorageError, row_set};

/// Users inside a transaction.
pub(crate) struct Users<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
    pub(crate) cipher: &'t Cipher,
}

#[async_trait]
impl UserRepository for Users<'_> {
    async fn insert(&mut self, users: &[User]) -> Result<(), StoreError> {
        let rows =
            users.iter().map(|user| encrypt(user, self.cipher)).collect::<Result<Vec<_>, StorageError>>()?;
        row_set::insert(self.tx, &rows).await.map_err(|error| duplicate_of(error, TAKEN))?;
        self.refuse_the_previous_keys(users).await
    }
}

/// What belongs to one user.
const TAKEN: &str = "e-mail address";
/// How many addresses a SELECT looks for at most.
const ADDRESSES_A_STATEMENT: usize = 500;

impl Users<'_> {
    /// Looks for the addresses in rows under the previous key, which the unique index cannot compare.
    ///
    /// ADR-036: after the INSERT, and locking. So whoever registers the same address under the other key at
    /// the same time, or brings its row under this one, is waited for or waits.
    async fn refuse_the_previous_keys(&self, users: &[User]) -> Result<(), StoreError> {
        let hashes: Vec<_> =
            users.iter().filter_map(|user| self.cipher.previous_email_hash(&user.email)).collect();
        for hashes in hashes.chunks(ADDRESSES_A_STATEMENT) {
            let taken: Option<Uuid> = row::Entity::find()
                .select_only()
                .column(row::Column::Id)
                .filter(row::Column::EmailHash.is_in(hashes.iter().map(|hash| hash.to_vec())))
                .lock_exclusive()
                .into_tuple()
                .one(self.tx)
                .await
                .map_err(database)?;
            if taken.is_some() {
                return Err(StoreError::Duplicate(TAKEN));
            }
        }
        Ok(())
    }
}

pub(crate) fn encrypt(user: &User, cipher: &Cipher) -> Result<row::Model, StorageError> {
    let id = user.id.as_uuid();
    Ok(row::Model {
        id,
        email_hash: cipher.email_hash(&user.email).to_vec(),
        email: cipher.encrypt(user.email.as_str(), "users.email", id)?,
        name: cipher.encrypt(user.name.as_str(), "users.name", id)?,
        password_hash: user.password_hash.as_phc().to_owned(),
        role: user.role.as_str().to_owned(),
        created_at: user.created_at,
    })
}

pub(crate) fn decrypt(row: row::Model, cipher: &Cipher) -> Result<User, StorageError> {
    let place = Place::new("users", row.id);
    let email = cipher.decrypt(&row.email, "users.email", row.id)?;
    let name = cipher.decrypt(&row.name, "users.name", row.id)?;
    Ok(User {
        id: UserId::from_uuid(row.id),
        email: Email::new(&email).map_err(|error| place.damaged("email", error))?,
        name: UserName::new(&name).map_err(|error| place.damaged("name", error))?,
        role: place.word("role", &row.role, Role::parse)?,
        password_hash: PasswordHash::from_phc(row.password_hash),
        created_at: row.created_at,
    })
}

#[async_trait]
impl UserDirectory for Database {
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(row.map(|row| decrypt(row, &self.cipher)).transpose()?)
    }

    async fn role(&self, id: UserId) -> Result<Option<Role>, StoreError> {
        Ok(self.roles(&[id]).await?.remove(&id))
    }

    async fn roles(&self, ids: &[UserId]) -> Result<HashMap<UserId, Role>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in id_lists(ids.iter().map(|id| id.as_uuid())) {
            let rows: Vec<(Uuid, String)> = row::Entity::find()
                .select_only()
                .columns([row::Column::Id, row::Column::Role])
                .filter(row::Column::Id.is_in(ids))
                .into_tuple()
                .all(&self.reader)
                .await
                .map_err(database)?;
            for (id, role) in rows {
                let role = Place::new("users", id).word("role", &role, Role::parse)?;
                found.insert(UserId::from_uuid(id), role);
            }
        }
        Ok(found)
    }

    async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError> {
        let current = self.cipher.email_hash(email).to_vec();
        let previous = self.cipher.previous_email_hash(email).map(|hash| hash.to_vec());
        let found: Vec<(Uuid, Vec<u8>, String)> = row::Entity::find()
            .select_only()
            .columns([row::Column::Id, row::Column::EmailHash, row::Column::PasswordHash])
            .filter(row::Column::EmailHash.is_in(std::iter::once(current.clone()).chain(previous)))
            .into_tuple()
            .all(&self.reader)
            .await
            .map_err(database)?;
        // There is one, unless a program that knew one key alone has let in a second (ADR-036).
        let found = found.into_iter().max_by_key(|(_, hash, _)| *hash == current);
        Ok(found.map(|(id, _, password_hash)| Credentials {
            user_id: UserId::from_uuid(id),
            password_hash: PasswordHash::from_phc(password_hash),
        }))
    }
}
