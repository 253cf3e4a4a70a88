//! A catalogue that remembers how many products there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use kernel::{PageRequest, ProductId, StoreError};
use product::{Product, ProductCatalog, ProductFilter, ProductSort};

/// Answers counts from memory for a few seconds, so that a list does not wait for a count of everything.
/// Rows, and with them stock, are always read from the catalogue behind it.
pub struct CachedCatalog {
    inner: Arc<dyn ProductCatalog>,
    totals: Mutex<HashMap<ProductFilter, (u64, Instant)>>,
}

impl CachedCatalog {
    /// How long a total is remembered.
    pub const TTL: Duration = Duration::from_secs(10);
    /// How many filters are remembered; callers choose them, so their number must have an end.
    const FILTERS: usize = 1_000;

    /// Puts a memory in front of a catalogue.
    pub fn new(inner: Arc<dyn ProductCatalog>) -> Self {
        Self { inner, totals: Mutex::default() }
    }

    fn remembered(&self, filter: &ProductFilter) -> Option<u64> {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.get(filter).filter(|(_, at)| at.elapsed() < Self::TTL).map(|(total, _)| *total)
    }

    fn remember(&self, filter: &ProductFilter, total: u64) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if totals.len() >= Self::FILTERS {
            totals.clear();
        }
        totals.insert(filter.clone(), (total, Instant::now()));
    }
}

#[async_trait]
impl ProductCatalog for CachedCatalog {
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        self.inner.find(id).await
    }

    async fn list(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        page: PageRequest,
    ) -> Result<Vec<Product>, StoreError> {
        self.inner.list(filter, sort, page).await
    }

    async fn count(&self, filter: &ProductFilter) -> Result<u64, StoreError> {
        if let Some(total) = self.remembered(filter) {
            return Ok(total);
        }
        let total = self.inner.count(filter).await?;
        self.remember(filter, total);
        Ok(total)
    }

    fn changed(&self) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.inner.changed();
    }
}
