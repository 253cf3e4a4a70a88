//! TLS that the process ends itself.

use std::net::SocketAddr;
use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::tls::Version;
use reqwest::{Certificate, Client, ClientBuilder};
use serde_json::{Value, json};
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::{Server, Site};

const BUYER: &str = "00000000-0000-7000-8000-000000000002";

/// Writes a certificate and its key into a folder, and returns the certificate.
fn certify(folder: &Path, name: &str) -> Certificate {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), cert.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), signing_key.serialize_pem()).unwrap();
    Certificate::from_pem(cert.pem().as_bytes()).unwrap()
}

/// Starts a client that trusts this certificate and no other.
fn trusting(certificate: &Certificate) -> ClientBuilder {
    Client::builder().no_proxy().tls_certs_only([certificate.clone()])
}

/// Starts a server with TLS; nothing but notices tells it how charges end.
fn secured(site: &Site) -> Server {
    site.serve(&[
        ("JUMUN_TLS_CERTIFICATE", "api.pem"),
        ("JUMUN_TLS_KEY", "api.key"),
        ("JUMUN_WORKER", "false"),
    ])
}

async fn answer(request: reqwest::RequestBuilder, status: u16) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status, "{answer:?}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn callers_and_notices_are_served_by_tls() {
    let site = Site::new();
    let certificate = certify(site.path(), "api");
    let server = secured(&site);
    assert!(server.api.starts_with("https://127.0.0.1:"), "{}", server.api);
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let client = trusting(&certificate).tls_version_min(version).tls_version_max(version);
        let live = client.build().unwrap().get(format!("{}/health/live", server.api));
        assert_eq!(answer(live, 200).await["status"], "UP", "{version:?}");
    }
    let client = trusting(&certificate).build().unwrap();
    let api = format!("{}/api/v1", server.api);
    let tea = json!({"productId": "00000000-0000-7000-8000-000000000101", "qty": 1});
    let order = client.post(format!("{api}/orders")).header("X-User-Id", BUYER);
    let order = answer(order.json(&json!({"items": [tea], "payment": "LATER"})), 201).await;
    let body = json!({"orderId": order["orderId"], "method": "CARD", "cardToken": "tok_late"});
    let payment = client.post(format!("{api}/payments")).header("X-User-Id", BUYER).json(&body);
    let payment = answer(payment, 202).await;
    let payment = format!("{api}/payments/{}", payment["paymentId"].as_str().unwrap());
    eventually("the notice arrives", async || {
        let shown = client.get(&payment).header("X-User-Id", BUYER);
        (answer(shown, 200).await["status"] == "SUCCESS").then_some(())
    })
    .await;
}

/// Returns what comes back, to its end.
async fn exchange(addr: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr.parse::<SocketAddr>().unwrap()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // Whoever is not understood may find the connection reset.
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

/// The first words of a client that speaks no later version than this one.
fn hello(version: [u8; 2]) -> Vec<u8> {
    // A random number, no session, ECDHE with AES under RSA and ECDSA, no compression, the curve P-256, and signatures.
    let mut words = [version.as_slice(), &[7; 32], &[0, 0, 4, 0xc0, 0x14, 0xc0, 0x0a, 1, 0]].concat();
    words.extend([0, 24, 0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4]);
    let length = u8::try_from(words.len()).unwrap();
    let message = [vec![1, 0, 0, length], words].concat();
    [vec![22, 3, 1, 0, length + 4], message].concat()
}

#[tokio::test]
async fn nobody_is_served_without_tls_or_by_an_old_one() {
    const ALERT: u8 = 21;
    const PROTOCOL_VERSION: u8 = 70;
    let site = Site::new();
    let certificate = certify(site.path(), "api");
    let server = secured(&site);
    let plain = exchange(server.addr(), b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let plain = plain.await;
    assert!(!String::from_utf8_lossy(&plain).contains("HTTP/"), "{plain:?}");
    for old in [[3, 1], [3, 2]] {
        let refused = exchange(server.addr(), &hello(old)).await;
        assert!(matches!(refused[..], [ALERT, 3, _, 0, 2, 2, PROTOCOL_VERSION]), "{refused:?}");
    }
    // It is the version that was refused.
    let current = exchange(server.addr(), &hello([3, 3])).await;
    assert_ne!(current.last(), Some(&PROTOCOL_VERSION), "{current:?}");
    // Who trusts somebody else does not speak to it.
    let other = certify(site.path(), "other");
    let stranger = trusting(&other).build().unwrap().get(format!("{}/health/live", server.api));
    assert!(stranger.send().await.unwrap_err().is_connect());
    // Strangers are no trouble of ours, however many there are.
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    let live = trusting(&certificate).build().unwrap().get(format!("{}/health/live", server.api));
    answer(live, 200).await;
}

#[test]
fn health_asks_by_tls() {
    let site = Site::new();
    certify(site.path(), "api");
    let server = secured(&site);
    let addr = server.addr();
    let files =
        [("JUMUN_TLS_CERTIFICATE", "api.pem"), ("JUMUN_TLS_KEY", "api.key"), ("JUMUN_HTTP_ADDR", addr)];
    for (arguments, settings, healthy) in [
        (["health"].as_slice(), files.as_slice(), true),
        (&["health", "--addr", addr, "--tls"], &[], true),
        (&["health", "--tls"], &files[2..], true),
        (&["health", "--addr", addr], &[], false),
        (&["health"], &files[2..], false),
    ] {
        let output = site.run(arguments, settings);
        assert_eq!(output.status.success(), healthy, "{arguments:?} {settings:?} {output:?}");
    }
}

#[test]
fn files_that_do_not_serve_stop_the_start_with_a_line() {
    let site = Site::new();
    for name in ["api", "other"] {
        certify(site.path(), name);
    }
    std::fs::write(site.path().join("hush"), "hush").unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----\n";
    std::fs::write(site.path().join("broken"), broken).unwrap();
    for (certificate, key, expected) in [
        ("api.pem", "", "JUMUN_TLS_KEY: not set; use the file with the key of JUMUN_TLS_CERTIFICATE"),
        ("", "api.key", "JUMUN_TLS_CERTIFICATE: not set; use the file with the certificate of JUMUN_TLS_KEY"),
        ("none.pem", "api.key", "JUMUN_TLS_CERTIFICATE: none.pem: cannot be read: No such file"),
        ("api.pem", "none.key", "JUMUN_TLS_KEY: none.key: cannot be read: No such file"),
        ("hush", "api.key", "JUMUN_TLS_CERTIFICATE: hush: has no certificate in PEM"),
        ("broken", "api.key", "JUMUN_TLS_"),
        ("api.key", "api.key", "JUMUN_TLS_CERTIFICATE: api.key: has no certificate in PEM"),
        ("api.pem", "hush", "JUMUN_TLS_KEY: hush: has no key in PEM"),
        ("api.pem", "api.pem", "JUMUN_TLS_KEY: api.pem: has no key in PEM"),
        ("api.pem", "other.key", "JUMUN_TLS_KEY: other.key: not the key of the certificate"),
    ] {
        let output = site.run(&["serve"], &[("JUMUN_TLS_CERTIFICATE", certificate), ("JUMUN_TLS_KEY", key)]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{certificate} {key}");
        assert!(line.starts_with(&format!("jumun: {expected}")), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.replace(": hush:", "").contains("hush"), "{line}");
    }
}
