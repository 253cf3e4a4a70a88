//! A catalogue that remembers names, prices and totals, and never stock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coordination::{CacheKey, Coalescer, Freshness, ReadThrough, Sharing};
use kernel::{Money, PageRequest, ProductId, StoreError, Timestamp};
use product::{ListedProduct, Product, ProductCatalog, ProductFilter, ProductName, ProductSort};
use serde::{Deserialize, Serialize};

/// Answers names and prices of lists from a cache that instances share, and the number of products from
/// memory. Stock comes from the catalogue behind it, at the time of each call and for a page in one
/// question; whoever waits for stock or for a product at the same moment shares that question (ADR-041).
///
/// Lists with a filter are not remembered: there are as many as callers think of.
pub struct CachedCatalog {
    inner: Arc<dyn ProductCatalog>,
    cache: ReadThrough,
    stock: Coalescer<(), Vec<ProductId>, Arc<HashMap<ProductId, u32>>>,
    products: Coalescer<(), ProductId, Arc<HashMap<ProductId, Product>>>,
    totals: Mutex<HashMap<ProductFilter, (u64, Instant)>>,
}

/// What is remembered of a product on a page.
#[derive(Serialize, Deserialize)]
struct Entry {
    id: ProductId,
    name: String,
    price: Money,
    created_at: Timestamp,
}

impl CachedCatalog {
    /// The entries that a change of any product drops.
    const GROUP: &'static str = "products";
    /// How long a page is remembered: 5 minutes in all.
    const FRESHNESS: Freshness =
        Freshness { fresh: Duration::from_secs(270), stale: Duration::from_secs(30) };
    /// Pages further back are not remembered.
    const PAGES: u32 = 100;
    /// How long a total is remembered.
    pub const TTL: Duration = Duration::from_secs(10);
    /// How many filters are remembered; callers choose them, so their number must have an end.
    const FILTERS: usize = 1_000;

    /// The stock of so many pages is asked for in one question, at most.
    const STOCK: Sharing = Sharing { name: "stock", questions: 50 };
    /// So many products are asked for in one question, at most.
    const PRODUCTS: Sharing = Sharing { name: "products", questions: 1_000 };

    /// Puts a cache in front of a catalogue. What callers share is read on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(inner: Arc<dyn ProductCatalog>, cache: ReadThrough) -> Self {
        let reader = inner.clone();
        let stock = Coalescer::new(Self::STOCK, move |(), pages: Vec<Vec<ProductId>>| {
            let (reader, ids) = (reader.clone(), pages.concat());
            async move { reader.stock(&ids).await.map(Arc::new) }
        });
        let reader = inner.clone();
        let products = Coalescer::new(Self::PRODUCTS, move |(), ids: Vec<ProductId>| {
            let reader = reader.clone();
            async move {
                let found = reader.find_all(&ids).await?;
                Ok(Arc::new(found.into_iter().map(|product| (product.id, product)).collect()))
            }
        });
        Self { inner, cache, stock, products, totals: Mutex::default() }
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

    /// Reads the names and prices of a page, from the cache if it has them.
    async fn entries(&self, sort: ProductSort, page: PageRequest) -> Result<Vec<Entry>, StoreError> {
        let key = CacheKey::new(Self::GROUP, format!("{sort:?}/{}/{}", page.size.get(), page.page));
        let inner = self.inner.clone();
        let read = move || async move {
            let listed = inner.list(&ProductFilter::default(), sort, page).await?;
            Ok(listed.into_iter().map(Entry::of).collect())
        };
        self.cache.get(key, Self::FRESHNESS, read).await
    }
}

impl Entry {
    fn of(product: ListedProduct) -> Self {
        let ListedProduct { id, name, price, created_at, .. } = product;
        Self { id, name: name.as_str().to_owned(), price, created_at }
    }

    /// Adds the stock; `None` for a product that is not for sale any more.
    fn listed(self, stock: &HashMap<ProductId, u32>) -> Option<Result<ListedProduct, StoreError>> {
        let stock = *stock.get(&self.id)?;
        let name = ProductName::new(&self.name).map_err(|error| StoreError::Internal(Box::new(error)));
        let Self { id, price, created_at, .. } = self;
        Some(name.map(|name| ListedProduct { id, name, price, stock, created_at }))
    }
}

#[async_trait]
impl ProductCatalog for CachedCatalog {
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        let found = self.products.ask((), id).await?;
        Ok(found.get(&id).cloned())
    }

    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.inner.find_all(ids).await
    }

    async fn list(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        page: PageRequest,
    ) -> Result<Vec<ListedProduct>, StoreError> {
        if *filter != ProductFilter::default() || page.page >= Self::PAGES {
            return self.inner.list(filter, sort, page).await;
        }
        let entries = self.entries(sort, page).await?;
        let ids = entries.iter().map(|entry| entry.id).collect();
        let stock = self.stock.ask((), ids).await?;
        entries.into_iter().filter_map(|entry| entry.listed(&stock)).collect()
    }

    async fn stock(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, u32>, StoreError> {
        self.inner.stock(ids).await
    }

    async fn count(&self, filter: &ProductFilter) -> Result<u64, StoreError> {
        if let Some(total) = self.remembered(filter) {
            return Ok(total);
        }
        let total = self.inner.count(filter).await?;
        self.remember(filter, total);
        Ok(total)
    }

    async fn changed(&self) {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.cache.drop_group(Self::GROUP).await;
        self.inner.changed().await;
    }
}
