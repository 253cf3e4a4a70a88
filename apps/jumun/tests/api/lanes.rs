//! Orders of one moment, on their way to the database.

use std::sync::Arc;

use checkout::{LaneSettings, OrderLanes, Transaction, UnitOfWork};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use jumun::http::RENDER_ORDER;
use sea_orm::{ConnectionTrait, Statement};
use testkit::{Scenario, TestDatabase, eventually, scenarios};

use crate::support::{Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![orders_of_one_moment_share_transactions, when_too_many_wait_the_next_is_told_at_once,]
}

async fn open(database: Arc<TestDatabase>, settings: LaneSettings) -> (Shop, OrderLanes) {
    let (send, receive) = std::sync::mpsc::channel();
    let replace: crate::support::Replace = Box::new(move |services| {
        services.order_lanes = OrderLanes::new(services.checkout.clone(), RENDER_ORDER, settings);
        send.send(services.order_lanes.clone()).unwrap();
    });
    let shop = Shop::open_with(database, Setup { replace: Some(replace), ..Setup::default() }).await;
    (shop, receive.recv().unwrap())
}

/// Keeps everybody from ordering until it is dropped: on SQLite as the one writer, elsewhere by the product.
async fn hold(shop: &Shop, product: kernel::ProductId) -> Box<dyn Transaction> {
    let mut tx = shop.database().database.begin().await.unwrap();
    tx.products().lock(&[product].into()).await.unwrap();
    tx
}

async fn orders_of_one_moment_share_transactions(database: Arc<TestDatabase>) {
    let (shop, lanes) = open(database, LaneSettings { lanes: 1, ..LaneSettings::default() }).await;
    let product = shop.product(1_000, 15).await;
    let mut buyers = Vec::new();
    for _ in 0..20 {
        buyers.push(shop.buyer(1_000).await);
    }
    let held = hold(&shop, product).await;
    let mut orders = buyers.iter().map(|buyer| tokio::spawn(shop.order(*buyer, product, 1).into_future()));
    let first = orders.next().unwrap();
    eventually("the first order is on its way", async || (lanes.load() == (1, 0)).then_some(())).await;
    let others: Vec<_> = orders.collect();
    eventually("the others wait", async || (lanes.load() == (1, 19)).then_some(())).await;
    drop(held);
    first.await.unwrap().is(201);
    let mut placed = 1;
    for answer in join_all(others).await {
        let answer = answer.unwrap();
        if answer.status == 201 {
            placed += 1;
        } else {
            answer.problem(409, "OUT_OF_STOCK");
        }
    }
    assert_eq!((placed, shop.stock(product).await), (15, 0));
    // A transaction has one moment.
    let connection = shop.database().connect().await.unwrap();
    let moments = "SELECT COUNT(DISTINCT created_at) AS moments FROM orders";
    let moments = Statement::from_string(connection.get_database_backend(), moments);
    let row = connection.query_one_raw(moments).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "moments").unwrap(), 2);
    connection.close().await.unwrap();
    shop.assert_audit_is_clean().await;
}

async fn when_too_many_wait_the_next_is_told_at_once(database: Arc<TestDatabase>) {
    let (shop, _) = open(database, LaneSettings { lanes: 1, queue: 1, lines: 1 }).await;
    let product = shop.product(1_000, 100).await;
    let mut buyers = Vec::new();
    for _ in 0..12 {
        buyers.push(shop.buyer(1_000).await);
    }
    let held = hold(&shop, product).await;
    let mut answers: FuturesUnordered<_> =
        buyers.iter().map(|buyer| shop.order(*buyer, product, 1).into_future()).collect();
    // One is on its way, another waits.
    for _ in 0..10 {
        let answer = answers.next().await.unwrap();
        let problem = answer.problem(503, "SERVICE_UNAVAILABLE");
        assert_eq!(problem["detail"], "too many orders wait already, try again in a moment");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    drop(held);
    let rest: Vec<u16> = answers.map(|answer| answer.status).collect().await;
    let placed = rest.iter().filter(|status| **status == 201).count();
    assert!(placed >= 1, "{rest:?}");
    assert_eq!(shop.stock(product).await, 100 - placed as u64);
}
