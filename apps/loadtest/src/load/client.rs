//! A lean HTTP/1.1 client: one connection that is kept, one request at a time.
//!
//! It reads what the service and the comparison server answer: a status line, headers with
//! `Content-Length`, a body. A general client costs several times as much for each request, on the cores of
//! what it measures.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::request::Request;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Bytes up to and with the empty line.
    length: usize,
    /// Bytes after it.
    body: usize,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and returns the status of its answer.
    pub(crate) async fn status(&mut self, request: &[u8]) -> io::Result<u16> {
        Ok(self.exchange(request).await?.status)
    }

    /// Sends a request and returns status, headers and body.
    pub(crate) async fn answer(&mut self, request: &Request) -> io::Result<(u16, String, String)> {
        let head = self.exchange(&request.to_wire()).await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (headers, body) = self.buffer.split_at(head.length);
        Ok((head.status, text(headers), text(body)))
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Head> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head.is_none() {
                head = parse(&self.buffer)?;
            }
            if let Some(head) = head.filter(|head| self.buffer.len() >= head.length + head.body) {
                return Ok(head);
            }
        }
    }
}

/// Reads a head; `None` while it is not complete.
fn parse(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let malformed = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| malformed("a head that is no text"))?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| malformed("no status"))?;
    let mut body = (status == 204 || status == 304).then_some(0);
    for line in lines {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            body = body.or(value.trim().parse().ok());
        }
    }
    let body = body.ok_or_else(|| malformed("an answer without a length"))?;
    Ok(Some(Head { status, length: end + 4, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_heads() {
        let read = |text: &str| parse(text.as_bytes());
        assert_eq!(read("HTTP/1.1 201 Created\r\ncontent-le").unwrap(), None);
        let head = read("HTTP/1.1 201 Created\r\nX: y\r\ncontent-LENGTH: 12\r\n\r\n{").unwrap().unwrap();
        assert_eq!(head, Head { status: 201, length: 50, body: 12 });
        let head = read("HTTP/1.1 304 Not Modified\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.status, head.body), (304, 0));
        assert!(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(read("HTTP/1.1 so OK\r\n\r\n").is_err());
    }
}
