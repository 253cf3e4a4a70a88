//! Popular products: what sold and what was looked at, ranked without reading the orders (ADR-032).
//!
//! Two rankings come from the same daily counts. The *live* one orders products by what was sold of them
//! today and on the days before, [`SalesRanking::top_sellers`]. The *published* one is computed once a
//! [`Period`] by [`RankingBatch`]: of the whole days before the run, by a [`Score`] of sales and views.
//!
//! - A score is exact, and [`rank`] is a total order: the same counts give the same ranking.
//! - A run is named by its period and day. It is done once, by whoever holds the newest fence.
//! - A view is counted at most once: what may have been counted is not counted again.
//!
//! Ports: [`SalesRanking`], [`PopularityStore`], [`ViewCounter`].

mod batch;
mod period;
mod ports;
mod score;
mod view_recorder;
mod views;

pub use batch::{RankingBatch, RunOutcome, store_views};
pub use period::{Days, Period, RunKey};
#[cfg(feature = "mocks")]
pub use ports::{MockPopularityStore, MockSalesRanking};
pub use ports::{Popular, PopularityStore, PublishedRanking, Run, RunStatus, SalesRanking, TopSeller};
pub use score::{Popularity, RANKED, RankedProduct, SHOWN, Score, rank};
pub use view_recorder::{FlushReport, ViewRecorder};
pub use views::{DailyViews, ViewBatch, ViewBatchId, ViewCounter};
