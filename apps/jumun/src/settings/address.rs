//! Addresses of services that are reached with a password; they print without it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::{Position, Url};

use super::setting::{MASK, Setting, quoted};

/// The address of the database, `sqlite://…` or `mysql://…`; it prints without its password.
#[derive(Clone)]
pub struct DatabaseUrl(Address);

/// The address of Redis, `redis://…` or, with TLS, `rediss://…`; it prints without its password.
#[derive(Clone)]
pub struct RedisUrl(Address);

#[derive(Clone)]
struct Address {
    text: SecretString,
    masked: String,
}

impl DatabaseUrl {
    /// Returns the whole address, its password included.
    pub fn expose(&self) -> &str {
        self.0.text.expose_secret()
    }

    /// Returns whether the database is SQLite; it is MySQL otherwise.
    pub fn is_sqlite(&self) -> bool {
        self.expose().starts_with("sqlite:")
    }
}

impl RedisUrl {
    /// Returns the whole address, its password included.
    pub fn expose(&self) -> &str {
        self.0.text.expose_secret()
    }
}

impl Address {
    /// Takes the address of a server.
    ///
    /// A password in which `/`, `?` or `#` is not percent-encoded seems to end the address early, and
    /// would be shown as a part of it: an `@` after that point gives it away.
    fn server(text: &str, schemes: &[&str]) -> Option<(Self, Url)> {
        let mut url = Url::parse(text).ok()?;
        let clean = url.has_host() && url.fragment().is_none() && !url[Position::BeforePath..].contains('@');
        if !clean || !schemes.contains(&url.scheme()) {
            return None;
        }
        if url.password().is_some() {
            url.set_password(Some(MASK)).ok()?;
        }
        Some((Self { text: text.into(), masked: url.to_string() }, url))
    }

    fn file(text: &str) -> Self {
        Self { text: text.into(), masked: text.into() }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.masked)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.masked)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl Setting for DatabaseUrl {
    const WHAT: &'static str = "the address of a database";

    fn allowed() -> String {
        "sqlite://path?mode=rwc or mysql://user:password@host:port/database, the password percent-encoded"
            .into()
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return (!path.is_empty() && !path.starts_with('?')).then(|| Self(Address::file(text)));
        }
        let (address, url) = Address::server(text, &["mysql"])?;
        let database = url.path().trim_start_matches('/');
        (!database.is_empty() && !database.contains('/')).then_some(Self(address))
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }

    fn conceals(_text: &str) -> bool {
        true
    }
}

impl Setting for RedisUrl {
    const WHAT: &'static str = "the address of Redis";

    fn allowed() -> String {
        "redis://:password@host:port or rediss://:password@host:port, the password percent-encoded".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Address::server(text, &["redis", "rediss"]).map(|(address, _)| Self(address))
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }

    fn conceals(_text: &str) -> bool {
        true
    }
}
