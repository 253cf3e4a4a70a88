//! What clients do to the service: they go away, or they take their time.

use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

use super::{Done, Fault};
use crate::Failure;
use crate::cli::Pace;
use crate::client::{Client, Request};
use crate::history::{Attempt, Effect, Entry};
use crate::load::Load;

/// How many clients go away at the same time.
const AT_ONCE: usize = 24;

pub(super) async fn strike(fault: Fault, load: &Load, pace: Pace, rng: &mut Rng) -> Result<Done, Failure> {
    if fault == Fault::ClientsSlow {
        return be_slow(load, pace).await;
    }
    let each = if pace == Pace::Short { 60 } else { 1_200 };
    let mut requests = Vec::new();
    for number in 0..each {
        let user = load.shop.buyers[number % load.shop.buyers.len()];
        requests.extend(writes(load, user, number, rng).await?);
    }
    rng.shuffle(&mut requests);
    let (count, endpoints) = (requests.len(), requests.len() / each);
    let addrs = &load.addrs;
    let patience: Vec<_> = (0..count).map(|_| Duration::from_millis(rng.u64(..50))).collect();
    stream::iter(requests.into_iter().zip(patience).enumerate())
        .for_each_concurrent(AT_ONCE, async |(place, ((effect, request), took))| {
            let at = load.now();
            let answer = Client::abandon(&addrs[place % addrs.len()..], &request, took).await;
            load.history.record(Entry { effect, request, attempts: vec![Attempt { at, took, answer }] });
        })
        .await;
    let what = format!(
        "{count} connections reset after 0 to 50 ms, {each} on each of {endpoints} writing endpoints"
    );
    Ok(Done::times(count, what))
}

/// Returns a request to each endpoint that writes; what they need is made first.
async fn writes(
    load: &Load,
    user: Uuid,
    number: usize,
    rng: &mut Rng,
) -> Result<Vec<(Effect, Request)>, Failure> {
    let products = &load.shop.products[..5];
    let product = products[rng.usize(..products.len())];
    let order = |payment: &str| json!({"items": [{"productId": product, "qty": 1}], "payment": payment});
    let key = |what: &str| format!("reset-{what}-{number}");
    let addr = load.addrs[number % load.addrs.len()];
    let mut unpaid = Vec::new();
    for what in ["to pay", "to cancel", "to refund"] {
        let request = Request::post("/orders", user, &order("LATER")).keyed(key(what));
        unpaid.push(id(&load.obtain(addr, Effect::Order, request).await?, "orderId")?);
    }
    let card = |order: Uuid| json!({"orderId": order, "method": "CARD", "cardToken": "tok_ok"});
    let request = Request::post("/payments", user, &card(unpaid[2])).keyed(key("paid"));
    let payment = id(&load.obtain(addr, Effect::Payment(unpaid[2]), request).await?, "paymentId")?;

    let amount = load.next_charge();
    let none = |path: String| Request { body: None, ..Request::post(path, user, &Value::Null) };
    let write = |effect, request: Request, what: &str| (effect, request.keyed(key(what)));
    let piece = Request::post(format!("/cart/items/{product}"), user, &json!({"qty": 1}));
    Ok(vec![
        // A cart has no key: who does not know what became of it looks.
        (Effect::Read, Request { method: Method::PUT, ..piece }),
        write(Effect::Order, Request::post("/orders", user, &order("POINT")), "order"),
        write(
            Effect::Charge(amount),
            Request::post("/wallets/charge", user, &json!({ "amount": amount })),
            "charge",
        ),
        write(Effect::Payment(unpaid[0]), Request::post("/payments", user, &card(unpaid[0])), "payment"),
        write(Effect::Cancellation(unpaid[1]), none(format!("/orders/{}/cancel", unpaid[1])), "cancel"),
        write(
            Effect::Refund(payment),
            Request::post(format!("/payments/{payment}/refund"), user, &json!({"reason": "gone"})),
            "refund",
        ),
    ])
}

fn id(body: &Value, member: &str) -> Result<Uuid, Failure> {
    let id = body[member].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Failure::Process { what: member.to_owned(), said: body.to_string() })
}

/// Opens connections that say nothing, and others that never end what they say.
async fn be_slow(load: &Load, pace: Pace) -> Result<Done, Failure> {
    let (each, time) = (if pace == Pace::Short { 300 } else { 2_000 }, pace.seconds(5, 30));
    let mut quiet = Vec::new();
    let mut slow = Vec::new();
    for number in 0..each {
        let addr = load.addrs[number % load.addrs.len()];
        quiet.push(TcpStream::connect(addr).await?);
        if number % 10 == 0 {
            slow.push(begin(addr, "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nX-Slow").await?);
            let head = "POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                X-User-Id: 00000000-0000-7000-8000-000000000002\r\nContent-Length: 1000\r\n\r\n{";
            slow.push(begin(addr, head).await?);
        }
    }
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < time {
        // A byte a second; whoever was hung up on stays so.
        for stream in &mut slow {
            let _ = stream.write_all(b" ").await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(format!("{each} silent connections, {} that send a byte a second, for {time:?}", slow.len()).into())
}

async fn begin(addr: SocketAddr, words: &str) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(words.as_bytes()).await?;
    Ok(stream)
}
