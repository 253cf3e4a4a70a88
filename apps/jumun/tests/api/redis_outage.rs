//! Redis only helps: without it everything is served, and health tells of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jumun::shared::Shared;
use local::SystemIds;
use redis_adapter::Redis;
use reqwest::Method;
use serde_json::Value;
use testkit::{RedisServer, Scenario, TestDatabase, TestRedis, scenarios};

use crate::support::{Setup, Shop, eventually};

pub(crate) fn suite() -> Vec<Scenario> {
    let suite = scenarios![health_is_degraded_while_redis_is_gone, orders_need_no_redis];
    suite.into_iter().map(|scenario| scenario.needing(TestRedis::missing)).collect()
}

async fn open(database: Arc<TestDatabase>, server: &RedisServer) -> Shop {
    let redis = Redis::new(server.url(), "", Arc::new(SystemIds)).unwrap();
    Shop::open_with(database, Setup { shared: Some(Shared::on_redis(redis)), ..Setup::default() }).await
}

async fn health(shop: &Shop) -> Value {
    shop.call(Method::GET, "/health/ready").await.is(200).json()
}

fn redis(health: &Value) -> (&str, &str) {
    let of = |index: usize, member: &str| health["dependencies"][index][member].as_str().unwrap();
    assert_eq!((of(0, "name"), of(0, "status"), of(1, "name")), ("database", "UP", "redis"));
    (health["status"].as_str().unwrap(), of(1, "status"))
}

async fn health_is_degraded_while_redis_is_gone(database: Arc<TestDatabase>) {
    let server = RedisServer::start().await.unwrap();
    let shop = open(database, &server).await;
    assert_eq!(redis(&health(&shop).await), ("UP", "UP"));
    server.kill().await;
    assert_eq!(redis(&health(&shop).await), ("DEGRADED", "DOWN"));
    server.start_again().await;
    eventually("redis is up again", async || (redis(&health(&shop).await) == ("UP", "UP")).then_some(()))
        .await;
    // A silent one is told of as well, and soon.
    server.pause().await;
    let begun = Instant::now();
    assert_eq!(redis(&health(&shop).await), ("DEGRADED", "DOWN"));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    server.go_on().await;
}

async fn orders_need_no_redis(database: Arc<TestDatabase>) {
    let server = RedisServer::start().await.unwrap();
    let shop = open(database, &server).await;
    server.kill().await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    shop.order(buyer, product, 3).await.is(201);
    assert_eq!(shop.stock(product).await, 7);
    shop.assert_audit_is_clean().await;
}
