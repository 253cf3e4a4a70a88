//! Popular products: sums of sales and views, and runs that only the newest fence may finish.

use std::sync::Arc;
use std::time::Duration;

use checkout::DailySale;
use chrono::{Days as Distance, NaiveDate};
use kernel::{Clock, IdGenerator, Money, ProductId, StoreError};
use local::SystemIds;
use product::ProductStatus;
use ranking::{
    DailyViews, Days, Period, Popularity, PopularityStore, RANKED, RankedProduct, RunKey, RunStatus, SHOWN,
    SalesRanking, ViewBatch, ViewBatchId, rank,
};
use storage::Database;

use crate::fixtures::Shop;
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        what_sold_most_comes_first,
        a_batch_of_views_is_added_once,
        popularity_adds_up_sales_and_views_of_the_days,
        a_run_is_published_when_it_is_done,
        a_late_writer_changes_nothing,
        one_of_many_begins_a_run_first,
        the_latest_runs_are_kept,
        published_products_are_called_and_priced_as_they_are_now,
    ]
}

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, number).unwrap()
}

fn days(first: u32, last: u32) -> Days {
    Days { first: day(first), last: day(last) }
}

async fn sell(shop: &Shop, sales: &[(u32, ProductId, u32)]) {
    let mut tx = shop.begin().await;
    for &(number, product_id, quantity) in sales {
        let sale = DailySale { product_id, day: day(number), quantity, amount: Money::won(1_000) };
        tx.sales().add(&[sale]).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn batch(views: &[(u32, ProductId, u32)]) -> ViewBatch {
    let id = ViewBatchId::from_uuid(SystemIds.uuid());
    let views =
        views.iter().map(|&(number, product_id, count)| DailyViews { day: day(number), product_id, count });
    ViewBatch { id, views: views.collect() }
}

async fn withdraw(shop: &Shop, product: ProductId) {
    let sql = format!(
        "UPDATE products SET status = '{}' WHERE id = x'{}'",
        ProductStatus::Inactive.as_str(),
        product.as_uuid().simple()
    );
    shop.database.execute(&sql).await;
}

async fn what_sold_most_comes_first(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (tea, cup) = (shop.product_named("tea", Money::won(1_500), 9).await, shop.product(2_000, 9).await);
    let (gone, unsold) = (shop.product(1_000, 9).await, shop.product(1_000, 9).await);
    sell(&shop, &[(1, tea, 5), (2, tea, 3), (2, cup, 8), (3, cup, 100), (2, gone, 500)]).await;
    withdraw(&shop, gone).await;
    let store = &shop.database.database;
    let top = store.top_sellers(days(1, 2), 10).await.unwrap();
    let found: Vec<_> = top.iter().map(|seller| (seller.product_id, seller.sold)).collect();
    assert_eq!(found, [(tea, 8), (cup, 8)], "equal ones by id, without {gone} and {unsold}");
    assert_eq!((top[0].name.as_str(), top[0].price), ("tea", Money::won(1_500)));
    let found: Vec<_> = store
        .top_sellers(days(2, 3), 1)
        .await
        .unwrap()
        .iter()
        .map(|seller| (seller.product_id, seller.sold))
        .collect();
    assert_eq!(found, [(cup, 108)]);
    assert!(store.top_sellers(days(4, 9), 10).await.unwrap().is_empty());
}

/// Without the name of the batch, which is stored with it, both callers of each pair add its views.
async fn a_batch_of_views_is_added_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let product = shop.product(1_000, 9).await;
    let store = &shop.database.database;
    let mut added = 0;
    for _ in 0..10 {
        let views = batch(&[(1, product, 3), (2, product, 4)]);
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (store, views, now) = (store.clone(), views.clone(), shop.clock.now());
                tokio::spawn(async move { store.add_views(&views, now).await })
            })
            .collect();
        for caller in callers {
            added += u32::from(caller.await.unwrap().unwrap());
        }
        assert!(!store.add_views(&views, shop.clock.now()).await.unwrap(), "it is there already");
    }
    assert_eq!(added, 10);
    let found = store.popularity(days(1, 2)).await.unwrap();
    assert_eq!(found, [Popularity { product_id: product, sold: 0, views: 70 }]);

    let now = shop.clock.now();
    assert_eq!(store.forget_batches(now).await.unwrap(), 0);
    assert_eq!(store.forget_batches(now + Duration::from_secs(1)).await.unwrap(), 10);
}

async fn popularity_adds_up_sales_and_views_of_the_days(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (sold, seen, both) =
        (shop.product(1_000, 9).await, shop.product(1_000, 9).await, shop.product(1_000, 9).await);
    let gone = shop.product(1_000, 9).await;
    sell(&shop, &[(1, sold, 7), (2, sold, 2), (2, both, 1), (2, gone, 9), (4, both, 50)]).await;
    let views = [(1, gone, 9), (1, seen, 4), (3, both, 6), (3, seen, 1), (5, seen, 50)];
    let store = &shop.database.database;
    assert!(store.add_views(&batch(&views), shop.clock.now()).await.unwrap());
    withdraw(&shop, gone).await;
    let mut found = store.popularity(days(1, 3)).await.unwrap();
    found.sort_unstable_by_key(|count| count.product_id);
    let expected = [(sold, 9, 0), (seen, 0, 5), (both, 1, 6)].map(|(product_id, sold, views)| Popularity {
        product_id,
        sold,
        views,
    });
    assert_eq!(found, expected);
}

const fn run(number: u32, period: Period) -> RunKey {
    let day = NaiveDate::from_ymd_opt(2026, 3, number);
    RunKey { period, day: day.expect("a day") }
}

fn ranking(products: &[ProductId]) -> Vec<RankedProduct> {
    let sold = (1..=products.len() as u64).rev();
    let counts =
        products.iter().zip(sold).map(|(&product_id, sold)| Popularity { product_id, sold, views: 1 });
    rank(counts.collect())
}

async fn published(store: &Database, period: Period) -> Vec<ProductId> {
    let ranking = store.published(period).await.unwrap();
    ranking.into_iter().flat_map(|ranking| ranking.products).map(|popular| popular.product_id).collect()
}

async fn a_run_is_published_when_it_is_done(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (first, second) = (shop.product(1_000, 9).await, shop.product(1_000, 9).await);
    let (store, now) = (&shop.database.database, shop.clock.now());
    let key = run(2, Period::Daily);
    assert_eq!(store.find_run(key).await.unwrap(), None);
    assert_eq!(store.published(Period::Daily).await.unwrap(), None);
    assert_eq!(store.begin_run(key, 5, now).await.unwrap(), Some(1));
    let begun = store.find_run(key).await.unwrap().unwrap();
    assert_eq!((begun.status, begun.attempts, begun.fence), (RunStatus::Running, 1, 5));
    assert_eq!((begun.started_at, begun.finished_at), (now, None));
    assert_eq!(store.published(Period::Daily).await.unwrap(), None, "it is not done");

    store.fail_run(key, 5, now).await.unwrap();
    assert_eq!(store.find_run(key).await.unwrap().unwrap().status, RunStatus::Failed);
    assert_eq!(store.begin_run(key, 5, now).await.unwrap(), Some(2), "the same fence tries again");
    assert_eq!(store.begin_run(key, 6, now).await.unwrap(), Some(3), "a crashed run is taken up");
    let done = now + Duration::from_secs(7);
    assert!(store.finish_run(key, 6, &ranking(&[second, first]), done).await.unwrap());
    let found = store.find_run(key).await.unwrap().unwrap();
    assert_eq!((found.status, found.attempts, found.finished_at), (RunStatus::Done, 3, Some(done)));
    let shown = store.published(Period::Daily).await.unwrap().unwrap();
    assert_eq!(shown.finished_at, done);
    let shown: Vec<_> = shown.products.iter().map(|p| (p.product_id, p.sold, p.views)).collect();
    assert_eq!(shown, [(second, 2, 1), (first, 1, 1)]);

    assert_eq!(store.begin_run(key, 7, now).await.unwrap(), None, "it is done");
    assert!(!store.finish_run(key, 6, &[], now).await.unwrap());
    store.fail_run(key, 6, now).await.unwrap();
    assert_eq!(published(store, Period::Daily).await, [second, first]);
    assert_eq!(store.published(Period::Weekly).await.unwrap(), None, "the periods are apart");
    assert_eq!(store.begin_run(run(2, Period::Weekly), 1, now).await.unwrap(), Some(1));
    assert_eq!(store.begin_run(run(3, Period::Daily), 8, now).await.unwrap(), Some(1));
    assert_eq!(published(store, Period::Daily).await, [second, first], "the next one is at work");
    assert!(store.finish_run(run(3, Period::Daily), 8, &[], now).await.unwrap());
    assert!(published(store, Period::Daily).await.is_empty(), "nothing was sold or looked at");
}

/// Without the fence in its conditions the late writer publishes, or fails, the run of its heir.
async fn a_late_writer_changes_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (right, wrong) = (shop.product(1_000, 9).await, shop.product(1_000, 9).await);
    let (store, now) = (&shop.database.database, shop.clock.now());
    let key = run(2, Period::Daily);
    assert_eq!(store.begin_run(key, 5, now).await.unwrap(), Some(1));
    assert_eq!(store.begin_run(key, 9, now).await.unwrap(), Some(2));
    let taken_over = store.find_run(key).await.unwrap();
    assert!(!store.finish_run(key, 5, &ranking(&[wrong]), now).await.unwrap());
    store.fail_run(key, 5, now).await.unwrap();
    assert_eq!(store.begin_run(key, 5, now).await.unwrap(), None);
    assert_eq!(store.find_run(key).await.unwrap(), taken_over);
    assert!(store.finish_run(key, 9, &ranking(&[right]), now).await.unwrap());
    assert_eq!(published(store, Period::Daily).await, [right]);
}

async fn one_of_many_begins_a_run_first(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (store, now) = (&shop.database.database, shop.clock.now());
    for number in 1..=10 {
        let callers: Vec<_> = (1..=4)
            .map(|fence| {
                let store = store.clone();
                tokio::spawn(async move {
                    (fence, store.begin_run(run(number, Period::Weekly), fence, now).await)
                })
            })
            .collect();
        let mut begun = Vec::new();
        for caller in callers {
            match caller.await.unwrap() {
                (fence, Ok(Some(attempt))) => begun.push((attempt, fence)),
                (_, Ok(None) | Err(StoreError::Contended(_))) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        begun.sort_unstable();
        assert!(begun.is_sorted_by(|a, b| a.0 + 1 == b.0 && a.1 < b.1) && begun[0].0 == 1, "{begun:?}");
        let found = store.find_run(run(number, Period::Weekly)).await.unwrap().unwrap();
        let last = begun.last().copied().unwrap();
        assert_eq!((found.attempts, found.fence), last, "the highest fence has it");
    }
}

async fn the_latest_runs_are_kept(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let product = shop.product(1_000, 9).await;
    let (store, now) = (&shop.database.database, shop.clock.now());
    let weekly = run(1, Period::Weekly);
    store.begin_run(weekly, 1, now).await.unwrap();
    assert!(store.finish_run(weekly, 1, &ranking(&[product]), now).await.unwrap());
    for number in 1..=12 {
        let key = run(number, Period::Daily);
        assert_eq!(store.begin_run(key, 1, now).await.unwrap(), Some(1));
        assert!(store.finish_run(key, 1, &ranking(&[product]), now).await.unwrap());
    }
    for (number, kept) in [(1, false), (2, false), (3, true), (12, true)] {
        assert_eq!(store.find_run(run(number, Period::Daily)).await.unwrap().is_some(), kept, "{number}");
    }
    assert_eq!(published(store, Period::Daily).await, [product]);
    assert_eq!(published(store, Period::Weekly).await, [product], "the periods are apart");
    let late = RunKey { period: Period::Daily, day: day(1) - Distance::new(1) };
    store.begin_run(late, 1, now).await.unwrap();
    assert!(
        store.finish_run(late, 1, &ranking(&[product]), now).await.unwrap(),
        "a run removes older ones only"
    );
}

async fn published_products_are_called_and_priced_as_they_are_now(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let mut products = Vec::new();
    for _ in 0..SHOWN + 2 {
        products.push(shop.product(1_000, 9).await);
    }
    let (store, now) = (&shop.database.database, shop.clock.now());
    let places = ranking(&products);
    assert!(places.len() <= RANKED);
    store.begin_run(run(2, Period::Daily), 1, now).await.unwrap();
    assert!(store.finish_run(run(2, Period::Daily), 1, &places, now).await.unwrap());
    assert_eq!(published(store, Period::Daily).await, products[..SHOWN]);
    withdraw(&shop, products[0]).await;
    let sql = format!(
        "UPDATE products SET name = 'new', price = 12.50 WHERE id = x'{}'",
        products[1].as_uuid().simple()
    );
    shop.database.execute(&sql).await;
    let shown = store.published(Period::Daily).await.unwrap().unwrap().products;
    assert_eq!((shown[0].name.as_str(), shown[0].price), ("new", Money::from_minor(1_250).unwrap()));
    let shown: Vec<_> = shown.iter().map(|popular| popular.product_id).collect();
    assert_eq!(shown, products[1..=SHOWN], "the next one moves up");
}
