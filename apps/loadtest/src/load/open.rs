//! A fixed offered rate: requests begin when they are due, whether earlier ones have been answered or not.
//!
//! Each latency is measured from when its request was due. If all connections are busy then, the wait for one
//! of them belongs to it: else the requests that a slow server keeps from being sent would be left out of
//! the percentiles (coordinated omission). goose has no such load: its throttle holds a request back before
//! its clock starts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::closed::{micros, status};
use super::random::Random;
use super::sample::{Sample, since};
use super::{Source, on_one_thread};

/// Offers `rate` requests a second for a time, over at most so many connections.
pub(crate) async fn run(
    addr: SocketAddr,
    connections: usize,
    rate: f64,
    time: Duration,
    source: Source,
) -> io::Result<Vec<Sample>> {
    on_one_thread(move || async move {
        let start = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for number in 0..connections {
            let (next, source) = (next.clone(), source.clone());
            tasks.push(tokio::spawn(async move {
                let mut random = Random::new(number as u64);
                let mut samples = Vec::new();
                let mut connection = None;
                while let Some(due) = due(next.fetch_add(1, Ordering::Relaxed), rate, time) {
                    let due = start + due;
                    let request = source(&mut random).to_wire();
                    tokio::time::sleep_until(due.into()).await;
                    let status = status(&mut connection, addr, &request).await;
                    samples.push(Sample { at: since(start), micros: micros(due), status });
                }
                samples
            }));
        }
        let mut samples = Vec::new();
        for task in tasks {
            samples.extend(task.await.unwrap_or_default());
        }
        samples
    })
    .await
}

/// Returns when a request is due after the start; `None` after the end.
#[expect(clippy::cast_precision_loss, reason = "as many requests as a double counts are never sent")]
fn due(number: u64, rate: f64, time: Duration) -> Option<Duration> {
    let due = Duration::from_secs_f64(number as f64 / rate);
    (due < time).then_some(due)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_even_steps_until_the_end() {
        let time = Duration::from_secs(2);
        assert_eq!(due(0, 10.0, time), Some(Duration::ZERO));
        assert_eq!(due(7, 10.0, time), Some(Duration::from_millis(700)));
        assert_eq!(due(19, 10.0, time), Some(Duration::from_millis(1_900)));
        assert_eq!(due(20, 10.0, time), None);
    }

    #[tokio::test]
    async fn the_wait_for_a_connection_belongs_to_the_latency() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        // A server that takes 20 ms for each request, while one is due each 2 ms on the only connection.
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1024];
            while stream.read(&mut buffer).await.unwrap() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
        });
        let source: Source = Arc::new(|_| super::super::request::Request::get("/"));
        let samples = run(addr, 1, 500.0, Duration::from_millis(40), source).await.unwrap();
        server.await.unwrap();
        assert_eq!(samples.len(), 20);
        assert!(samples.iter().all(|sample| sample.status == 200));
        // The last of 20 was due after 38 ms and is answered after 400 ms at the earliest.
        assert!(samples.iter().map(|sample| sample.micros).max() > Some(350_000), "{samples:?}");
    }
}
