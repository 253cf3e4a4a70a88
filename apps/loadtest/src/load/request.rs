//! A request that either kind of client can send.

use uuid::Uuid;

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Reads.
    Get,
    /// Does something.
    Post,
    /// Puts something in its place.
    Put,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request of somebody, or of a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// How it is asked.
    pub(crate) method: Method,
    /// The path with its query.
    pub(crate) path: String,
    /// Who asks.
    pub(crate) user: Option<Uuid>,
    /// A body of JSON.
    pub(crate) body: Option<String>,
}

impl Request {
    /// A visitor who reads.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::Get, path: path.into(), user: None, body: None }
    }

    /// A user who does something.
    pub(crate) fn post(path: impl Into<String>, user: Uuid, body: Option<String>) -> Self {
        Self { method: Method::Post, path: path.into(), user: Some(user), body }
    }

    /// Names who asks.
    #[must_use]
    pub(crate) fn by(self, user: Uuid) -> Self {
        Self { user: Some(user), ..self }
    }

    /// Writes the request as it goes over the wire.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let (method, path) = (self.method.name(), &self.path);
        let user = self.user.map(|user| format!("X-User-Id: {user}\r\n")).unwrap_or_default();
        let body = self.body.as_deref().unwrap_or_default();
        let kind = if self.body.is_some() { "Content-Type: application/json\r\n" } else { "" };
        let length = match self.method {
            Method::Get => String::new(),
            Method::Post | Method::Put => format!("Content-Length: {}\r\n", body.len()),
        };
        format!(
            "{method} {path} HTTP/1.1\r\nHost: jumun\r\nAccept: application/json\r\n{user}{kind}{length}\r\n{body}"
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_http() {
        let request = Request::post("/orders", Uuid::nil(), Some("{}".into()));
        let expected = "POST /orders HTTP/1.1\r\nHost: jumun\r\nAccept: application/json\r\n\
            X-User-Id: 00000000-0000-0000-0000-000000000000\r\nContent-Type: application/json\r\n\
            Content-Length: 2\r\n\r\n{}";
        assert_eq!(String::from_utf8(request.to_wire()).unwrap(), expected);
        let request = Request::get("/products");
        let expected = "GET /products HTTP/1.1\r\nHost: jumun\r\nAccept: application/json\r\n\r\n";
        assert_eq!(String::from_utf8(request.to_wire()).unwrap(), expected);
    }
}
