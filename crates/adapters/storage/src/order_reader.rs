//! Orders for readers.

use async_trait::async_trait;
use kernel::{CursorPage, OrderId, PageSize, StoreError};
use order::{Order, OrderCursor, OrderFilter, OrderReader, StatusChange};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::entity::{order as row, order_status_history};
use crate::error::database;
use crate::id_lists::id_lists;
use crate::order_rows::with_lines;
use crate::{Database, newest_first};

#[async_trait]
impl OrderReader for Database {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(with_lines(&self.reader, row.into_iter().collect()).await?.pop())
    }

    async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let mut orders = Vec::with_capacity(ids.len());
        for ids in id_lists(ids.iter().map(|id| id.as_uuid())) {
            let rows = row::Entity::find().filter(row::Column::Id.is_in(ids)).all(&self.reader).await;
            orders.extend(with_lines(&self.reader, rows.map_err(database)?).await?);
        }
        Ok(orders)
    }

    async fn list(
        &self,
        filter: &OrderFilter,
        after: Option<OrderCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Order, OrderCursor>, StoreError> {
        let mut select = row::Entity::find().filter(row::Column::UserId.eq(filter.user_id.as_uuid()));
        if let Some(status) = filter.status {
            select = select.filter(row::Column::Status.eq(status.as_str()));
        }
        if let Some(from) = filter.from {
            select = select.filter(row::Column::CreatedAt.gte(from));
        }
        if let Some(to) = filter.to {
            select = select.filter(row::Column::CreatedAt.lt(to));
        }
        let after = after.map(|OrderCursor { created_at, id }| (created_at, id.as_uuid()));
        let page = newest_first::page(select, (row::Column::CreatedAt, row::Column::Id), after, size);
        let rows = page.all(&self.reader).await.map_err(database)?;
        let orders = with_lines(&self.reader, rows).await?;
        Ok(CursorPage::from_overfetched(orders, size, |order| OrderCursor {
            created_at: order.created_at,
            id: order.id,
        }))
    }

    async fn history(&self, id: OrderId) -> Result<Vec<StatusChange>, StoreError> {
        let rows = order_status_history::Entity::find()
            .filter(order_status_history::Column::OrderId.eq(id.as_uuid()))
            .order_by_asc(order_status_history::Column::Sequence)
            .all(&self.reader)
            .await
            .map_err(database)?;
        Ok(rows.into_iter().map(StatusChange::try_from).collect::<Result<_, _>>()?)
    }
}
