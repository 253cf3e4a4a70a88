//! Redis only helps: without it everything is served, and health tells of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jumun::shared::Shared;
use local::SystemIds;
use redis_adapter::Redis;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{RedisServer, Scenario, TestDatabase, TestRedis, eventually, scenarios};

use super::coupons::terms;
use crate::support::{Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    let suite = scenarios![
        health_is_degraded_while_redis_is_gone,
        orders_need_no_redis,
        coupons_lists_and_rankings_need_no_redis,
    ];
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

/// Whether it is gone or silent: everything is answered, and soon.
async fn coupons_lists_and_rankings_need_no_redis(database: Arc<TestDatabase>) {
    let server = RedisServer::start().await.unwrap();
    let shop = open(database, &server).await;
    shop.create_coupon(terms("NO-REDIS", 3)).await.is(201);
    let product = shop.product(1_000, 10).await;
    for (round, silent) in [true, false].into_iter().enumerate() {
        if silent {
            server.pause().await;
        } else {
            server.go_on().await;
            server.kill().await;
        }
        let buyer = shop.buyer(10_000).await;
        let begun = Instant::now();
        shop.claim("NO-REDIS", buyer).await.is(200);
        shop.claim("NO-REDIS", buyer).await.problem(409, "COUPON_ALREADY_CLAIMED");
        let body = json!({"items": [{"productId": product, "qty": 1}], "couponCode": "NO-REDIS"});
        shop.post("/orders").by(buyer).json(body).await.is(201);
        let page = shop.get("/products").await.ok();
        assert_eq!(page["content"][0]["stock"], 9 - round);
        shop.get(&format!("/products/{product}")).await.is(200);
        let change = json!({"price": 2_000 + round});
        shop.patch(&format!("/products/{product}")).by(shop.admin).json(change).await.is(200);
        assert_eq!(
            shop.get("/products").await.ok()["content"][0]["price"],
            f64::from(2_000 + u32::try_from(round).unwrap())
        );
        let top = shop.get("/stats/popular-products").await.ok();
        assert_eq!(top["products"][0]["soldQty"], 1 + round);
        shop.get("/products/popular").await.is(200);
        // Eleven calls of Redis at 300 ms each would be far above this: the breaker spares most of them.
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    shop.claim("NO-REDIS", shop.user().await).await.is(200);
    shop.claim("NO-REDIS", shop.user().await).await.problem(409, "COUPON_SOLD_OUT");
    shop.assert_audit_is_clean().await;
}
