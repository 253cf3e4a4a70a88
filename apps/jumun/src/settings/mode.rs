//! Settings that are one word out of a few.

use std::fmt;

use super::setting::{Setting, quoted};

/// Where the service runs, which chooses the file with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A developer's machine, with nothing else installed.
    Local,
    /// A shared environment that developers may break.
    Dev,
    /// Production, which refuses what is only safe elsewhere.
    Prod,
}

/// How a caller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// The header `X-User-Id` is believed.
    Header,
    /// A bearer token is required.
    Jwt,
    /// A bearer token, or else the header.
    Both,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Profile {
    /// Returns the name of the file with the settings of this profile.
    pub(super) fn file_name(self) -> String {
        format!("{self}.toml")
    }

    /// Returns the contents that file had when the program was compiled.
    pub(super) const fn built_in(self) -> &'static str {
        match self {
            Self::Local => include_str!("../../../../config/local.toml"),
            Self::Dev => include_str!("../../../../config/dev.toml"),
            Self::Prod => include_str!("../../../../config/prod.toml"),
        }
    }
}

impl AuthMode {
    /// Returns whether the header `X-User-Id` is believed.
    pub const fn header(self) -> bool {
        matches!(self, Self::Header | Self::Both)
    }
}

/// One word out of a few.
trait Word: Copy + 'static {
    const WHAT: &'static str;
    const ALL: &'static [Self];

    fn word(self) -> &'static str;
}

impl Word for Profile {
    const WHAT: &'static str = "a profile";
    const ALL: &'static [Self] = &[Self::Local, Self::Dev, Self::Prod];

    fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }
}

impl Word for AuthMode {
    const WHAT: &'static str = "a way to know a caller";
    const ALL: &'static [Self] = &[Self::Header, Self::Jwt, Self::Both];

    fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Jwt => "jwt",
            Self::Both => "both",
        }
    }
}

impl Word for LogFormat {
    const WHAT: &'static str = "a log format";
    const ALL: &'static [Self] = &[Self::Text, Self::Json];

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl<T: Word> Setting for T {
    const WHAT: &'static str = T::WHAT;

    fn allowed() -> String {
        let words: Vec<_> = T::ALL.iter().map(|choice| choice.word()).collect();
        match words.split_last() {
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        T::ALL.iter().copied().find(|choice| choice.word() == text)
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(self.word()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
