//! Popular products: the live ranking, the published ones, and the views that they count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use coordination::Freshness;
use jumun::http::Services;
use jumun::settings::Schedule;
use kernel::{BusinessZone, Clock, IdGenerator, ProductId, StoreError};
use local::{SystemClock, SystemIds};
use ranking::{
    DailyViews, Days, Period, PopularityStore, RunKey, RunStatus, SalesRanking, TopSeller, ViewBatch,
    ViewBatchId,
};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, eventually, scenarios};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::{NOBODY, Setup, Shop, instant};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        what_was_just_ordered_is_ranked,
        a_ranking_is_as_long_and_as_old_as_asked,
        wrong_parameters_of_a_ranking_are_refused,
        many_callers_make_one_query,
        an_old_ranking_is_shown_while_a_new_one_is_computed,
        a_changed_product_changes_the_rankings,
        a_look_at_a_product_is_counted,
        nothing_is_published_before_the_first_run,
        a_due_ranking_is_published_by_one_instance,
        a_ranking_does_without_a_schedule_that_is_not_due_again,
    ]
}

/// Counts the questions to a ranking, each of which waits for a permit.
struct Counting {
    inner: Arc<dyn SalesRanking>,
    asked: Arc<AtomicUsize>,
    permits: Arc<Semaphore>,
}

#[async_trait]
impl SalesRanking for Counting {
    async fn top_sellers(&self, days: Days, limit: u32) -> Result<Vec<TopSeller>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        self.inner.top_sellers(days, limit).await
    }
}

/// Opens a shop whose live ranking is counted and waits for permits.
async fn counted(database: Arc<TestDatabase>, fresh: Duration) -> (Shop, Arc<AtomicUsize>, Arc<Semaphore>) {
    let (asked, permits) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counter, gate) = (asked.clone(), permits.clone());
    let replace = Box::new(move |services: &mut Services| {
        let inner = services.popular.sales.clone();
        services.popular.sales = Arc::new(Counting { inner, asked: counter, permits: gate });
        services.popular.live = Freshness { fresh, stale: Duration::from_mins(5) };
    });
    let shop = Shop::open_with(database, Setup { replace: Some(replace), ..Setup::default() }).await;
    (shop, asked, permits)
}

async fn what_was_just_ordered_is_ranked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let tea = shop.product_named("Oolong tea", "1500", 50).await;
    let cup = shop.product_named("찻잔", "1000.5", 50).await;
    shop.product(1_000, 5).await;
    for (product, qty) in [(tea, 2), (cup, 5), (tea, 1)] {
        shop.order(buyer, product, qty).await.is(201);
    }
    shop.order(buyer, tea, 1_000).await.is(409);
    let answer = shop.get("/stats/popular-products?days=1&limit=10").await.is(200);
    let generated_at = answer.json()["generatedAt"].as_str().unwrap().to_owned();
    let expected = format!(
        r#"{{"rangeDays":1,"limit":10,"products":[{{"productId":"{cup}","name":"찻잔","price":1000.50,"soldQty":5}},{{"productId":"{tea}","name":"Oolong tea","price":1500.00,"soldQty":3}}],"generatedAt":"{generated_at}"}}"#
    );
    assert_eq!(answer.text, expected);
    let age = SystemClock.now() - instant(&answer.json()["generatedAt"]);
    assert!(age.num_seconds().abs() < 60, "{generated_at}");
    shop.assert_audit_is_clean().await;
}

async fn a_ranking_is_as_long_and_as_old_as_asked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let mut products = Vec::new();
    for qty in 1..=7 {
        let product = shop.product(1_000, 50).await;
        shop.order(buyer, product, qty).await.is(201);
        products.insert(0, product.to_string());
    }
    for path in ["/stats/popular-products", "/products/top", "/stats/popular-products?limit=5&days=3"] {
        let top = shop.get(path).await.ok();
        assert_eq!((&top["rangeDays"], &top["limit"]), (&json!(3), &json!(5)), "{path}");
        assert_eq!(ids(&top), products[..5], "{path}");
    }
    assert_eq!(ids(&shop.get("/stats/popular-products?limit=2").await.ok()), products[..2]);
    assert_eq!(ids(&shop.get("/stats/popular-products?limit=50").await.ok()), products);
    // Ten days ago is beyond three days and within thirty.
    let zone = BusinessZone::default();
    let before = zone.day(SystemClock.now()) - chrono::Days::new(10);
    shop.database().execute(&format!("UPDATE daily_sales SET day = '{before}'")).await;
    assert_eq!(ids(&shop.get("/stats/popular-products?days=30&limit=3").await.ok()), products[..3]);
    let none: [String; 0] = [];
    assert_eq!(ids(&shop.get("/stats/popular-products?days=9").await.ok()), none);
    assert_eq!(ids(&shop.get("/products/top").await.ok()), products[..5], "remembered for a minute");
}

async fn wrong_parameters_of_a_ranking_are_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (path, pointer) in [
        ("/stats/popular-products?days=0", "/days"),
        ("/stats/popular-products?days=31", "/days"),
        ("/stats/popular-products?days=-1", "/days"),
        ("/stats/popular-products?limit=0", "/limit"),
        ("/stats/popular-products?limit=51", "/limit"),
        ("/stats/popular-products?limit=many", "/limit"),
        ("/stats/popular-products?size=5", "/size"),
        ("/products/top?limit=5", "/limit"),
        ("/products/popular?days=3", "/days"),
        ("/products/popular/weekly?page=1", "/page"),
    ] {
        shop.get(path).await.invalid(&[pointer]);
    }
    shop.post("/products/top").await.problem(405, "METHOD_NOT_ALLOWED");
}

/// Without the turns of the cache each of the callers asks the database.
async fn many_callers_make_one_query(database: Arc<TestDatabase>) {
    let (shop, asked, permits) = counted(database, Duration::from_mins(1)).await;
    let callers: Vec<_> =
        (1..=50).map(|limit| shop.get(&format!("/stats/popular-products?limit={limit}"))).collect();
    let callers: Vec<_> = callers.into_iter().map(|call| tokio::spawn(call.into_future())).collect();
    eventually("somebody asks", || async { (asked.load(Ordering::SeqCst) > 0).then_some(()) }).await;
    permits.add_permits(50);
    for caller in callers {
        caller.await.unwrap().is(200);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

async fn an_old_ranking_is_shown_while_a_new_one_is_computed(database: Arc<TestDatabase>) {
    let (shop, asked, permits) = counted(database, Duration::ZERO).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 50).await;
    permits.add_permits(1);
    let none: [String; 0] = [];
    assert_eq!(ids(&shop.get("/products/top").await.ok()), none);
    shop.order(buyer, product, 1).await.is(201);
    // Nobody may ask the database now, and everybody is answered all the same.
    for _ in 0..5 {
        assert_eq!(ids(&shop.get("/products/top").await.ok()), none);
    }
    eventually("a new one is computed", || async { (asked.load(Ordering::SeqCst) == 2).then_some(()) }).await;
    permits.add_permits(50);
    eventually("it is shown", || async {
        (ids(&shop.get("/products/top").await.ok()) == [product.to_string()]).then_some(())
    })
    .await;
}

async fn a_changed_product_changes_the_rankings(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let (first, second) = (shop.product(1_000, 5).await, shop.product(1_000, 5).await);
    shop.order(buyer, first, 2).await.is(201);
    shop.order(buyer, second, 1).await.is(201);
    assert_eq!(ids(&shop.get("/products/top").await.ok()), [first.to_string(), second.to_string()]);
    let change = json!({"name": "new", "price": 12.5});
    shop.patch(&format!("/products/{second}")).by(shop.admin).json(change).await.is(200);
    let top = shop.get("/products/top").await.ok();
    assert_eq!((&top["products"][1]["name"], &top["products"][1]["price"]), (&json!("new"), &json!(12.5)));
    shop.withdraw(first).await;
    assert_eq!(ids(&shop.get("/products/top").await.ok()), [second.to_string()]);
}

async fn a_look_at_a_product_is_counted(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 5).await;
    let path = format!("/products/{product}");
    let tag = shop.get(&path).await.is(200).header("etag").unwrap().to_owned();
    shop.get(&path).header("If-None-Match", tag).await.is(304);
    shop.get(&format!("/products/{NOBODY}")).await.problem(404, "NOT_FOUND");
    shop.get("/products").await.is(200);
    let today = BusinessZone::default().day(SystemClock.now());
    store_views(&shop).await;
    shop.get(&path).await.is(200);
    store_views(&shop).await;
    let counts = shop.wiring.database.popularity(Days::until(today, 2)).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.product_id, count.sold, count.views)).collect();
    assert_eq!(counts, [(product, 0, 3)]);
}

/// Stores what was counted, as the end of a process does.
async fn store_views(shop: &Shop) {
    let end = CancellationToken::new();
    end.cancel();
    shop.wiring.view_upkeep().run(end).await;
}

async fn nothing_is_published_before_the_first_run(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (path, days) in [("/products/popular", 3), ("/products/popular/weekly", 7)] {
        let ranking = shop.get(path).await.ok();
        assert_eq!(ranking, json!({"rangeDays": days, "products": []}));
    }
    shop.call(Method::HEAD, "/api/v1/products/popular").await.is(200);
}

/// Sales and views of yesterday, whatever day it is.
async fn yesterday(shop: &Shop, product: ProductId, sold: u32, views: u32) {
    let day = BusinessZone::default().day(SystemClock.now()) - chrono::Days::new(1);
    let id = product.as_uuid().simple();
    if sold > 0 {
        let sql = format!(
            "INSERT INTO daily_sales (day, product_id, quantity, amount) VALUES ('{day}', x'{id}', {sold}, 1)"
        );
        shop.database().execute(&sql).await;
    }
    if views > 0 {
        let views = vec![DailyViews { day, product_id: product, count: views }];
        let batch = ViewBatch { id: ViewBatchId::from_uuid(SystemIds.uuid()), views };
        assert!(shop.wiring.database.add_views(&batch, SystemClock.now()).await.unwrap());
    }
}

fn schedule(text: &str) -> Schedule {
    text.parse().unwrap()
}

async fn a_due_ranking_is_published_by_one_instance(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let tea = shop.product_named("Oolong tea", "1500", 50).await;
    let cup = shop.product_named("찻잔", "1000", 50).await;
    let gone = shop.product(1_000, 50).await;
    // Today's sales are no part of it: a ranking is of whole days.
    shop.order(buyer, tea, 5).await.is(201);
    yesterday(&shop, tea, 2, 3).await;
    yesterday(&shop, cup, 0, 8).await;
    yesterday(&shop, gone, 100, 0).await;
    assert_eq!(shop.get("/products/popular").await.ok()["products"], json!([]), "and this is remembered");
    shop.withdraw(gone).await;

    let end = CancellationToken::new();
    let schedulers: Vec<_> = (0..3)
        .map(|_| shop.wiring.ranking_scheduler(schedule("* * * * *"), schedule("* * * * *")))
        .map(|scheduler| tokio::spawn(scheduler.run(end.clone())))
        .collect();
    let published = eventually("both rankings are published", || async {
        let weekly = shop.get("/products/popular/weekly").await.ok();
        let daily = shop.get("/products/popular").await.is(200);
        (weekly["generatedAt"].is_string() && daily.json()["generatedAt"].is_string()).then_some(daily)
    })
    .await;
    let generated_at = published.json()["generatedAt"].as_str().unwrap().to_owned();
    instant(&published.json()["generatedAt"]);
    let expected = format!(
        r#"{{"rangeDays":3,"products":[{{"rank":1,"productId":"{cup}","name":"찻잔","price":1000.00,"soldQty":0,"views":8,"score":2.4}},{{"rank":2,"productId":"{tea}","name":"Oolong tea","price":1500.00,"soldQty":2,"views":3,"score":2.3}}],"generatedAt":"{generated_at}"}}"#
    );
    assert_eq!(published.text, expected);
    end.cancel();
    for scheduler in schedulers {
        scheduler.await.unwrap();
    }
    let day = BusinessZone::default().day(SystemClock.now());
    for period in Period::ALL {
        // Past midnight the run was that of the day before.
        let mut found = shop.wiring.database.find_run(RunKey { period, day }).await.unwrap();
        if found.is_none() {
            let day = day - chrono::Days::new(1);
            found = shop.wiring.database.find_run(RunKey { period, day }).await.unwrap();
        }
        let run = found.unwrap();
        assert_eq!((run.status, run.attempts), (RunStatus::Done, 1), "{period:?}");
    }
    // Prices and names are those of now.
    let change = json!({"name": "Green tea"});
    shop.patch(&format!("/products/{tea}")).by(shop.admin).json(change).await.is(200);
    assert_eq!(shop.get("/products/popular").await.ok()["products"][1]["name"], "Green tea");
}

/// A run of long ago that was never done is made up for, once.
async fn a_ranking_does_without_a_schedule_that_is_not_due_again(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 50).await;
    yesterday(&shop, product, 1, 0).await;
    let end = CancellationToken::new();
    let january = schedule("0 1 1 1 *");
    let scheduler = shop.wiring.ranking_scheduler(january.clone(), january);
    let work = tokio::spawn(scheduler.run(end.clone()));
    eventually("the ranking of January is published", || async {
        shop.get("/products/popular").await.ok()["generatedAt"].is_string().then_some(())
    })
    .await;
    assert_eq!(shop.get("/products/popular").await.ok()["products"], json!([]), "it is of the days before");
    end.cancel();
    work.await.unwrap();
}

fn ids(ranking: &Value) -> Vec<String> {
    let products = ranking["products"].as_array().unwrap().iter();
    products.map(|product| product["productId"].as_str().unwrap().to_owned()).collect()
}
