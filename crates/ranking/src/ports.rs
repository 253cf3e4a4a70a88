//! What the rankings need from a database.

use async_trait::async_trait;
use kernel::{Money, ProductId, StoreError, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Days, Period, Popularity, RankedProduct, RunKey, ViewBatch};

/// A product and how much was sold of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopSeller {
    /// The product.
    pub product_id: ProductId,
    /// Its name now.
    pub name: String,
    /// Its price now.
    pub price: Money,
    /// How many pieces were sold.
    pub sold: u64,
}

/// Ranks by what was sold, from the daily sums.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SalesRanking: Send + Sync {
    /// Returns at most `limit` ACTIVE products of which something was sold on these days, those with the
    /// most pieces first and equal ones by id. Never reads an order.
    async fn top_sellers(&self, days: Days, limit: u32) -> Result<Vec<TopSeller>, StoreError>;
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Somebody is at it, or died at it.
    Running,
    /// Its ranking is stored.
    Done,
    /// Its last attempt failed.
    Failed,
}

impl RunStatus {
    /// Returns the word by which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
        }
    }

    /// Reads the word by which it is stored.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Done, Self::Failed].into_iter().find(|status| status.as_str() == word)
    }
}

/// A run of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub key: RunKey,
    /// How far it has come.
    pub status: RunStatus,
    /// How often it was begun, from 1.
    pub attempts: u32,
    /// The fencing token of whoever began it last.
    pub fence: u64,
    /// When it was begun last.
    pub started_at: Timestamp,
    /// When it ended, well or badly.
    pub finished_at: Option<Timestamp>,
}

/// A product of a published ranking, as it is called and priced now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Popular {
    /// The product.
    pub product_id: ProductId,
    /// Its name now.
    pub name: String,
    /// Its price now.
    pub price: Money,
    /// How many pieces were sold in the days of the ranking.
    pub sold: u64,
    /// How often it was looked at in these days.
    pub views: u64,
}

/// A ranking that a run has stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRanking {
    /// When the run was done.
    pub finished_at: Timestamp,
    /// The products that are still for sale, the most popular first.
    pub products: Vec<Popular>,
}

/// Views, runs of the batch and what they rank.
///
/// A run belongs to whoever began it with the highest fence. Whoever lost its lock and goes on all the
/// same has a lower one and changes nothing any more, however late it writes.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PopularityStore: Send + Sync {
    /// Adds the views of a batch, all or none. Returns `false`, and adds nothing, if the batch was added
    /// before, whoever else tries the same at the same moment.
    async fn add_views(&self, batch: &ViewBatch, now: Timestamp) -> Result<bool, StoreError>;

    /// Forgets the names of batches that were added before `before`, and returns how many.
    async fn forget_batches(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Returns for each ACTIVE product that was sold or looked at on these days how often, in no order.
    async fn popularity(&self, days: Days) -> Result<Vec<Popularity>, StoreError>;

    /// Returns a run, if it was ever begun.
    async fn find_run(&self, key: RunKey) -> Result<Option<Run>, StoreError>;

    /// Begins a run, or begins it again, and returns which attempt this is. Returns `None`, and changes
    /// nothing, if the run is done or somebody with a higher fence has begun it.
    async fn begin_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<Option<u32>, StoreError>;

    /// Stores the ranking of a run and marks it done, at once. Returns `false`, and changes nothing,
    /// unless the run is at work under this very fence. Old rankings of the period are removed.
    async fn finish_run(
        &self,
        key: RunKey,
        fence: u64,
        ranking: &[RankedProduct],
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Marks a run as failed, if it is at work under this very fence.
    async fn fail_run(&self, key: RunKey, fence: u64, now: Timestamp) -> Result<(), StoreError>;

    /// Returns the latest ranking of a period that is done, at most [`SHOWN`](crate::SHOWN) products;
    /// `None` before the first one.
    async fn published(&self, period: Period) -> Result<Option<PublishedRanking>, StoreError>;
}
