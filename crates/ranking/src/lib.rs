//! Popular products: what sold and what was looked at, ranked without reading the orders.

mod views;

pub use views::{DailyViews, ViewBatch, ViewBatchId, ViewCounter};
