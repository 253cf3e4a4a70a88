//! Users, their personal data encrypted.

use async_trait::async_trait;
use kernel::{StoreError, UserId};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use user::{Email, PasswordHash, Role, User, UserDirectory, UserName, UserRepository};

use crate::convert::Place;
use crate::entity::user as row;
use crate::error::{database, duplicate_of};
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
        let rows = users
            .iter()
            .map(|user| Ok(encrypt(user, self.cipher)?.into_active_model()))
            .collect::<Result<Vec<_>, StorageError>>()?;
        row_set::insert(self.tx, rows).await.map_err(|error| duplicate_of(error, "e-mail address"))
    }
}

fn encrypt(user: &User, cipher: &Cipher) -> Result<row::Model, StorageError> {
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

fn decrypt(row: row::Model, cipher: &Cipher) -> Result<User, StorageError> {
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
        let role: Option<String> = row::Entity::find()
            .select_only()
            .column(row::Column::Role)
            .filter(row::Column::Id.eq(id.as_uuid()))
            .into_tuple()
            .one(&self.reader)
            .await
            .map_err(database)?;
        let place = Place::new("users", id);
        Ok(role.map(|role| place.word("role", &role, Role::parse)).transpose()?)
    }
}
