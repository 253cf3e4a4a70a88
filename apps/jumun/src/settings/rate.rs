//! How many requests a caller may send.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::setting::{Setting, quoted};

/// A number of requests in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many requests.
    pub count: NonZeroU32,
    /// In which time: a second or a minute.
    pub per: Duration,
}

/// How many requests a caller may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// As many as it likes.
    Off,
    /// So many, and no more.
    Limit(Rate),
}

impl Rate {
    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_mins(1);
    /// More than this is no limit, and its pauses would round to nothing.
    const MOST: u32 = 1_000_000;

    fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let per = match unit {
            "s" => Self::SECOND,
            "m" => Self::MINUTE,
            _ => return None,
        };
        let count: NonZeroU32 = count.parse().ok()?;
        (count.get() <= Self::MOST).then_some(Self { count, per })
    }
}

impl RateLimit {
    /// Returns the limit, or `None` if there is none.
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::Limit(rate) => Some(rate),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, if self.per == Self::SECOND { "s" } else { "m" })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Limit(rate) => rate.fmt(f),
        }
    }
}

impl Setting for RateLimit {
    const WHAT: &'static str = "a rate";

    fn allowed() -> String {
        format!("a number from 1 to {} per s or m such as 100/s, or off", Rate::MOST)
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "off" { Some(Self::Off) } else { Rate::parse(text).map(Self::Limit) }
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}
