//! What sold best, from the daily sums.

use async_trait::async_trait;
use kernel::{ProductId, StoreError};
use ranking::{Days, SalesRanking, TopSeller};
use sea_orm::prelude::Decimal;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement};
use uuid::Uuid;

use crate::convert::Place;
use crate::error::database;
use crate::{Database, StorageError};

/// Adds up a range of the primary key of `daily_sales` and looks each product up by its key.
const TOP_SELLERS: &str = "SELECT p.id, p.name, p.price, s.sold FROM \
     (SELECT product_id, CAST(SUM(quantity) AS SIGNED) AS sold FROM daily_sales \
     WHERE day >= ? AND day <= ? GROUP BY product_id) s \
     JOIN products p ON p.id = s.product_id WHERE p.status = 'ACTIVE' \
     ORDER BY s.sold DESC, p.id LIMIT ?";

#[async_trait]
impl SalesRanking for Database {
    async fn top_sellers(&self, days: Days, limit: u32) -> Result<Vec<TopSeller>, StoreError> {
        let values = [days.first.into(), days.last.into(), u64::from(limit).into()];
        let statement = Statement::from_sql_and_values(self.backend, TOP_SELLERS, values);
        let rows = self.reader.query_all_raw(statement).await.map_err(database)?;
        Ok(rows.iter().map(top_seller).collect::<Result<_, _>>()?)
    }
}

fn top_seller(row: &QueryResult) -> Result<TopSeller, StorageError> {
    let id: Uuid = row.try_get("", "id")?;
    let price: Decimal = row.try_get("", "price")?;
    Ok(TopSeller {
        product_id: ProductId::from_uuid(id),
        name: row.try_get("", "name")?,
        price: Place::new("products", id).money("price", price)?,
        sold: total(row, "sold", "daily_sales", id)?,
    })
}

/// Reads a sum of counts.
pub(crate) fn total(
    row: &QueryResult,
    column: &'static str,
    table: &'static str,
    key: Uuid,
) -> Result<u64, StorageError> {
    let sum: Result<i64, DbErr> = row.try_get("", column);
    u64::try_from(sum?).map_err(|error| Place::new(table, key).damaged(column, error))
}
