//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::bench::{Bench, Pace};
use crate::growth::GrowthArgs;
use crate::site::bare;
use crate::{Failure, growth, report};

/// Loads the service and reports what it did, beside what its database and HTTP itself can do here.
#[derive(Debug, Parser)]
#[command(name = "loadtest", subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all scenarios and write report.html and report.json.
    ///
    /// The exit code is 1 if an audit found something, or 2 if something could not be run. Targets that are
    /// missed do not change it: they depend on the machine.
    Bench(BenchArgs),
    /// Load the service with more and more orders in the tables, instances and connections.
    ///
    /// Writes growth.html and growth.json. The exit code is as that of `bench`.
    Growth(GrowthArgs),
    /// Answer every request with what is in the file, from memory.
    #[command(hide = true)]
    Bare {
        /// Where to listen.
        addr: SocketAddr,
        /// Status, headers and body as JSON.
        file: PathBuf,
    },
}

/// What to load, and for how long.
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// The program to load.
    #[arg(long, value_name = "FILE", default_value = "target/release/jumun")]
    pub(crate) jumun: PathBuf,
    /// The folder of the report.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    pub(crate) out: PathBuf,
    /// How long it takes: about a minute, or some.
    #[arg(long, value_enum, default_value_t = Pace::Full)]
    pub(crate) pace: Pace,
    /// Load the service on SQLite instead of MySQL and Redis.
    #[arg(long)]
    pub(crate) embedded: bool,
    /// A MySQL server whose databases `jumun_bench` and `jumun_raw` may be dropped.
    #[arg(long, env = "JUMUN_TEST_MYSQL_URL", value_name = "URL", required_unless_present = "embedded")]
    pub(crate) mysql: Option<String>,
    /// A Redis server that may be emptied.
    #[arg(long, env = "JUMUN_TEST_REDIS_URL", value_name = "URL", required_unless_present = "embedded")]
    pub(crate) redis: Option<String>,
}

/// Does what the command line asks; returns whether everything holds.
pub(crate) async fn run(cli: Cli) -> Result<bool, Failure> {
    match cli.command {
        Command::Bench(args) => {
            let out = args.out.clone();
            let outcome = Bench::prepare(args).await?.run().await?;
            report::write(&outcome, &out)?;
            Ok(outcome.is_sound())
        }
        Command::Growth(args) => growth::run(args).await,
        Command::Bare { addr, file } => {
            bare::serve(addr, &file).await?;
            Ok(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn is_well_formed() {
        Cli::command().debug_assert();
    }
}
