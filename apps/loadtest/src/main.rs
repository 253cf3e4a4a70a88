//! The load test: what the service does under load, beside what its database and HTTP itself can do here.
//!
//! `make bench` and `make bench-embedded` run it; `docs/performance.md` says what it measures and how.

mod bench;
mod cli;
mod growth;
mod load;
mod raw;
mod report;
mod site;

use std::process::ExitCode;

use clap::Parser;
use thiserror::Error;

/// Why there is no result.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The database refused.
    #[error("the database refused")]
    Database(#[from] sqlx::Error),
    /// goose refused.
    #[error("goose refused: {0:?}")]
    Goose(Box<goose::GooseError>),
    /// Something that ought to be JSON is not.
    #[error("not the JSON that was expected")]
    Json(#[from] serde_json::Error),
    /// A command of the service failed.
    #[error("jumun {command}: {said}")]
    Command {
        /// Which one.
        command: String,
        /// What it said.
        said: String,
    },
    /// A process ended or does not answer; its log is in the folder of the report.
    #[error("{0} does not become ready; see its log")]
    NotReady(String),
    /// The database has nobody to buy or nothing to sell.
    #[error("there are no users or no products")]
    EmptyShop,
    /// The service answered what it must not.
    #[error("{what}: {status} {body}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
}

impl From<goose::GooseError> for Failure {
    fn from(error: goose::GooseError) -> Self {
        Self::Goose(Box::new(error))
    }
}

#[expect(clippy::print_stderr, reason = "a command for people")]
#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            eprintln!("loadtest: {error}{}", cause.unwrap_or_default());
            ExitCode::from(2)
        }
    }
}
