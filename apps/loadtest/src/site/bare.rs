//! A bare actix-web server that answers the service's own bytes from memory: what HTTP itself can do here.

use std::net::SocketAddr;
use std::path::Path;

use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::{Deserialize, Serialize};

/// An answer of the service, to be given again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Canned {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers, but those that the server writes itself.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body.
    pub(crate) body: String,
}

impl Canned {
    /// Takes an answer as it came over the wire.
    pub(crate) fn new(status: u16, head: &str, body: String) -> Self {
        let own = ["content-length", "date", "connection"];
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let headers = headers.filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Self { status, headers, body }
    }

    fn answer(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.append_header((name.as_str(), value.as_str()));
        }
        response.body(self.body.clone())
    }
}

/// Answers every request with what is in the file, with as many threads as the service has.
pub(crate) async fn serve(addr: SocketAddr, file: &Path) -> std::io::Result<()> {
    let canned: Canned = serde_json::from_slice(&std::fs::read(file)?)?;
    let canned = web::Data::new(canned);
    let app = move || App::new().app_data(canned.clone()).default_service(web::to(answer));
    HttpServer::new(app).bind(addr)?.run().await
}

async fn answer(canned: web::Data<Canned>, _body: web::Bytes) -> HttpResponse {
    canned.answer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_given_again_as_it_was() {
        let head = "HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\ncontent-type: application/problem+json\r\n\
            date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\n";
        let canned = Canned::new(409, head, "{}".into());
        assert_eq!(canned.headers, [("content-type".to_owned(), "application/problem+json".to_owned())]);
        let answer = canned.answer();
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        assert_eq!(answer.headers().get("content-type").unwrap(), "application/problem+json");
    }
}
