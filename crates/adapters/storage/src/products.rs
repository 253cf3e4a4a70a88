//! Products and the ledger of their stock inside a transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use kernel::{ProductId, StoreError};
use product::{
    AdjustmentReason, Product, ProductName, ProductRepository, ProductState, ProductStatus, StockCause,
    StockMovement,
};
use sea_orm::DatabaseTransaction;
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::LockType;

use crate::StorageError;
use crate::convert::Place;
use crate::entity::{product as row, stock_ledger};
use crate::error::database;
use crate::row_set::{self, Change};

impl TryFrom<row::Model> for Product {
    type Error = StorageError;

    fn try_from(row: row::Model) -> Result<Self, StorageError> {
        let place = Place::new("products", row.id);
        let state = ProductState {
            id: ProductId::from_uuid(row.id),
            name: ProductName::new(&row.name).map_err(|error| place.damaged("name", error))?,
            price: place.money("price", row.price)?,
            stock: place.count("stock", row.stock)?,
            status: place.word("status", &row.status, ProductStatus::parse)?,
            version: place.count("version", row.version)?,
            stock_version: place.count("stock_version", row.stock_version)?,
            event_sequence: place.count("event_sequence", row.event_sequence)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        Self::restore(state).map_err(|error| place.damaged("stock", error))
    }
}

/// Products inside a transaction.
pub(crate) struct Products<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl ProductRepository for Products<'_> {
    async fn read(&mut self, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, StoreError> {
        self.select(ids, None).await
    }

    async fn lock(&mut self, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, StoreError> {
        self.select(ids, Some(LockType::Update)).await
    }

    async fn insert(&mut self, products: &[Product]) -> Result<(), StoreError> {
        let rows: Vec<_> = products.iter().map(new_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)
    }

    async fn save(&mut self, products: &[Product]) -> Result<(), StoreError> {
        let changes: Vec<Change> = products
            .iter()
            .map(|product| Change {
                was: vec![product.id.as_uuid().into(), (i64::from(product.version) - 1).into()],
                becomes: vec![
                    product.name.as_str().into(),
                    Decimal::from(product.price).into(),
                    product.status.as_str().into(),
                    i64::from(product.event_sequence).into(),
                    product.updated_at.into(),
                    i64::from(product.version).into(),
                ],
            })
            .collect();
        let columns = [
            row::Column::Name,
            row::Column::Price,
            row::Column::Status,
            row::Column::EventSequence,
            row::Column::UpdatedAt,
            row::Column::Version,
        ];
        let guard = [row::Column::Id, row::Column::Version];
        Ok(row_set::change::<row::Entity>(self.tx, &guard, &columns, &changes).await?)
    }

    async fn move_stock(&mut self, movements: &[StockMovement]) -> Result<(), StoreError> {
        let mut spans: BTreeMap<ProductId, (&StockMovement, &StockMovement)> = BTreeMap::new();
        for movement in movements {
            spans.entry(movement.product_id).or_insert((movement, movement)).1 = movement;
        }
        let changes: Vec<Change> = spans
            .values()
            .map(|(first, last)| Change {
                was: vec![first.product_id.as_uuid().into(), (i64::from(first.sequence) - 1).into()],
                becomes: vec![i64::from(last.balance_after).into(), i64::from(last.sequence).into()],
            })
            .collect();
        // ADR-018: the movements apply only to the very stock that they were decided on.
        let columns = [row::Column::Stock, row::Column::StockVersion];
        let guard = [row::Column::Id, row::Column::StockVersion];
        row_set::change::<row::Entity>(self.tx, &guard, &columns, &changes).await?;
        let rows: Vec<_> = movements.iter().map(ledger_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)
    }
}

impl Products<'_> {
    async fn select(
        &self,
        ids: &BTreeSet<ProductId>,
        lock: Option<LockType>,
    ) -> Result<Vec<Product>, StoreError> {
        let ids = ids.iter().map(|id| id.as_uuid());
        let rows = row_set::select::<row::Entity>(self.tx, row::Column::Id, ids, lock).await;
        let rows = rows.map_err(database)?;
        Ok(rows.into_iter().map(Product::try_from).collect::<Result<_, _>>()?)
    }
}

/// A product as it is before its first movement of stock.
fn new_row(product: &Product) -> row::Model {
    row::Model {
        id: product.id.as_uuid(),
        name: product.name.to_string(),
        price: product.price.into(),
        stock: 0,
        status: product.status.as_str().to_owned(),
        version: product.version.into(),
        stock_version: 0,
        event_sequence: product.event_sequence.into(),
        created_at: product.created_at,
        updated_at: product.updated_at,
    }
}

fn ledger_row(movement: &StockMovement) -> stock_ledger::Model {
    let (cause, reason, order_id) = match &movement.cause {
        StockCause::Created => ("CREATED", None, None),
        StockCause::Adjusted(reason) => ("ADJUSTED", Some(AdjustmentReason::as_str(reason).to_owned()), None),
        StockCause::Ordered(order) => ("ORDERED", None, Some(order.as_uuid())),
        StockCause::Returned(order) => ("RETURNED", None, Some(order.as_uuid())),
    };
    stock_ledger::Model {
        product_id: movement.product_id.as_uuid(),
        sequence: movement.sequence.into(),
        delta: movement.delta,
        balance_after: movement.balance_after.into(),
        cause: cause.to_owned(),
        reason,
        order_id,
        created_at: movement.created_at,
    }
}
