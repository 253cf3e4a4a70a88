//! Bodies that are not what they should be.

use std::sync::Arc;

use serde_json::json;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Shop, exchange};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        broken_json_is_refused,
        text_that_is_not_utf8_is_refused,
        deep_nesting_harms_nobody,
        a_long_body_is_refused_before_it_is_read,
        a_long_body_without_an_announcement_is_refused_as_it_arrives,
        only_json_is_taken,
        a_body_that_ends_too_early_is_no_body,
        a_body_that_does_not_come_is_not_waited_for,
        text_is_data,
    ]
}

async fn broken_json_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    for body in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "[1000]",
        "[[\"amount\",1000]]",
        "null",
        "1",
        "\"x\"",
        "{\"amount\":1000",
        "{\"amount\":1000,}",
        "{'amount':1000}",
        "{amount:1000}",
        "{\"amount\":1000} {}",
        "{\"amount\":1000}x",
        "\u{feff}{\"amount\":1000}",
        "{\"amount\":1000}\0",
        "{\"amount\":\"\\ud800\"}",
        "// comment\n{\"amount\":1000}",
        "amount=1000",
    ] {
        let answer = shop.post("/wallets/charge").by(user).body(body).await;
        let problem = answer.problem(400, "VALIDATION_ERROR");
        let detail = problem["detail"].as_str().unwrap();
        assert!(!detail.contains(" at line ") && !detail.contains("struct "), "{body}: {detail}");
    }
    assert_eq!(shop.balance(user).await, "0.00");
}

async fn text_that_is_not_utf8_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for name in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\xaf"] {
        let body = [b"{\"name\":\"", name, b"\",\"price\":1,\"stock\":1}"].concat();
        shop.post("/products").by(shop.admin).body(body).await.problem(400, "VALIDATION_ERROR");
        let body = [b"{\"products\":[{\"name\":\"", name, b"\",\"price\":1,\"stock\":1}]}"].concat();
        shop.post("/products:bulk").by(shop.admin).body(body).await.problem(400, "VALIDATION_ERROR");
    }
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 0);
}

async fn deep_nesting_harms_nobody(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(1_000).await;
    let deep = [("[", "]"), ("{\"a\":", "}")]
        .map(|(open, close)| format!("{}1{}", open.repeat(100_000), close.repeat(100_000)));
    for deep in &deep {
        for (path, body) in [
            ("/orders", deep.clone()),
            ("/orders", format!(r#"{{"items":{deep}}}"#)),
            ("/orders", format!(r#"{{"items":[{{"productId":{deep},"qty":1}}]}}"#)),
            ("/orders", format!(r#"{{"items":[],"x":{deep}}}"#)),
            ("/orders", format!(r#"{{"items":[],"expectedAmount":{deep}}}"#)),
            ("/wallets/charge", format!(r#"{{"amount":{deep}}}"#)),
            ("/products:bulk", format!(r#"{{"products":[{deep}]}}"#)),
            ("/products:bulk", format!(r#"{{"products":[{{"name":{deep},"price":1,"stock":1}}]}}"#)),
        ] {
            let caller = if path.starts_with("/products") { shop.admin } else { buyer };
            let answer = shop.post(path).by(caller).body(body).await;
            answer.problem(400, "VALIDATION_ERROR");
            assert!(answer.text.len() < 10_000, "{} bytes", answer.text.len());
        }
    }
    assert_eq!(shop.balance(buyer).await, "1000.00");
}

async fn a_long_body_is_refused_before_it_is_read(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    for length in ["1048577", "99999999999", "9223372036854775807"] {
        let head = head(&shop, user, &format!("Content-Length: {length}"));
        exchange(shop.addr, head.as_bytes()).await.problem(413, "PAYLOAD_TOO_LARGE");
    }
    // The longest body that is taken is taken.
    let body = format!("{}{}", r#"{"amount":1000}"#, " ".repeat(1024 * 1024 - 15));
    assert_eq!(body.len(), 1024 * 1024);
    shop.post("/wallets/charge").by(user).body(body.clone()).await.is(200);
    shop.post("/wallets/charge").by(user).body(body + " ").await.problem(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(shop.balance(user).await, "1000.00");
}

async fn a_long_body_without_an_announcement_is_refused_as_it_arrives(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let head = head(&shop, user, "Transfer-Encoding: chunked");
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n", " ".repeat(length));
    let json = "f\r\n{\"amount\":1000}\r\n";
    let taken = format!("{head}{json}{}0\r\n\r\n", chunk(1024 * 1024 - 15));
    assert_eq!(exchange(shop.addr, taken.as_bytes()).await.status, 200);
    let refused = format!("{head}{json}{}{}0\r\n\r\n", chunk(1024 * 1024 - 15), chunk(1));
    exchange(shop.addr, refused.as_bytes()).await.problem(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(shop.balance(user).await, "1000.00");
}

async fn only_json_is_taken(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let charge = |media: &str| {
        shop.post("/wallets/charge").by(user).header("Content-Type", media).untyped(r#"{"amount":1000}"#)
    };
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "application/problem+json",
        "json",
        "",
    ] {
        charge(media).await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    let none = shop.post("/wallets/charge").by(user).untyped(r#"{"amount":1000}"#);
    none.await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let twice = charge("application/json").header("Content-Type", "text/plain");
    twice.await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(shop.balance(user).await, "0.00");
    for media in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        charge(media).await.is(200);
    }
}

async fn a_body_that_ends_too_early_is_no_body(database: Arc<TestDatabase>) {
    use tokio::io::AsyncWriteExt;

    let shop = Shop::open(database).await;
    let user = shop.user().await;
    for length in ["Content-Length: 20", "Transfer-Encoding: chunked"] {
        let mut stream = tokio::net::TcpStream::connect(shop.addr).await.unwrap();
        let head = head(&shop, user, length);
        stream.write_all(format!("{head}{{\"amount\":1000}}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        // The server closes the connection, with an answer or without.
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
        assert!(!String::from_utf8_lossy(&rest).starts_with("HTTP/1.1 2"), "{length}");
    }
    // Framing that two readers would understand in two ways is understood in none.
    for framing in [
        "Content-Length: 15\r\nTransfer-Encoding: chunked",
        "Content-Length: 15\r\nContent-Length: 16",
        "Content-Length: -1",
    ] {
        let request = format!("{}{{\"amount\":1000}}", head(&shop, user, framing));
        let answer = exchange(shop.addr, request.as_bytes()).await;
        assert_eq!(answer.status, 400, "{framing}: {answer:?}");
    }
    assert_eq!(shop.balance(user).await, "0.00");
}

/// It takes as long as the server is patient: ten seconds.
async fn a_body_that_does_not_come_is_not_waited_for(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let request = format!("{}{{", head(&shop, user, "Content-Length: 15"));
    let (slow, quick) =
        tokio::join!(exchange(shop.addr, request.as_bytes()), shop.charge(user, "1000").into_future());
    assert_eq!(quick.status, 200, "{}", quick.text);
    slow.problem(408, "REQUEST_TIMEOUT");
    assert_eq!(shop.balance(user).await, "1000.00");
}

async fn text_is_data(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for name in [
        "'; DROP TABLE products; --",
        "\" OR \"\"=\"",
        "${jndi:ldap://x}",
        "<script>alert(1)</script>",
        "\\u0000 %00 %s {0}",
        "🍵 차 茶 \u{202e}",
    ] {
        let product = shop.product_named(name, "1000", 1).await;
        let shown = shop.get(&format!("/products/{product}")).await.ok();
        assert_eq!(shown["name"], json!(name));
    }
    assert_eq!(shop.get("/products").await.ok()["totalElements"], 6);
}

/// The head of a charge whose body is described by `framing`.
fn head(shop: &Shop, user: kernel::UserId, framing: &str) -> String {
    format!(
        "POST /api/v1/wallets/charge HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nX-User-Id: {user}\r\n\
         Content-Type: application/json\r\n{framing}\r\n\r\n",
        shop.addr
    )
}
