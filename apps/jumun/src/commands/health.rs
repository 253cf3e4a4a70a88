//! `jumun health`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use reqwest::{Client, redirect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{CommandError, print};

/// How long the process may take to answer: longer than it waits for its own dependencies.
const PATIENCE: Duration = Duration::from_secs(4);
/// As much of an answer as is read; more than its head takes.
const LONGEST: u64 = 4096;

/// Asks the process that listens on `addr` whether it is ready; the exit code is 1 if it is not.
///
/// It is the health check of the image, which has neither a shell nor a client of HTTP in it (ADR-033).
pub(super) async fn run(addr: SocketAddr, tls: bool) -> Result<ExitCode, CommandError> {
    let addr = reachable(addr);
    let question = async { if tls { ask_by_tls(addr).await } else { ask(addr).await } };
    let asked = tokio::select! {
        status = question => status,
        () = tokio::time::sleep(PATIENCE) => Err(std::io::ErrorKind::TimedOut.into()),
    };
    let status = asked.map_err(|error| CommandError::because(&format!("{addr} does not answer"), &error))?;
    if status == 200 {
        print(&format!("{addr} is ready"));
        return Ok(ExitCode::SUCCESS);
    }
    Err(CommandError(format!("{addr} is not ready: it answers {status}")))
}

/// A process that listens on every address is asked on its own.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    };
    SocketAddr::new(ip, addr.port())
}

/// Asks for the readiness and returns the status of the answer.
async fn ask(addr: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    status_of(&answer).ok_or_else(|| std::io::Error::other("the answer is no HTTP"))
}

/// Asks by TLS. The certificate is not looked at: it is made out for the name that callers use and not for an
/// address of this machine, and nothing is said that has to be kept from anybody.
async fn ask_by_tls(addr: SocketAddr) -> std::io::Result<u16> {
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(std::io::Error::other)?;
    let answer = client.get(format!("https://{addr}/health/ready")).send().await;
    answer.map(|answer| answer.status().as_u16()).map_err(std::io::Error::other)
}

/// Reads the status line (RFC 9112, section 4).
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_asked_on_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), asked);
        }
    }

    #[test]
    fn only_an_answer_of_http_has_a_status() {
        for (answer, status) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Some(200)),
            ("HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n", Some(503)),
            ("HTTP/1.1 200", Some(200)),
            ("HTTP/1.1", None),
            ("HTTP/1.1 OK\r\n", None),
            ("SSH-2.0-x 200\r\n", None),
            ("", None),
        ] {
            assert_eq!(status_of(answer.as_bytes()), status, "{answer:?}");
        }
    }
}
