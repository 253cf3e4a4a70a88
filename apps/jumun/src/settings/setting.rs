//! What a type needs in order to be a setting, and the plain types that are.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::Value;
use url::Url;

/// What a secret is shown as.
pub(super) const MASK: &str = "********";

/// A type that a setting can have: how it is read, shown and explained.
pub(super) trait Setting: Sized {
    /// What a value is, with its article: `"fast" is not {WHAT}`.
    const WHAT: &'static str;

    /// Returns what to write: `use {allowed}`.
    fn allowed() -> String;

    /// Reads a value, which is trimmed and not empty; `None` if it is not one.
    fn parse(text: &str) -> Option<Self>;

    /// Returns the value as a TOML literal, what is secret in it masked, or `None` if it is unset.
    fn literal(&self) -> Option<String>;

    /// Returns the value of a setting that nobody gave, or `None` if it has to be given.
    fn absent() -> Option<Self> {
        None
    }

    /// Returns whether the text of a wrong value has to stay out of the message about it.
    fn conceals(_text: &str) -> bool {
        false
    }
}

/// Returns text as a TOML string on one line; what JSON escapes TOML reads.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

impl<T: Setting> Setting for Option<T> {
    const WHAT: &'static str = T::WHAT;

    fn allowed() -> String {
        T::allowed()
    }

    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Some)
    }

    fn literal(&self) -> Option<String> {
        self.as_ref().and_then(T::literal)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn conceals(text: &str) -> bool {
        T::conceals(text)
    }
}

impl Setting for bool {
    const WHAT: &'static str = "a boolean";

    fn allowed() -> String {
        "true or false".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn literal(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for u32 {
    const WHAT: &'static str = "a count";

    fn allowed() -> String {
        "a whole number".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn literal(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for usize {
    const WHAT: &'static str = "a count";

    fn allowed() -> String {
        "a whole number".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn literal(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for SocketAddr {
    const WHAT: &'static str = "an address with a port";

    fn allowed() -> String {
        "an IP address and a port such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

/// A file; whether it is there is found out by whoever reads it.
impl Setting for PathBuf {
    const WHAT: &'static str = "a file";

    fn allowed() -> String {
        "the path of a file".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(Self::from(text))
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.display().to_string()))
    }
}

impl Setting for Duration {
    const WHAT: &'static str = "a duration";

    fn allowed() -> String {
        "a number with a unit such as 30s, 5m or 24h".into()
    }

    fn parse(text: &str) -> Option<Self> {
        humantime_serde::deserialize(IntoDeserializer::<Error>::into_deserializer(text)).ok()
    }

    fn literal(&self) -> Option<String> {
        let text = humantime_serde::serialize(self, serde_json::value::Serializer).ok()?;
        Some(text.to_string())
    }
}

impl Setting for Tz {
    const WHAT: &'static str = "a time zone";

    fn allowed() -> String {
        "a name of the IANA time zone database such as Asia/Seoul".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(self.name()))
    }
}

/// The base address of a service that is called by HTTP; it carries no credentials, so it may be shown.
impl Setting for Url {
    const WHAT: &'static str = "the address of a service";

    fn allowed() -> String {
        "http://… or https://… without user name, query and fragment".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let url = Self::parse(text).ok()?;
        let anonymous = url.username().is_empty() && url.password().is_none();
        let plain = anonymous && url.query().is_none() && url.fragment().is_none();
        (matches!(url.scheme(), "http" | "https") && url.has_host() && plain).then_some(url)
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(self.as_str()))
    }

    fn conceals(text: &str) -> bool {
        text.contains(['@', '?', '#'])
    }
}
