//! What callers send stays data in the log: nobody forges a line or paints a terminal.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::{Server, Site};

/// What would be a line, or a command to the reader's terminal, if it were written as it came.
const FORGED: &str = "\r\n{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"ERROR\",\"message\":\"forged-9d2\"}\r\n\
     \u{1b}[31mred\u{1b}[0m ${jndi:ldap://127.0.0.1/x} \u{7}\u{9b}2J";
/// Somebody whom the server has to look up.
const NOBODY: &str = "00000000-0000-7000-8000-00000000dead";
/// The trace of each hostile request.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Sends bytes as they are.
async fn send(addr: &str, head: &[u8], body: &str) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let rest = format!(
        "Host: {addr}\r\nConnection: close\r\ntraceparent: 00-{TRACE}-b7ad6b7169203331-01\r\n\
         X-User-Id: {NOBODY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(&[head, rest.as_bytes()].concat()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    // Nothing of it becomes a header of the answer either.
    let head = answer.split("\r\n\r\n").next().unwrap();
    assert!(head.starts_with("HTTP/1.1 ") && !head.contains('\u{1b}'), "{head}");
    assert!(!head.lines().any(|line| line.starts_with(['{', 'f', ' ', '\t'])), "{head}");
}

/// Sends what is hostile in every place that reaches a log.
async fn attack(server: &Server) {
    let addr = server.addr();
    let person = json!({"email": "kim@example.com", "name": FORGED, "password": "correct horse"});
    let product = json!({"name": FORGED, "price": 1_000, "stock": 1}).to_string();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\n").into_bytes();
    let with = |header: &[u8]| [&get("/api/v1/products/x"), header, b"\r\n"].concat();
    for head in [
        get("/api/v1/products/%0d%0a%7b%22level%22:%22ERROR%22,%22message%22:%22forged-9d2%22%7d"),
        get("/api/v1/products/%1b%5b31mred?q=%0d%0aforged-9d2"),
        get("/api/v1/products/${jndi:dns:127.0.0.1}"),
        get("/api/v1/products/\"},{\"message\":\"forged-9d2\"}"),
        b"GET /api/v1/\x1b[31m HTTP/1.1\r\n".to_vec(),
        with(b"User-Agent: \x1b[31m${jndi:ldap://x}\"forged-9d2\""),
        with(b"User-Agent: x\r\n {\"message\":\"forged-9d2\"}"),
        with(b"X-Request-Id: \"},{\"message\":\"forged-9d2\"}"),
        with(b"X-Request-Id: x\x1b[31m"),
        with(b"X-Request-Id: x\r\n\tforged-9d2"),
        with("Idempotency-Key: \u{9b}2J\u{1b}".as_bytes()),
        with(b"Accept-Language: ${jndi:ldap://x}"),
    ] {
        send(addr, &head, "").await;
    }
    send(addr, b"POST /api/v1/users HTTP/1.1\r\n", &person.to_string()).await;
    send(addr, b"POST /api/v1/products HTTP/1.1\r\n", &product).await;
    send(addr, b"POST /api/v1/auth/refresh HTTP/1.1\r\n", &json!({"refreshToken": FORGED}).to_string()).await;
}

/// Returns the lines that a server logs in this form while it is attacked.
async fn lines(format: &str) -> String {
    let site = Site::new();
    let server = site.serve(&[("JUMUN_LOG", "trace,sqlx=trace"), ("JUMUN_LOG_FORMAT", format)]);
    // Without its users a server cannot find out who calls, and logs each request that it had to give up.
    let database = site.path().join("data/jumun.db");
    let database = sea_orm::Database::connect(format!("sqlite://{}", database.display())).await.unwrap();
    database.execute_unprepared("ALTER TABLE users RENAME TO gone").await.unwrap();
    attack(&server).await;
    let log = server.log();
    let said = |what: &str| {
        assert!(log.lines().any(|line| line.contains(TRACE) && line.contains(what)), "{what}: {log}");
    };
    ["%1b%5b31mred", "forged-9d2", "${jndi:dns:127.0.0.1}", "request failed"].into_iter().for_each(said);
    assert!(!log.contains(['\u{1b}', '\u{9b}', '\u{7}', '\r']), "{log}");
    log
}

#[tokio::test]
async fn a_json_line_is_one_object_whatever_is_in_it() {
    for line in lines("json").await.lines() {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for member in ["timestamp", "level", "target"] {
            assert!(object[member].is_string(), "{line}");
        }
        assert_ne!(object["message"], "forged-9d2", "{line}");
        assert_eq!(line.matches("\"level\":\"").count(), 1, "{line}");
    }
}

#[tokio::test]
async fn a_line_for_people_begins_with_its_time() {
    for line in lines("text").await.lines() {
        let (date, _) = line.split_once('T').unwrap_or_else(|| panic!("{line}"));
        assert!(date.len() == 10 && date.starts_with("20"), "{line}");
    }
}
