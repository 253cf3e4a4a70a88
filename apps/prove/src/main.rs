//! The drill: three instances and two workers of the built service under load while everything that they
//! need fails in turn, and then a check of all that clients were told.
//!
//! `make prove` runs it; `docs/reliability.md` says what it does to whom, and what must hold.

mod cli;
mod client;
mod drill;
mod faults;
mod history;
mod load;
mod report;
mod shop;
mod site;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use testcontainers_modules::testcontainers::core::error::TestcontainersError;
use thiserror::Error;

/// Why there is no verdict.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Docker refused.
    #[error("Docker refused")]
    Docker(#[from] TestcontainersError),
    /// The database refused.
    #[error("the database refused")]
    Database(#[from] sqlx::Error),
    /// Redis refused.
    #[error("Redis refused")]
    Redis(#[from] redis::RedisError),
    /// A request of the drill itself was not answered.
    #[error("a request was not answered")]
    Http(#[from] reqwest::Error),
    /// Something that ought to be JSON is not.
    #[error("not the JSON that was expected")]
    Json(#[from] serde_json::Error),
    /// A process of the service did not do what the drill needs.
    #[error("{what}: {said}")]
    Process {
        /// Which one, and what it was to do.
        what: String,
        /// What it said.
        said: String,
    },
}

#[expect(clippy::print_stderr, reason = "a command for people")]
#[tokio::main]
async fn main() -> ExitCode {
    match drill::run(cli::Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            eprintln!("prove: {error}{}", cause.unwrap_or_default());
            ExitCode::from(2)
        }
    }
}
