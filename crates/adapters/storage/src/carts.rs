//! Carts with what is in them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart::{Cart, CartLine, CartReader, CartRepository, CartState};
use kernel::{ProductId, StoreError, UserId};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::convert::Place;
use crate::entity::{cart as row, cart_item};
use crate::error::database;
use crate::row_set::{self, Change};
use crate::{Database, StorageError};

/// Carts inside a transaction.
pub(crate) struct Carts<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl CartRepository for Carts<'_> {
    async fn lock(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Cart>, StoreError> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let rows = row::Entity::find()
            .filter(row::Column::UserId.is_in(users.iter().map(|user| user.as_uuid())))
            .order_by_asc(row::Column::UserId)
            .lock_exclusive()
            .all(self.tx)
            .await
            .map_err(database)?;
        // The lines follow the row of their cart, which is locked: they cannot change meanwhile.
        let mut items: BTreeMap<Uuid, Vec<cart_item::Model>> = BTreeMap::new();
        if !rows.is_empty() {
            let found = cart_item::Entity::find()
                .filter(cart_item::Column::UserId.is_in(rows.iter().map(|row| row.user_id)))
                .all(self.tx)
                .await
                .map_err(database)?;
            for item in found {
                items.entry(item.user_id).or_default().push(item);
            }
        }
        let mut carts = BTreeMap::new();
        for row in rows {
            let items = items.remove(&row.user_id).unwrap_or_default();
            carts.insert(UserId::from_uuid(row.user_id), restore(&row, items)?);
        }
        Ok(users.iter().map(|user| carts.remove(user).unwrap_or_else(|| Cart::empty(*user))).collect())
    }

    async fn save(&mut self, carts: &[Cart]) -> Result<(), StoreError> {
        if carts.is_empty() {
            return Ok(());
        }
        let (new, known): (Vec<&Cart>, Vec<&Cart>) = carts.iter().partition(|cart| cart.version == 1);
        let changes: Vec<Change> = known
            .iter()
            .map(|cart| Change {
                was: vec![cart.user_id.as_uuid().into(), (i64::from(cart.version) - 1).into()],
                becomes: vec![i64::from(cart.version).into(), cart.updated_at.into()],
            })
            .collect();
        let columns = [row::Column::Version, row::Column::UpdatedAt];
        let guard = [row::Column::UserId, row::Column::Version];
        row_set::change::<row::Entity>(self.tx, &guard, &columns, &changes).await?;
        let rows: Vec<_> = new.into_iter().map(cart_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)?;
        if !known.is_empty() {
            cart_item::Entity::delete_many()
                .filter(cart_item::Column::UserId.is_in(known.iter().map(|cart| cart.user_id.as_uuid())))
                .exec(self.tx)
                .await
                .map_err(database)?;
        }
        let items: Vec<_> = carts.iter().flat_map(item_rows).collect();
        row_set::insert(self.tx, &items).await.map_err(database)
    }
}

#[async_trait]
impl CartReader for Database {
    async fn cart(&self, user: UserId) -> Result<Cart, StoreError> {
        // One statement: between two of them the cart might change, and its version tell of other lines.
        let found = row::Entity::find_by_id(user.as_uuid())
            .find_with_related(cart_item::Entity)
            .all(&self.reader)
            .await
            .map_err(database)?;
        let cart = found.into_iter().next().map(|(row, items)| restore(&row, items)).transpose()?;
        Ok(cart.unwrap_or_else(|| Cart::empty(user)))
    }
}

fn restore(row: &row::Model, items: Vec<cart_item::Model>) -> Result<Cart, StorageError> {
    let place = Place::new("carts", row.user_id);
    let state = CartState {
        user_id: UserId::from_uuid(row.user_id),
        version: place.count("version", row.version)?,
        lines: items.into_iter().map(CartLine::try_from).collect::<Result<_, _>>()?,
        updated_at: row.updated_at,
    };
    Cart::restore(state).map_err(|error| place.damaged("version", error))
}

impl TryFrom<cart_item::Model> for CartLine {
    type Error = StorageError;

    fn try_from(row: cart_item::Model) -> Result<Self, StorageError> {
        let place = Place::new("cart_items", format!("{}/{}", row.user_id, row.product_id));
        Ok(Self {
            product_id: ProductId::from_uuid(row.product_id),
            quantity: place.count("quantity", row.quantity)?,
            unit_price: place.money("unit_price", row.unit_price)?,
            name: row.name,
            added_at: row.added_at,
        })
    }
}

fn cart_row(cart: &Cart) -> row::Model {
    row::Model { user_id: cart.user_id.as_uuid(), version: cart.version.into(), updated_at: cart.updated_at }
}

fn item_rows(cart: &Cart) -> impl Iterator<Item = cart_item::Model> {
    cart.lines.iter().map(|line| cart_item::Model {
        user_id: cart.user_id.as_uuid(),
        product_id: line.product_id.as_uuid(),
        quantity: line.quantity.into(),
        unit_price: line.unit_price.into(),
        name: line.name.clone(),
        added_at: line.added_at,
    })
}
