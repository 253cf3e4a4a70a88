//! The binary `jumun`.

use std::process::ExitCode;

use clap::Parser;
use jumun::cli::Cli;
use jumun::commands;

#[tokio::main]
async fn main() -> ExitCode {
    commands::run(Cli::parse()).await
}
