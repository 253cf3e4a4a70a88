//! What goes on in the background: deliveries, rankings, and what is swept up.

use std::time::Duration;

use checkout::KeyJanitor;
use checkout::outbox::{OutboxAdmin, OutboxQueue, Settlement};
use kernel::{BusinessZone, Clock};
use ranking::{
    DailyViews, Days, Period, PopularityStore, RunKey, SalesRanking, ViewBatch, ViewBatchId, rank,
};
use storage::Database;
use testkit::till::Till;
use user::SessionJanitor;

use crate::filled;
use crate::trade::Traded;

/// Events that are sent, tried in vain, given up and taken up again.
pub(crate) async fn deliveries(till: &Till, pool: &Database) {
    let (worker, now) = (filled::new_id(), till.shop.clock.now());
    let lease = now + Duration::from_mins(1);
    let events = pool.claim(worker, now, lease, 50).await.unwrap();
    let error = "no answer".to_owned();
    let settlements =
        [Settlement::Sent, Settlement::Retry { at: lease, error: error.clone() }, Settlement::Dead { error }];
    let settled: Vec<_> = events.iter().map(|queued| queued.event.id).zip(settlements).collect();
    assert_eq!(settled.len(), 3, "so many events and more have happened");
    pool.settle(worker, now, &settled).await.unwrap();
    pool.level().await.unwrap();
    assert!(pool.retry(settled[2].0, now).await.unwrap());
}

/// What sold best and was looked at most.
pub(crate) async fn rankings(till: &Till, pool: &Database, traded: &Traded) {
    let now = till.shop.clock.now();
    let day = BusinessZone::default().day(now);
    let days = Days::until(day, 3);
    pool.top_sellers(days, 5).await.unwrap();
    let views = vec![DailyViews { day, product_id: traded.products[0], count: 3 }];
    let batch = ViewBatch { id: ViewBatchId::from_uuid(filled::new_id()), views };
    assert!(pool.add_views(&batch, now).await.unwrap());
    pool.forget_batches(now - Duration::from_hours(24 * 365)).await.unwrap();
    let ranking = rank(pool.popularity(days).await.unwrap());
    let key = RunKey { period: Period::Daily, day };
    pool.begin_run(key, 1, now).await.unwrap();
    pool.find_run(key).await.unwrap();
    pool.fail_run(key, 1, now).await.unwrap();
    pool.begin_run(key, 2, now).await.unwrap();
    assert!(pool.finish_run(key, 2, &ranking, now).await.unwrap());
    assert!(pool.published(Period::Daily).await.unwrap().is_some());
}

/// What has had its time.
pub(crate) async fn sweep(till: &Till, pool: &Database) {
    // Keys of today have expired by then, and nothing of what the tables were filled with.
    till.shop.clock.advance(Duration::from_hours(24 * 30));
    let now = till.shop.clock.now();
    assert!(KeyJanitor::purge(pool, now).await.unwrap() > 0);
    pool.purge_sessions(now).await.unwrap();
}
