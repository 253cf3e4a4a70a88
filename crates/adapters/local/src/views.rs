//! A counter of views in one process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{IdGenerator, ProductId, StoreError};
use ranking::{DailyViews, ViewBatch, ViewBatchId, ViewCounter};

use crate::SystemIds;

/// Counts the views that one process sees. What is not stored when it ends is lost.
#[derive(Default)]
pub struct LocalViews(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    views: BTreeMap<(NaiveDate, ProductId), u32>,
    batch: Option<ViewBatch>,
}

impl LocalViews {
    /// Makes a counter that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ViewCounter for LocalViews {
    async fn add(&self, views: &[DailyViews]) -> Result<(), StoreError> {
        let mut counted = self.counted();
        for view in views {
            let count = counted.views.entry((view.day, view.product_id)).or_default();
            *count = count.saturating_add(view.count);
        }
        Ok(())
    }

    async fn take(&self) -> Result<Option<ViewBatch>, StoreError> {
        let mut counted = self.counted();
        if counted.batch.is_none() && !counted.views.is_empty() {
            let views = std::mem::take(&mut counted.views).into_iter();
            let views = views.map(|((day, product_id), count)| DailyViews { day, product_id, count });
            let id = ViewBatchId::from_uuid(SystemIds.uuid());
            counted.batch = Some(ViewBatch { id, views: views.collect() });
        }
        Ok(counted.batch.clone())
    }

    async fn confirm(&self, batch: ViewBatchId) -> Result<(), StoreError> {
        self.counted().batch.take_if(|waiting| waiting.id == batch);
        Ok(())
    }
}
