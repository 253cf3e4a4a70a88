//! A receiver on a port of its own that remembers what it was sent.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::http::header::HeaderMap;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use url::Url;

/// A request as it arrived.
#[derive(Clone)]
pub(crate) struct Received {
    /// Method and path.
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect(name).to_str().unwrap()
    }
}

/// It answers everything alike and stops when it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
    server: ServerHandle,
}

impl Receiver {
    pub(crate) fn answering(answer: fn() -> HttpResponse) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        let server = HttpServer::new(move || {
            let log = Arc::clone(&log);
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                log.lock().unwrap().push(Received {
                    line: format!("{} {}", request.method(), request.path()),
                    headers: request.headers().clone(),
                    body: String::from_utf8(body.to_vec()).unwrap(),
                });
                async move { answer() }
            }))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, requests, server: handle }
    }

    pub(crate) fn base(&self) -> Url {
        base(self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn only_request(&self) -> Received {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "requests");
        requests.into_iter().next().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // The command is given at once; only its completion would have to be awaited.
        drop(self.server.stop(false));
    }
}

/// The base address of a receiver, which has a path of its own.
pub(crate) fn base(address: SocketAddr) -> Url {
    format!("http://{address}/platform").parse().unwrap()
}
