//! Popular products as the API shows them: ports behind a cache, and views on their way to be counted.

use std::sync::Arc;
use std::time::Duration;

use coordination::{CacheKey, Freshness, ReadThrough};
use kernel::{BusinessZone, Clock, ProductId, StoreError, Timestamp};
use ranking::{Days, Period, PopularityStore, PublishedRanking, SalesRanking, TopSeller, ViewRecorder};
use serde::{Deserialize, Serialize};

/// The cache's group of all rankings: they are dropped together.
const GROUP: &str = "rankings";
/// A published ranking changes with the batch, which drops it.
const PUBLISHED: Freshness = Freshness { fresh: Duration::from_hours(1), stale: Duration::from_mins(10) };

/// The products of which most was sold, today included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRanking {
    /// When it was computed.
    pub generated_at: Timestamp,
    /// The products, those with the most pieces first.
    pub products: Vec<TopSeller>,
}

/// The rankings, and the recorder of views.
#[derive(Clone)]
pub struct PopularProducts {
    /// What sold best.
    pub sales: Arc<dyn SalesRanking>,
    /// What the batch has published.
    pub store: Arc<dyn PopularityStore>,
    /// What is remembered of both.
    pub cache: ReadThrough,
    /// How long a live ranking may be used.
    pub live: Freshness,
    /// Counts views.
    pub views: Arc<ViewRecorder>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The zone of the business.
    pub zone: BusinessZone,
}

impl PopularProducts {
    /// A live ranking is as good as new for a minute, and shown for five more while a new one is computed.
    pub const LIVE: Freshness = Freshness { fresh: Duration::from_mins(1), stale: Duration::from_mins(5) };
    /// The most products that a live ranking has.
    pub const MOST: u32 = 50;

    /// Returns the products that sold best today and on the days before, `days` together, at most
    /// `limit` of at most [`Self::MOST`].
    ///
    /// # Errors
    /// When the database does not answer and nothing is remembered.
    pub async fn top_sellers(&self, days: u32, limit: u32) -> Result<LiveRanking, StoreError> {
        let (sales, clock, zone) = (self.sales.clone(), self.clock.clone(), self.zone);
        let compute = move || async move {
            let generated_at = clock.now();
            let products = sales.top_sellers(Days::until(zone.day(generated_at), days), Self::MOST).await?;
            Ok(LiveRanking { generated_at, products })
        };
        // One entry serves every limit: what differs is where it is cut.
        let key = CacheKey::new(GROUP, format_args!("live:{days}"));
        let mut ranking = self.cache.get(key, self.live, compute).await?;
        ranking.products.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(ranking)
    }

    /// Returns the ranking that the batch published last; `None` before the first one.
    ///
    /// # Errors
    /// When the database does not answer and nothing is remembered.
    pub async fn published(&self, period: Period) -> Result<Option<PublishedRanking>, StoreError> {
        let store = self.store.clone();
        let key = CacheKey::new(GROUP, period.as_str());
        self.cache.get(key, PUBLISHED, move || async move { store.published(period).await }).await
    }

    /// Forgets what is remembered, after a product was changed or a ranking published.
    pub async fn forget(&self) {
        self.cache.drop_group(GROUP).await;
    }

    /// Counts a look at a product.
    pub fn record_view(&self, product: ProductId) {
        self.views.record(product, self.zone.day(self.clock.now()));
    }
}
