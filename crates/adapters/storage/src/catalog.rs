//! Products for readers.

use std::collections::HashMap;

use async_trait::async_trait;
use kernel::{PageRequest, ProductId, StoreError};
use product::{ListedProduct, Product, ProductCatalog, ProductFilter, ProductSort, ProductStatus};
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{
    ColumnTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use uuid::Uuid;

use crate::Database;
use crate::convert::Place;
use crate::entity::product as row;
use crate::error::database;
use crate::id_lists::id_lists;

#[async_trait]
impl ProductCatalog for Database {
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let row = row::Entity::find_by_id(id.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(row.map(Product::try_from).transpose()?)
    }

    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let mut products = Vec::with_capacity(ids.len());
        for ids in id_lists(ids.iter().map(|id| id.as_uuid())) {
            let rows = row::Entity::find().filter(row::Column::Id.is_in(ids)).all(&self.reader).await;
            for row in rows.map_err(database)? {
                products.push(Product::try_from(row)?);
            }
        }
        Ok(products)
    }

    async fn list(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        page: PageRequest,
    ) -> Result<Vec<ListedProduct>, StoreError> {
        let (column, order) = match sort {
            ProductSort::NewestFirst => (row::Column::CreatedAt, Order::Desc),
            ProductSort::OldestFirst => (row::Column::CreatedAt, Order::Asc),
            ProductSort::PriceAscending => (row::Column::Price, Order::Asc),
            ProductSort::PriceDescending => (row::Column::Price, Order::Desc),
            ProductSort::NameAscending => (row::Column::Name, Order::Asc),
            ProductSort::NameDescending => (row::Column::Name, Order::Desc),
        };
        let rows = matching(filter)
            .order_by(column, order.clone())
            .order_by(row::Column::Id, order)
            .offset(page.offset())
            .limit(u64::from(page.size.get()))
            .all(&self.reader)
            .await
            .map_err(database)?;
        let listed = rows.into_iter().map(|row| Product::try_from(row).map(|product| listed(&product)));
        Ok(listed.collect::<Result<_, _>>()?)
    }

    async fn stock(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, u32>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in id_lists(ids.iter().map(|id| id.as_uuid())) {
            let rows: Vec<(Uuid, i64)> = row::Entity::find()
                .select_only()
                .columns([row::Column::Id, row::Column::Stock])
                .filter(row::Column::Id.is_in(ids))
                .filter(row::Column::Status.eq(ProductStatus::Active.as_str()))
                .into_tuple()
                .all(&self.reader)
                .await
                .map_err(database)?;
            for (id, stock) in rows {
                let stock = u32::try_from(stock)
                    .map_err(|error| Place::new("products", id).damaged("stock", error))?;
                found.insert(ProductId::from_uuid(id), stock);
            }
        }
        Ok(found)
    }

    async fn count(&self, filter: &ProductFilter) -> Result<u64, StoreError> {
        matching(filter).count(&self.reader).await.map_err(database)
    }
}

fn listed(product: &Product) -> ListedProduct {
    ListedProduct {
        id: product.id,
        name: product.name.clone(),
        price: product.price,
        stock: product.stock,
        created_at: product.created_at,
    }
}

/// The ACTIVE products that match a filter.
fn matching(filter: &ProductFilter) -> Select<row::Entity> {
    let mut select = row::Entity::find().filter(row::Column::Status.eq(ProductStatus::Active.as_str()));
    if let Some(text) = &filter.name_contains {
        let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{escaped}%")).escape('\\');
        select = select.filter(Expr::expr(Func::lower(Expr::col(row::Column::Name))).like(pattern));
    }
    if let Some(price) = filter.min_price {
        select = select.filter(row::Column::Price.gte(Decimal::from(price)));
    }
    if let Some(price) = filter.max_price {
        select = select.filter(row::Column::Price.lte(Decimal::from(price)));
    }
    match filter.in_stock {
        Some(true) => select.filter(row::Column::Stock.gt(0)),
        Some(false) => select.filter(row::Column::Stock.eq(0)),
        None => select,
    }
}
