//! How often products were looked at.

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{ProductId, StoreError, id_type};

id_type!(
    /// Identifies a batch of counted views.
    ViewBatchId
);

/// How often a product was looked at on a business day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DailyViews {
    /// The business day.
    pub day: NaiveDate,
    /// The product.
    pub product_id: ProductId,
    /// How often, at least once.
    pub count: u32,
}

/// Views that were taken from the counter together, to be stored once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewBatch {
    /// Names the batch, so that it is stored once however often it is taken.
    pub id: ViewBatchId,
    /// The views, each day and product once, ascending.
    pub views: Vec<DailyViews>,
}

/// Counts views until they are stored.
#[async_trait]
pub trait ViewCounter: Send + Sync {
    /// Adds to the counts.
    ///
    /// Returns [`StoreError::Unavailable`] if nothing was added, and [`StoreError::OutcomeUnknown`] if
    /// that is not known.
    async fn add(&self, views: &[DailyViews]) -> Result<(), StoreError>;

    /// Takes what was counted since the last batch, as a new batch. Until that one is confirmed every
    /// caller gets the same batch again. Returns `None` if nothing was counted.
    async fn take(&self) -> Result<Option<ViewBatch>, StoreError>;

    /// Forgets a batch that is stored; does nothing if another one is waiting by now.
    async fn confirm(&self, batch: ViewBatchId) -> Result<(), StoreError>;
}
