//! Why the settings are not accepted, in one line each.

use std::io;

use thiserror::Error;

/// Why the settings are not accepted; the text is one line and shows no secret.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A value breaks the rule of its type.
    #[error("{}: {value} is not {what}; use {allowed}", place(key, file.as_deref()))]
    Invalid {
        /// The setting.
        key: &'static str,
        /// The file that gave the value, unless it was the environment.
        file: Option<String>,
        /// The value in quotes, or a stand-in where it may be secret.
        value: String,
        /// What it should have been.
        what: &'static str,
        /// What to write instead.
        allowed: String,
    },
    /// A value is too small or too large.
    #[error("{}: {value} is out of range; use {least} to {most}", place(key, None))]
    OutOfRange {
        /// The setting.
        key: &'static str,
        /// The value.
        value: String,
        /// The smallest value allowed.
        least: String,
        /// The largest value allowed.
        most: String,
    },
    /// A setting without a default was not given.
    #[error("{}: not set; use {allowed}", place(key, None))]
    Missing {
        /// The setting.
        key: &'static str,
        /// What to write.
        allowed: String,
    },
    /// A setting is not safe in production.
    #[error("{}: {reason}", place(key, None))]
    Refused {
        /// The setting.
        key: &'static str,
        /// Why, and what to do instead.
        reason: &'static str,
    },
    /// A file sets something that does not exist.
    #[error("{file}: {key:?} is not a setting; use {allowed}")]
    UnknownKey {
        /// The file.
        file: String,
        /// What it sets.
        key: String,
        /// What can be set.
        allowed: String,
    },
    /// A file is not TOML, or not of single values.
    #[error("{file}: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// Where and why.
        reason: String,
    },
    /// A file exists and cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: io::Error,
    },
    /// The directory that was named for the files is none.
    #[error("JUMUN_CONFIG_DIR: {0:?} is not a directory; name the one with the settings files, or unset it")]
    NoDirectory(String),
}

/// Names the variable of a setting, and the file that gave its value.
fn place(key: &str, file: Option<&str>) -> String {
    let variable = super::load::variable(key);
    match file {
        Some(file) => format!("{variable} ({key} in {file})"),
        None => variable,
    }
}
