//! Clients that go away in the middle of a request.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use kernel::{ProductId, UserId};
use serde_json::json;
use testkit::{Scenario, TestDatabase, Turn, eventually, scenarios};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::{Setup, Shop, card, id_in};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_reset_leaves_one_order_or_none_and_a_pool_that_works,
        a_client_that_says_no_more_is_answered_all_the_same,
        a_payment_whose_client_has_gone_is_settled,
    ]
}

/// How many clients go away.
const CLIENTS: u32 = 150;
/// A pool so small that a connection that is lost is missed.
const POOL: u32 = 4;

/// What a client asks for before it goes away.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A whole order.
    Whole,
    /// An order whose last bytes never come.
    Half,
    /// The orders, which are read where the request is served.
    Orders,
    /// The audit, a long transaction.
    Audit,
}

impl Kind {
    const fn of(client: u32) -> Self {
        match client % 6 {
            0..3 => Self::Whole,
            3 => Self::Half,
            4 => Self::Orders,
            _ => Self::Audit,
        }
    }
}

async fn a_reset_leaves_one_order_or_none_and_a_pool_that_works(database: Arc<TestDatabase>) {
    let pool = TestDatabase::open(&database.url, POOL).await;
    let shop = Shop::open_with(database, Setup { database: Some(pool), ..Setup::default() }).await;
    let buyer = shop.buyer(1_000_000).await;
    let product = shop.product(1_000, 1_000).await;
    stream::iter(0..CLIENTS)
        .for_each_concurrent(8, |client| {
            let order = order(&shop, buyer, product, &key(client));
            let request = match Kind::of(client) {
                Kind::Whole => order,
                Kind::Half => order[..order.len() - 20].to_owned(),
                Kind::Orders => get(&shop, "/orders", buyer),
                Kind::Audit => get(&shop, "/admin/audit", shop.admin),
            };
            go_away(shop.addr, request, Duration::from_millis(u64::from(client * 7 % 21)))
        })
        .await;

    // What was begun is finished, however its client fared.
    shop.wiring.tasks.close();
    shop.wiring.tasks.wait().await;
    let reads = || async {
        let reads = (0..4 * POOL).map(|_| shop.get("/orders?size=1").by(buyer).into_future());
        join_all(reads).await.iter().all(|answer| answer.status == 200).then_some(())
    };
    // A connection whose borrower left in the middle of a statement is given up after two seconds.
    eventually("the pool hands out connections", reads).await;
    let idle = || async { (shop.wiring.database.pool_state().busy == 0).then_some(()) };
    eventually("all connections are back", idle).await;
    let begun = Instant::now();
    assert_eq!(reads().await, Some(()));
    assert!(begun.elapsed() < Duration::from_secs(2), "the pool is slow: {:?}", begun.elapsed());
    let abandoned = shop.orders(buyer).await;
    assert!(!abandoned.is_empty(), "no order survived its client: nothing was tested");

    // Each key leads to the order that it has made, or makes it now.
    let mut replayed = BTreeSet::new();
    let mut orders = BTreeSet::new();
    for client in (0..CLIENTS).filter(|client| matches!(Kind::of(*client), Kind::Whole | Kind::Half)) {
        let again = || shop.order(buyer, product, 1).key(key(client));
        let first =
            eventually("the order is settled", || async { Some(again().await).filter(|a| a.status != 409) });
        let first = first.await.is(201);
        assert_eq!(again().await.is(201).text, first.text);
        let id = first.json()["orderId"].as_str().unwrap().to_owned();
        if first.header("idempotency-replayed").is_some() {
            assert_eq!(Kind::of(client), Kind::Whole, "half a request has made an order");
            replayed.insert(id.clone());
        }
        assert!(orders.insert(id), "two keys lead to one order");
    }
    assert!(abandoned.iter().all(|id| replayed.contains(id)), "an order has no key that leads to it");
    assert_eq!(shop.orders(buyer).await.into_iter().collect::<BTreeSet<_>>(), orders);
    let placed = u64::try_from(orders.len()).unwrap();
    assert_eq!(shop.stock(product).await, 1_000 - placed);
    assert_eq!(shop.balance(buyer).await, format!("{}000.00", 1_000 - placed));
    shop.assert_audit_is_clean().await;
}

async fn a_client_that_says_no_more_is_answered_all_the_same(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_000, 10).await;
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    stream.write_all(order(&shop, buyer, product, "half-closed").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(shop.orders(buyer).await.len(), 1);
}

/// The client goes while the gateway is at work: with the money, and then with giving it back.
async fn a_payment_whose_client_has_gone_is_settled(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(5_000).await;
    let product = shop.product(10_000, 10).await;
    let id = shop.waiting(buyer, product, 1).await;
    shop.cards.script([Turn::Slow, Turn::Slow]);
    let mut pay = card(4_000);
    pay["orderId"] = json!(id);
    abandon(&shop, &post(&shop, "/payments", buyer, "pay", &pay.to_string())).await;
    // Nothing is decided yet, and a twin has to wait.
    assert_eq!((shop.status_of(&id).await, shop.balance(buyer).await), ("PENDING".into(), "1000.00".into()));
    let twin = shop.pay(buyer, &id, card(4_000)).key("pay").await;
    twin.problem(409, "REQUEST_IN_PROGRESS");
    assert!(twin.header("retry-after").is_some());
    shop.assert_audit_is_clean().await;
    shop.cards.go_on();
    let is = |status: &'static str| {
        let (shop, id) = (&shop, id.as_str());
        move || async move { (shop.status_of(id).await == status).then_some(()) }
    };
    eventually("the order is paid", is("PAID")).await;
    let answer = shop.pay(buyer, &id, card(4_000)).key("pay").await.is(201);
    assert_eq!((answer.header("idempotency-replayed"), shop.cards.calls()), (Some("true"), 1));
    shop.assert_audit_is_clean().await;

    let path = format!("/payments/{}/refund", id_in(&answer.json(), "paymentId"));
    let body = json!({"reason": "x"});
    abandon(&shop, &post(&shop, &path, buyer, "back", &body.to_string())).await;
    assert_eq!((shop.status_of(&id).await, shop.stock(product).await), ("PAID".into(), 9));
    shop.assert_audit_is_clean().await;
    shop.cards.go_on();
    eventually("the order is given back", is("REFUNDED")).await;
    let answer = shop.post(&path).by(buyer).key("back").json(body).await.is(201);
    assert_eq!((answer.header("idempotency-replayed"), shop.cards.calls()), (Some("true"), 2));
    assert_eq!((shop.balance(buyer).await, shop.stock(product).await), ("5000.00".into(), 10));
    shop.assert_audit_is_clean().await;
}

/// Sends a request and resets the connection once the gateway is at work on it.
async fn abandon(shop: &Shop, request: &str) {
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    shop.cards.arrived.notified().await;
    stream.set_zero_linger().unwrap();
}

/// Sends a request, waits for a while that is the fault itself, and resets the connection.
async fn go_away(addr: SocketAddr, request: String, patience: Duration) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(patience).await;
    stream.set_zero_linger().unwrap();
}

fn key(client: u32) -> String {
    format!("client-{client}")
}

fn order(shop: &Shop, buyer: UserId, product: ProductId, key: &str) -> String {
    post(shop, "/orders", buyer, key, &format!(r#"{{"items":[{{"productId":"{product}","qty":1}}]}}"#))
}

fn post(shop: &Shop, path: &str, buyer: UserId, key: &str, body: &str) -> String {
    format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: {}\r\nX-User-Id: {buyer}\r\nIdempotency-Key: {key}\r\n\
         Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        shop.addr,
        body.len(),
    )
}

fn get(shop: &Shop, path: &str, caller: UserId) -> String {
    format!("GET /api/v1{path} HTTP/1.1\r\nHost: {}\r\nX-User-Id: {caller}\r\n\r\n", shop.addr)
}
