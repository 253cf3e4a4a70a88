//! A TCP proxy that harms what goes through it: between a service and its database, or its Redis.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// Passes it on.
    #[default]
    Whole,
    /// Passes it on, answers later by so much.
    Late(Duration),
    /// Keeps connections open and passes nothing on, until it is whole again: a host that has vanished.
    Silent,
    /// Resets every connection, and each new one at once.
    Down,
}

/// Which side of a request a connection is cut at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The request does not arrive.
    Before,
    /// The request arrives, and its answer does not.
    After,
}

/// Connections that are reset once a request with certain bytes comes through.
#[derive(Clone, Debug)]
struct Trap {
    bytes: &'static [u8],
    cut: Cut,
    times: u32,
}

/// How the wire is at the moment. The number changes when all connections are to be reset.
#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    wire: Wire,
    cuts: u64,
}

/// A proxy in front of one address, on a port of its own for as long as it lives.
pub struct FaultProxy {
    addr: SocketAddr,
    weather: watch::Sender<Weather>,
    trap: Arc<Mutex<Option<Trap>>>,
    accepting: JoinHandle<()>,
}

impl FaultProxy {
    /// Begins to pass on what comes to `upstream`, such as `127.0.0.1:3306`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(upstream: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::default());
        let trap = Arc::default();
        let accepting = tokio::spawn(accept(listener, upstream.to_owned(), seen, Arc::clone(&trap)));
        Ok(Self { addr, weather, trap, accepting })
    }

    /// Returns where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes how the wire is, for connections that are there as well.
    pub fn set(&self, wire: Wire) {
        self.weather.send_modify(|weather| weather.wire = wire);
    }

    /// Resets all connections that there are.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Resets the connections of the next so many requests that contain `bytes`, such as `COMMIT`.
    pub fn cut_at(&self, bytes: &'static [u8], cut: Cut, times: u32) {
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(Trap { bytes, cut, times });
    }

    /// Undoes [`Self::cut_at`].
    pub fn forget_cuts(&self) {
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Tells how many of the requests that [`Self::cut_at`] names are still to come.
    pub fn cuts_to_come(&self) -> u32 {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, |trap| trap.times)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    upstream: String,
    weather: watch::Receiver<Weather>,
    trap: Arc<Mutex<Option<Trap>>>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, weather, trap) = (upstream.clone(), weather.clone(), Arc::clone(&trap));
        tokio::spawn(async move { pass_on(client, &upstream, weather, &trap).await });
    }
}

/// Serves one connection until either side ends it or it is cut, and resets what is left of it.
async fn pass_on(
    mut client: TcpStream,
    upstream: &str,
    mut weather: watch::Receiver<Weather>,
    trap: &Mutex<Option<Trap>>,
) {
    let seen = *weather.borrow_and_update();
    let server = if seen.wire == Wire::Down { None } else { TcpStream::connect(upstream).await.ok() };
    let _ = client.set_zero_linger();
    let Some(mut server) = server else { return };
    let _ = (server.set_zero_linger(), server.set_nodelay(true), client.set_nodelay(true));
    // Borrowed halves: an owned one says goodbye when it is dropped, and a reset says nothing.
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let (requests, answers) = (weather.clone(), weather.clone());
    let (lost, is_lost) = watch::channel(false);
    tokio::select! {
        () = send_requests(from_client, to_server, requests, trap, lost) => {}
        () = send_answers(from_server, to_client, answers, is_lost) => {}
        () = until_cut(weather, seen.cuts) => {}
    }
}

/// Waits until connections are to be reset.
async fn until_cut(mut weather: watch::Receiver<Weather>, cuts: u64) {
    // The proxy itself is gone when it cannot be waited for.
    let _ = weather.wait_for(|now| now.wire == Wire::Down || now.cuts != cuts).await;
}

/// Waits while nothing is passed on.
async fn until_heard(weather: &mut watch::Receiver<Weather>) {
    let _ = weather.wait_for(|now| now.wire != Wire::Silent).await;
}

async fn send_requests(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    trap: &Mutex<Option<Trap>>,
    lost: watch::Sender<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        until_heard(&mut weather).await;
        let sprung = spring(trap, &buffer[..length]);
        if sprung == Some(Cut::Before) {
            return;
        }
        if sprung == Some(Cut::After) {
            lost.send_replace(true);
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Passes answers on, until one is to be lost: then it is waited for, since it proves that the request was
/// carried out.
async fn send_answers(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    is_lost: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if *is_lost.borrow() {
            return;
        }
        let wire = weather.borrow().wire;
        if let Wire::Late(delay) = wire {
            tokio::time::sleep(delay).await;
        }
        until_heard(&mut weather).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Tells whether a request falls into the trap.
fn spring(trap: &Mutex<Option<Trap>>, request: &[u8]) -> Option<Cut> {
    let mut trap = trap.lock().unwrap_or_else(PoisonError::into_inner);
    let set = trap.as_mut().filter(|set| request.windows(set.bytes.len()).any(|part| part == set.bytes))?;
    set.times -= 1;
    let cut = set.cut;
    if set.times == 0 {
        *trap = None;
    }
    Some(cut)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// A server that answers with what it was told, and how often it was told something.
    async fn echo() -> (FaultProxy, watch::Receiver<u32>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = FaultProxy::start(&listener.local_addr().unwrap().to_string()).await.unwrap();
        let (count, told) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let count = count.clone();
                tokio::spawn(async move {
                    let mut buffer = [0; 100];
                    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                        count.send_modify(|count| *count += 1);
                        if stream.write_all(&buffer[..length]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        (proxy, told)
    }

    async fn ask(stream: &mut TcpStream, what: &[u8]) -> io::Result<Vec<u8>> {
        stream.write_all(what).await?;
        let mut answer = vec![0; what.len()];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn what_is_late_or_silent_arrives_in_the_end() {
        let (proxy, _) = echo().await;
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(ask(&mut stream, b"one").await.unwrap(), b"one");
        proxy.set(Wire::Late(Duration::from_millis(50)));
        let begun = Instant::now();
        assert_eq!(ask(&mut stream, b"two").await.unwrap(), b"two");
        assert!(begun.elapsed() >= Duration::from_millis(50));

        proxy.set(Wire::Silent);
        let asked = tokio::spawn(async move { ask(&mut stream, b"three").await.unwrap() });
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(!asked.is_finished());
        proxy.set(Wire::Whole);
        assert_eq!(asked.await.unwrap(), b"three");
    }

    #[tokio::test]
    async fn connections_are_reset_and_new_ones_work() {
        let (proxy, _) = echo().await;
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        ask(&mut stream, b"one").await.unwrap();
        proxy.cut();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        ask(&mut stream, b"two").await.unwrap();
        proxy.set(Wire::Down);
        stream.read(&mut [0; 1]).await.unwrap_err();
        let mut refused = TcpStream::connect(proxy.addr()).await.unwrap();
        ask(&mut refused, b"three").await.unwrap_err();
    }

    #[tokio::test]
    async fn a_request_is_cut_before_it_arrives_or_after() {
        for (cut, arrived) in [(Cut::Before, 1), (Cut::After, 2)] {
            let (proxy, mut told) = echo().await;
            proxy.cut_at(b"COMMIT", cut, 1);
            let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
            ask(&mut stream, b"BEGIN").await.unwrap();
            assert_eq!(proxy.cuts_to_come(), 1);
            ask(&mut stream, b"..COMMIT").await.unwrap_err();
            assert_eq!(proxy.cuts_to_come(), 0);
            told.wait_for(|count| *count == arrived).await.unwrap();
            let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
            ask(&mut stream, b"COMMIT").await.unwrap();
        }
    }
}
