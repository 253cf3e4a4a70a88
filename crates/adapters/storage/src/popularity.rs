//! Views, runs of the ranking batch, and the rankings that they publish.

use async_trait::async_trait;
use kernel::{ProductId, StoreError, Timestamp};
use ranking::{
    DailyViews, Days, Period, Popular, Popularity, PopularityStore, PublishedRanking, RankedProduct, Run,
    RunKey, RunStatus, SHOWN, ViewBatch,
};
use sea_orm::prelude::{Date, Decimal};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, QueryOrder, QueryResult, QuerySelect, Statement,
};
use uuid::Uuid;

use crate::convert::Place;
use crate::entity::{popular_product, product_view, ranking_run as run, view_batch};
use crate::error::{commit_failed, database, duplicate_of};
use crate::ranking::total;
use crate::{Database, StorageError, row_set};

/// How many runs of a period are kept, the latest ones.
const RUNS_KEPT: u64 = 10;

/// Sales and views of a range of days, added up for each product that is for sale.
const POPULARITY: &str = "SELECT p.id, CAST(SUM(c.sold) AS SIGNED) AS sold, CAST(SUM(c.views) AS SIGNED) AS views \
     FROM (SELECT product_id, quantity AS sold, 0 AS views FROM daily_sales WHERE day >= ? AND day <= ? \
     UNION ALL SELECT product_id, 0, views FROM product_views WHERE day >= ? AND day <= ?) c \
     JOIN products p ON p.id = c.product_id WHERE p.status = 'ACTIVE' GROUP BY p.id";

/// The products of a ranking that are for sale.
const PUBLISHED: &str = "SELECT p.id, p.name, p.price, r.sold, r.views FROM popular_products r \
     JOIN products p ON p.id = r.product_id \
     WHERE r.period = ? AND r.day = ? AND p.status = 'ACTIVE' ORDER BY r.place LIMIT ?";

#[async_trait]
impl PopularityStore for Database {
    async fn add_views(&self, batch: &ViewBatch, now: Timestamp) -> Result<bool, StoreError> {
        let tx = self.begin_write().await.map_err(database)?;
        // The name first: whoever tries the same at the same moment waits here, and then finds it.
        let name = view_batch::Model { id: batch.id.as_uuid(), stored_at: now };
        let named = view_batch::Entity::insert(name.into_active_model()).exec_without_returning(&tx).await;
        match named.map_err(|error| duplicate_of(error, "batch of views")) {
            Ok(_) => {}
            Err(StoreError::Duplicate(_)) => {
                tx.rollback().await.map_err(database)?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        let add_up = if self.has_row_locks() {
            "ON DUPLICATE KEY UPDATE views = views + VALUES(views)"
        } else {
            "ON CONFLICT (day, product_id) DO UPDATE SET views = views + excluded.views"
        };
        let rows: Vec<_> = batch.views.iter().map(view_row).collect();
        row_set::insert_or(&tx, &rows, add_up).await.map_err(database)?;
        tx.commit().await.map_err(commit_failed)?;
        Ok(true)
    }

    async fn forget_batches(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = view_batch::Column::StoredAt.lt(before);
        let forgotten = view_batch::Entity::delete_many().filter(old).exec(&self.writer).await;
        Ok(forgotten.map_err(database)?.rows_affected)
    }

    async fn popularity(&self, days: Days) -> Result<Vec<Popularity>, StoreError> {
        let values = [days.first, days.last, days.first, days.last].map(Into::into);
        let statement = Statement::from_sql_and_values(self.backend, POPULARITY, values);
        let rows = self.reader.query_all_raw(statement).await.map_err(database)?;
        Ok(rows.iter().map(popularity).collect::<Result<_, _>>()?)
    }

    async fn find_run(&self, key: RunKey) -> Result<Option<Run>, StoreError> {
        let row = run::Entity::find().filter(is(key)).one(&self.reader).await.map_err(database)?;
        Ok(row.map(|row| read_run(key, &row)).transpose()?)
    }

    async fn begin_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<Option<u32>, StoreError> {
        let fence = stored_fence(fence)?;
        let tx = self.begin_write().await.map_err(database)?;
        let again = run::Entity::update_many()
            .col_expr(run::Column::Status, RunStatus::Running.as_str().into())
            .col_expr(run::Column::Attempts, Expr::col(run::Column::Attempts).add(1))
            .col_expr(run::Column::Fence, fence.into())
            .col_expr(run::Column::StartedAt, now.into())
            .col_expr(run::Column::FinishedAt, None::<Timestamp>.into())
            .filter(is(key))
            .filter(run::Column::Status.ne(RunStatus::Done.as_str()))
            // The same fence may try again; a lower one lost its lock to whoever has this.
            .filter(run::Column::Fence.lte(fence))
            .exec(&tx)
            .await
            .map_err(database)?;
        let found = run::Entity::find().filter(is(key)).one(&tx).await.map_err(database)?;
        let attempts = match found {
            Some(row) if again.rows_affected == 1 => {
                Some(Place::new("ranking_runs", key.day).count("attempts", row.attempts)?)
            }
            Some(_) => None,
            None => {
                // Should another one begin it at this moment, that is told as contention.
                new_run(key, fence, now).into_active_model().insert(&tx).await.map_err(database)?;
                Some(1)
            }
        };
        tx.commit().await.map_err(commit_failed)?;
        Ok(attempts)
    }

    async fn finish_run(
        &self,
        key: RunKey,
        fence: u64,
        ranking: &[RankedProduct],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_write().await.map_err(database)?;
        if !end_run(&tx, key, stored_fence(fence)?, RunStatus::Done, now).await.map_err(database)? {
            tx.rollback().await.map_err(database)?;
            return Ok(false);
        }
        let rows = ranking.iter().map(|ranked| new_place(key, ranked));
        let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
        row_set::insert(&tx, &rows).await.map_err(database)?;
        remove_old_runs(&tx, key).await.map_err(database)?;
        tx.commit().await.map_err(commit_failed)?;
        Ok(true)
    }

    async fn fail_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<(), StoreError> {
        let tx = self.begin_write().await.map_err(database)?;
        end_run(&tx, key, stored_fence(fence)?, RunStatus::Failed, now).await.map_err(database)?;
        tx.commit().await.map_err(commit_failed)
    }

    async fn published(&self, period: Period) -> Result<Option<PublishedRanking>, StoreError> {
        let latest = run::Entity::find()
            .filter(run::Column::Period.eq(period.as_str()))
            .filter(run::Column::Status.eq(RunStatus::Done.as_str()))
            .order_by_desc(run::Column::Day)
            .one(&self.reader)
            .await
            .map_err(database)?;
        // The ranking of a run that is done never changes, so it may be read on its own.
        let Some((day, Some(finished_at))) = latest.map(|row| (row.day, row.finished_at)) else {
            return Ok(None);
        };
        let values = [period.as_str().into(), day.into(), (SHOWN as u64).into()];
        let statement = Statement::from_sql_and_values(self.backend, PUBLISHED, values);
        let rows = self.reader.query_all_raw(statement).await.map_err(database)?;
        let products = rows.iter().map(popular).collect::<Result<_, _>>()?;
        Ok(Some(PublishedRanking { finished_at, products }))
    }
}

fn is(key: RunKey) -> Condition {
    Condition::all().add(run::Column::Period.eq(key.period.as_str())).add(run::Column::Day.eq(key.day))
}

/// A fence as the column holds it.
fn stored_fence(fence: u64) -> Result<i64, StoreError> {
    i64::try_from(fence).map_err(|error| StoreError::Internal(Box::new(error)))
}

fn new_run(key: RunKey, fence: i64, now: Timestamp) -> run::Model {
    run::Model {
        period: key.period.as_str().to_owned(),
        day: key.day,
        status: RunStatus::Running.as_str().to_owned(),
        attempts: 1,
        fence,
        started_at: now,
        finished_at: None,
    }
}

fn read_run(key: RunKey, row: &run::Model) -> Result<Run, StorageError> {
    let place = Place::new("ranking_runs", format!("{}/{}", row.period, row.day));
    Ok(Run {
        key,
        status: place.word("status", &row.status, RunStatus::parse)?,
        attempts: place.count("attempts", row.attempts)?,
        fence: u64::try_from(row.fence).map_err(|error| place.damaged("fence", error))?,
        started_at: row.started_at,
        finished_at: row.finished_at,
    })
}

/// Ends a run if it is at work under this very fence, and tells whether it was.
async fn end_run(
    tx: &DatabaseTransaction,
    key: RunKey,
    fence: i64,
    status: RunStatus,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let ended = run::Entity::update_many()
        .col_expr(run::Column::Status, status.as_str().into())
        .col_expr(run::Column::FinishedAt, now.into())
        .filter(is(key))
        .filter(run::Column::Status.eq(RunStatus::Running.as_str()))
        // ADR-032: a late writer has an older fence than whoever began the run after it.
        .filter(run::Column::Fence.eq(fence))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected == 1)
}

fn view_row(views: &DailyViews) -> product_view::Model {
    product_view::Model { day: views.day, product_id: views.product_id.as_uuid(), views: views.count.into() }
}

fn new_place(key: RunKey, ranked: &RankedProduct) -> Result<popular_product::Model, StoreError> {
    let stored = |count: u64| i64::try_from(count).map_err(|error| StoreError::Internal(Box::new(error)));
    Ok(popular_product::Model {
        period: key.period.as_str().to_owned(),
        day: key.day,
        place: ranked.place.into(),
        product_id: ranked.popularity.product_id.as_uuid(),
        sold: stored(ranked.popularity.sold)?,
        views: stored(ranked.popularity.views)?,
        score_tenths: stored(ranked.popularity.score().tenths())?,
    })
}

/// Removes what comes before the latest runs of a period, never the run itself.
async fn remove_old_runs(tx: &DatabaseTransaction, key: RunKey) -> Result<(), DbErr> {
    let oldest_kept: Option<Date> = run::Entity::find()
        .select_only()
        .column(run::Column::Day)
        .filter(run::Column::Period.eq(key.period.as_str()))
        .order_by_desc(run::Column::Day)
        .offset(RUNS_KEPT - 1)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    let Some(before) = oldest_kept.map(|day| Ord::min(day, key.day)) else { return Ok(()) };
    popular_product::Entity::delete_many()
        .filter(popular_product::Column::Period.eq(key.period.as_str()))
        .filter(popular_product::Column::Day.lt(before))
        .exec(tx)
        .await?;
    run::Entity::delete_many()
        .filter(run::Column::Period.eq(key.period.as_str()))
        .filter(run::Column::Day.lt(before))
        .exec(tx)
        .await?;
    Ok(())
}

fn popularity(row: &QueryResult) -> Result<Popularity, StorageError> {
    let id: Uuid = row.try_get("", "id")?;
    Ok(Popularity {
        product_id: ProductId::from_uuid(id),
        sold: total(row, "sold", "daily_sales", id)?,
        views: total(row, "views", "product_views", id)?,
    })
}

fn popular(row: &QueryResult) -> Result<Popular, StorageError> {
    let id: Uuid = row.try_get("", "id")?;
    let price: Decimal = row.try_get("", "price")?;
    Ok(Popular {
        product_id: ProductId::from_uuid(id),
        name: row.try_get("", "name")?,
        price: Place::new("products", id).money("price", price)?,
        sold: total(row, "sold", "popular_products", id)?,
        views: total(row, "views", "popular_products", id)?,
    })
}
