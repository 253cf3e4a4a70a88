//! A process that dies while it takes money or gives it back leaves nothing half done.
//!
//! The gateway is a process of its own that survives, and tells nobody: only asking finds out.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const BUYER: &str = "00000000-0000-7000-8000-000000000002";
/// Green tea for 12,500 won, of which the demo shop has 250.
const TEA: &str = "00000000-0000-7000-8000-000000000102";
const STOCK: u64 = 250;
/// How long it may take until all is settled: an attempt that the gateway has not heard of is given up when it
/// is 30 s old, and a question is asked within a minute after the one before.
const PATIENCE: Duration = Duration::from_mins(2);

/// A database and a gateway that outlive the service.
struct Site {
    folder: TempDir,
    gateway: SocketAddr,
    _gateway: Child,
}

/// The service, as long as it lives.
struct Service {
    child: Child,
    addr: SocketAddr,
}

fn free_addr() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn until_it_answers(addr: SocketAddr) {
    let begun = Instant::now();
    while reqwest::get(format!("http://{addr}/health/live")).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{addr} does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Site {
    async fn open() -> Self {
        let (folder, gateway) = (tempfile::tempdir().unwrap(), free_addr());
        let mut command = Self::command(&folder, &["stand-ins", "--addr", &gateway.to_string()]);
        let nowhere = "http://127.0.0.1:9/";
        let child = command.env("JUMUN_STAND_INS_NOTICE_URL", nowhere).spawn().unwrap();
        until_it_answers(gateway).await;
        Self { folder, gateway, _gateway: child }
    }

    fn command(folder: &TempDir, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jumun"));
        command.args(arguments).current_dir(folder.path()).env_clear().kill_on_drop(true);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts the service on the database; with a fault point it dies there.
    async fn start(&self, fault: Option<&str>) -> Service {
        let addr = free_addr();
        let mut command = Self::command(&self.folder, &["serve"]);
        let gateway = format!("http://{}/", self.gateway);
        command.env("JUMUN_HTTP_ADDR", addr.to_string()).env("JUMUN_PAYMENT_GATEWAY_URL", &gateway);
        command.env("JUMUN_STAND_INS_ADDR", "127.0.0.1:0");
        if let Some(fault) = fault {
            command.env("FAULT_POINT", fault);
        }
        let child = command.spawn().unwrap();
        until_it_answers(addr).await;
        Service { child, addr }
    }

    /// Lists something that the gateway has, of its own accord.
    async fn gateway(&self, path: &str) -> Vec<Value> {
        let url = format!("http://{}/v1/payments{path}", self.gateway);
        let list: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        list["content"].as_array().unwrap().clone()
    }

    async fn assert_audit_is_clean(&self) {
        let mut audit = Self::command(&self.folder, &["audit"]);
        let output = audit.stdout(Stdio::piped()).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

impl Service {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = Client::new().request(method, format!("http://{}/api/v1{path}", self.addr));
        request.header("X-User-Id", BUYER)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Sends a request under a key, and returns its answer; none from a process that dies of it.
    async fn post(&self, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key);
        let answer = request.json(body).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// Sends a request again until it is not said to be under way any more.
    async fn insist(&self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let begun = Instant::now();
        loop {
            let (status, answer) = self.post(path, key, body).await.unwrap();
            if answer["error"] != "REQUEST_IN_PROGRESS" {
                return (status, answer);
            }
            assert!(begun.elapsed() < PATIENCE, "{answer}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Shows something as soon as it has left the status PENDING.
    async fn settled(&self, path: &str) -> Value {
        let begun = Instant::now();
        loop {
            let shown = self.get(path).await;
            if shown["status"] != "PENDING" {
                return shown;
            }
            assert!(begun.elapsed() < PATIENCE, "{shown}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for the death of a process that was sent a request.
    async fn dies_of(mut self, path: &str, key: &str, body: &Value) {
        assert_eq!(self.post(path, key, body).await, None, "it dies before it answers");
        assert!(!self.child.wait().await.unwrap().success());
    }

    /// Places an order for two of the teas, to be paid later.
    async fn order(&self) -> String {
        let body = json!({"items": [{"productId": TEA, "qty": 2}], "payment": "LATER"});
        let (status, order) = self.post("/orders", "order", &body).await.unwrap();
        assert_eq!((status, &order["status"]), (201, &json!("PENDING")), "{order}");
        order["orderId"].as_str().unwrap().to_owned()
    }

    async fn only_payment(&self, order: &str) -> Value {
        let payments = self.get(&format!("/orders/{order}/payments")).await;
        let payments = payments.as_array().or_else(|| payments["content"].as_array()).unwrap();
        assert_eq!(payments.len(), 1, "{payments:?}");
        payments[0].clone()
    }

    async fn balance(&self) -> i64 {
        won(&self.get("/wallets").await["balance"])
    }

    async fn stock(&self) -> u64 {
        self.get(&format!("/products/{TEA}")).await["stock"].as_u64().unwrap()
    }
}

/// Reads an amount, which has no decimals that are not zero.
fn won(amount: &Value) -> i64 {
    let text = amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
    text.split_once('.').map_or(&*text, |(won, _)| won).parse().unwrap()
}

fn pay(order: &str) -> Value {
    json!({"orderId": order, "method": "CARD", "cardToken": "tok_ok", "usePoint": 5_000})
}

/// Nobody can know that the gateway was not asked until it says so long enough after the attempt: then the
/// points are back, and the order can be paid.
#[tokio::test]
async fn an_attempt_that_never_reached_the_gateway_is_given_up() {
    let site = Site::open().await;
    let victim = site.start(Some("payment-begun")).await;
    let order = victim.order().await;
    victim.dies_of("/payments", "pay", &pay(&order)).await;

    let service = site.start(None).await;
    let attempt = service.only_payment(&order).await;
    assert_eq!((&attempt["status"], service.balance().await), (&json!("PENDING"), 995_000));
    let attempt = service.settled(&format!("/payments/{}", attempt["paymentId"].as_str().unwrap())).await;
    let (status, reason) = (&attempt["status"], &attempt["failureReason"]);
    assert_eq!((status, reason), (&json!("FAILED"), &json!("UNKNOWN_TO_GATEWAY")));
    assert_eq!((service.balance().await, service.stock().await), (1_000_000, STOCK - 2));
    assert_eq!(service.get(&format!("/orders/{order}")).await["status"], "PENDING");
    // The same request is answered and is no new attempt.
    let (_, again) = service.insist("/payments", "pay", &pay(&order)).await;
    assert_eq!(again["paymentId"], attempt["paymentId"], "{again}");
    assert_eq!(site.gateway("").await.len(), 0);
    // Another one is, and pays the order.
    let (status, paid) = service.post("/payments", "pay again", &pay(&order)).await.unwrap();
    assert_eq!((status, &paid["status"]), (201, &json!("SUCCESS")), "{paid}");
    assert_eq!((site.gateway("").await.len(), service.balance().await), (1, 995_000));
    site.assert_audit_is_clean().await;
}

#[tokio::test]
async fn money_that_was_taken_when_the_process_died_pays_the_order_once() {
    let site = Site::open().await;
    let victim = site.start(Some("payment-charged")).await;
    let order = victim.order().await;
    victim.dies_of("/payments", "pay", &pay(&order)).await;
    assert_eq!(site.gateway("").await.len(), 1);

    let service = site.start(None).await;
    let shown = service.settled(&format!("/orders/{order}")).await;
    assert_eq!(shown["status"], "PAID");
    let payment = service.only_payment(&order).await;
    assert_eq!(payment["status"], "SUCCESS");
    let (_, again) = service.insist("/payments", "pay", &pay(&order)).await;
    assert_eq!(again["paymentId"], payment["paymentId"], "{again}");
    let charges = site.gateway("").await;
    assert_eq!((charges.len(), won(&charges[0]["amount"])), (1, 20_000));
    assert_eq!((service.balance().await, service.stock().await), (995_000, STOCK - 2));
    site.assert_audit_is_clean().await;
}

/// Refunds one of the two teas in a process that dies at a fault point.
async fn is_refunded_once(fault: &str, at_the_gateway: usize) {
    let site = Site::open().await;
    let victim = site.start(Some(fault)).await;
    let order = victim.order().await;
    let (status, payment) = victim.post("/payments", "pay", &pay(&order)).await.unwrap();
    assert_eq!(status, 201, "{payment}");
    let payment = payment["paymentId"].as_str().unwrap();
    let refunds = format!("/{}/refunds", site.gateway("").await[0]["id"].as_str().unwrap());
    let path = format!("/payments/{payment}/refund");
    let wanted = json!({"reason": "too bitter", "items": [{"productId": TEA, "qty": 1}]});
    victim.dies_of(&path, "back", &wanted).await;
    assert_eq!(site.gateway(&refunds).await.len(), at_the_gateway);

    let service = site.start(None).await;
    assert_eq!((service.balance().await, service.stock().await), (995_000, STOCK - 2));
    let (status, again) = service.insist(&path, "back", &wanted).await;
    assert!([201, 202].contains(&status), "{again}");
    let refund = service.settled(&format!("/refunds/{}", again["refundId"].as_str().unwrap())).await;
    assert_eq!(refund["status"], "SUCCESS", "{refund}");
    let (_, again) = service.insist(&path, "back", &wanted).await;
    assert_eq!(again["refundId"], refund["refundId"], "{again}");

    let given = site.gateway(&refunds).await;
    assert_eq!((given.len(), won(&given[0]["amount"])), (1, 10_000), "{given:?}");
    assert_eq!((service.balance().await, service.stock().await), (997_500, STOCK - 1));
    assert_eq!(service.get(&format!("/orders/{order}")).await["status"], "PARTIALLY_REFUNDED");
    site.assert_audit_is_clean().await;
}

#[tokio::test]
async fn a_refund_that_the_gateway_was_not_asked_for_is_given_once() {
    is_refunded_once("refund-begun", 0).await;
}

#[tokio::test]
async fn a_refund_that_was_given_when_the_process_died_is_not_given_again() {
    is_refunded_once("refund-confirmed", 1).await;
}
