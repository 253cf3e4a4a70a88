//! A process that dies between the gate and the database takes nobody's coupon along.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use coupon::{CouponGate, GateTiming};
use kernel::CouponId;
use local::SystemIds;
use redis_adapter::{Redis, RedisGate};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{RedisServer, TestRedis, eventually};
use tokio::process::{Child, Command};

const ADMIN: &str = "00000000-0000-7000-8000-000000000001";
const UNLUCKY: &str = "00000000-0000-7000-8000-000000000002";
const NEXT: &str = "00000000-0000-7000-8000-000000000003";

/// Starts an instance on the database in `folder`; with a fault point it dies there.
async fn start(folder: &TempDir, redis: &str, fault: Option<&str>) -> (Child, SocketAddr) {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (addr, stand_ins) = (free(), free());
    let mut command = Command::new(env!("CARGO_BIN_EXE_jumun"));
    command.arg("serve").current_dir(folder.path()).env_clear().kill_on_drop(true);
    command.env("JUMUN_HTTP_ADDR", addr.to_string()).env("JUMUN_STAND_INS_ADDR", stand_ins.to_string());
    command.env("JUMUN_REDIS_URL", redis).stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(fault) = fault {
        command.env("FAULT_POINT", fault);
    }
    let child = command.spawn().unwrap();
    let begun = Instant::now();
    while reqwest::get(format!("http://{addr}/health/live")).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the instance does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (child, addr)
}

async fn post(addr: SocketAddr, path: &str, user: &str, body: &Value) -> reqwest::Result<Response> {
    let request = Client::new().post(format!("http://{addr}/api/v1{path}")).header("X-User-Id", user);
    request.json(body).send().await
}

async fn claim(addr: SocketAddr, user: &str) -> (u16, Value) {
    let answer = post(addr, "/coupons/ONLY/claim", user, &Value::Null).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The last piece is kept for a user whose instance dies before it has asked the database. Another user gets
/// it within seconds: once the place has run out, or by asking the database all the same.
#[tokio::test]
async fn a_place_that_nobody_takes_is_given_to_the_next() {
    if let Some(missing) = TestRedis::missing() {
        assert!(std::env::var("REQUIRE_SERVICES").is_err(), "REQUIRE_SERVICES=1, and no {missing}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let redis = RedisServer::start().await.unwrap();
    let (survivor, addr) = start(&folder, redis.url(), None).await;
    let (mut victim, doomed) = start(&folder, redis.url(), Some("coupon-admitted")).await;
    let coupon = json!({"code": "ONLY", "name": "The only one", "type": "FIXED", "value": 1, "quantity": 1,
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2120-01-01T00:00:00Z"});
    let created: Value = post(addr, "/coupons", ADMIN, &coupon).await.unwrap().json().await.unwrap();
    let id = CouponId::from_uuid(created["couponId"].as_str().unwrap().parse().unwrap());
    let gate = Redis::new(redis.url(), "", Arc::new(SystemIds)).unwrap();
    let gate = RedisGate::new(gate, GateTiming::default());
    assert!(gate.begin(id, 1).await.unwrap() && gate.open(id, 1, 1, &[]).await.unwrap());

    assert!(post(doomed, "/coupons/ONLY/claim", UNLUCKY, &Value::Null).await.is_err(), "it dies");
    assert!(!victim.wait().await.unwrap().success());
    let begun = Instant::now();
    let got = eventually("the next one gets it", async || {
        let (status, answer) = claim(addr, NEXT).await;
        (status == 200).then_some(answer)
    })
    .await;
    assert_eq!(got["status"], "CLAIMED");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    let (status, refused) = claim(addr, UNLUCKY).await;
    assert_eq!((status, &refused["error"]), (409, &json!("COUPON_SOLD_OUT")));
    let shown: Value =
        reqwest::get(format!("http://{addr}/api/v1/coupons/ONLY")).await.unwrap().json().await.unwrap();
    assert_eq!(shown["remaining"], 0);
    drop(survivor);
}
