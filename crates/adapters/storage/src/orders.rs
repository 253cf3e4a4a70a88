//! Orders with their lines and their history inside a transaction.

use std::collections::BTreeSet;

use async_trait::async_trait;
use kernel::{OrderId, StoreError, Timestamp};
use order::{Order, OrderRepository, StatusChange};
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entity::order as row;
use crate::error::database;
use crate::order_rows::{history_row, item_rows, order_row, with_lines};
use crate::row_set::{self, Change};

/// Orders inside a transaction.
pub(crate) struct Orders<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl OrderRepository for Orders<'_> {
    async fn insert(&mut self, orders: &[Order], history: &[StatusChange]) -> Result<(), StoreError> {
        let rows: Vec<_> = orders.iter().map(order_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)?;
        let items: Vec<_> = orders.iter().flat_map(item_rows).collect();
        row_set::insert(self.tx, &items).await.map_err(database)?;
        self.explain(history).await
    }

    async fn lock(&mut self, ids: &BTreeSet<OrderId>) -> Result<Vec<Order>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = row::Entity::find()
            .filter(row::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
            .order_by_asc(row::Column::Id)
            .lock_exclusive()
            .all(self.tx)
            .await
            .map_err(database)?;
        with_lines(self.tx, rows).await
    }

    async fn lock_overdue(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Order>, StoreError> {
        let rows = row::Entity::find()
            .filter(row::Column::ExpiresAt.lte(now))
            .order_by_asc(row::Column::ExpiresAt)
            .limit(u64::from(limit))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(self.tx)
            .await
            .map_err(database)?;
        let mut orders = with_lines(self.tx, rows).await?;
        orders.sort_by_key(|order| order.id);
        Ok(orders)
    }

    async fn save(&mut self, orders: &[Order], history: &[StatusChange]) -> Result<(), StoreError> {
        let changes: Vec<Change> = orders
            .iter()
            .map(|order| Change {
                was: vec![order.id.as_uuid().into(), (i64::from(order.version) - 1).into()],
                becomes: vec![
                    order.status.as_str().into(),
                    Decimal::from(order.paid).into(),
                    order.expires_at.into(),
                    i64::from(order.version).into(),
                ],
            })
            .collect();
        let columns = [row::Column::Status, row::Column::Paid, row::Column::ExpiresAt, row::Column::Version];
        let guard = [row::Column::Id, row::Column::Version];
        row_set::change::<row::Entity>(self.tx, &guard, &columns, &changes).await?;
        self.explain(history).await
    }
}

impl Orders<'_> {
    async fn explain(&self, history: &[StatusChange]) -> Result<(), StoreError> {
        let changes: Vec<_> = history.iter().map(history_row).collect();
        row_set::insert(self.tx, &changes).await.map_err(database)
    }
}
