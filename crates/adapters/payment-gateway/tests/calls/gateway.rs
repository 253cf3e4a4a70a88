//! A gateway on a port of its own that answers as it is told and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What it does with a request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Writes these bytes and closes the connection.
    Write(Vec<u8>),
    /// Waits and then does that.
    WriteLate(Duration, Vec<u8>),
    /// Keeps the connection open and writes nothing more than this.
    FallSilent(Vec<u8>),
}

/// A whole answer.
pub(crate) fn answer(status: &str, body: &str) -> Act {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    Act::Write(format!("{head}{body}").into_bytes())
}

/// It does one act a request, the last one for ever, and stops when it is dropped.
pub(crate) struct Gateway {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Gateway {
    pub(crate) async fn doing(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let (log, acts) = (Arc::clone(&log), acts.clone());
                tokio::spawn(serve(connection, log, acts));
            }
        });
        Self { address, requests, serving }
    }

    pub(crate) fn base(&self) -> Url {
        base(self.address)
    }

    /// Everything it was asked, letter by letter.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn only_request(&self) -> String {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The base address of a gateway, which has a path of its own.
pub(crate) fn base(address: SocketAddr) -> Url {
    format!("http://{address}/pay").parse().unwrap()
}

async fn serve(mut connection: TcpStream, log: Arc<Mutex<Vec<String>>>, acts: Vec<Act>) {
    let request = read(&mut connection).await;
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request);
        log.len() - 1
    };
    // Who hangs up in the middle is the client, and may.
    match acts[number.min(acts.len() - 1)].clone() {
        Act::Write(bytes) => drop(connection.write_all(&bytes).await),
        Act::WriteLate(delay, bytes) => {
            tokio::time::sleep(delay).await;
            drop(connection.write_all(&bytes).await);
        }
        Act::FallSilent(bytes) => {
            drop(connection.write_all(&bytes).await);
            drop(connection.read_to_end(&mut Vec::new()).await);
        }
    }
}

/// Reads a request to its end.
async fn read(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text.into_owned();
            }
        }
        assert_ne!(connection.read_buf(&mut bytes).await.unwrap(), 0, "the request ends early");
    }
}
