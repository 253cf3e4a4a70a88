//! Closed loop: each connection sends its next request once it has the answer to the last one.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::client::Connection;
use super::random::Random;
use super::sample::{NO_ANSWER, Sample, since};
use super::{Source, on_one_thread};

/// Loads servers for a time from so many connections, which are spread over them.
pub(crate) async fn run(
    addrs: &[SocketAddr],
    connections: usize,
    time: Duration,
    source: Source,
) -> io::Result<Vec<Sample>> {
    let addrs: Vec<SocketAddr> = addrs.iter().copied().cycle().take(connections).collect();
    on_one_thread(move || async move {
        let start = Instant::now();
        let mut tasks = Vec::new();
        for (seed, addr) in (0..).zip(addrs) {
            tasks.push(tokio::spawn(one(addr, seed, start, time, source.clone())));
        }
        let mut samples = Vec::new();
        for task in tasks {
            samples.extend(task.await.unwrap_or_default());
        }
        samples
    })
    .await
}

async fn one(addr: SocketAddr, seed: u64, start: Instant, time: Duration, source: Source) -> Vec<Sample> {
    let mut random = Random::new(seed);
    let mut samples = Vec::new();
    let mut connection = None;
    while start.elapsed() < time {
        let request = source(&mut random).to_wire();
        let begun = Instant::now();
        let status = status(&mut connection, addr, &request).await;
        samples.push(Sample { at: since(start), micros: micros(begun), status });
    }
    samples
}

/// Sends a request, over a new connection if there is none or the last one failed.
pub(super) async fn status(connection: &mut Option<Connection>, addr: SocketAddr, request: &[u8]) -> u16 {
    let mut open = match connection.take() {
        Some(open) => open,
        None => match Connection::open(addr).await {
            Ok(open) => open,
            Err(_) => return NO_ANSWER,
        },
    };
    let Ok(status) = open.status(request).await else { return NO_ANSWER };
    *connection = Some(open);
    status
}

/// Returns how long ago that was, in microseconds.
pub(super) fn micros(begun: Instant) -> u32 {
    u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX)
}
