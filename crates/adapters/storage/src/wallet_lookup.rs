//! Wallets of several users for readers.

use std::collections::HashMap;

use async_trait::async_trait;
use kernel::{StoreError, UserId};
use point::{Wallet, WalletLookup};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::Database;
use crate::entity::wallet as row;
use crate::error::database;
use crate::id_lists::id_lists;

#[async_trait]
impl WalletLookup for Database {
    async fn wallets(&self, users: &[UserId]) -> Result<HashMap<UserId, Wallet>, StoreError> {
        let mut found = HashMap::with_capacity(users.len());
        for ids in id_lists(users.iter().map(|user| user.as_uuid())) {
            let rows = row::Entity::find().filter(row::Column::UserId.is_in(ids)).all(&self.reader).await;
            for row in rows.map_err(database)? {
                let wallet = Wallet::try_from(row)?;
                found.insert(wallet.user_id(), wallet);
            }
        }
        Ok(found)
    }
}
