//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Harms everything that the service needs, under load, and checks what clients were told.
///
/// Needs Docker: MySQL and Redis are its own. The exit code is 1 if something that must hold is broken, or 2
/// if the drill could not be run.
#[derive(Clone, Debug, Parser)]
#[command(name = "prove")]
pub(crate) struct Cli {
    /// The program to prove.
    #[arg(long, value_name = "FILE", default_value = "target/release/jumun")]
    pub(crate) jumun: PathBuf,
    /// The folder of the report and of the processes' logs.
    #[arg(long, value_name = "FOLDER", default_value = "target/prove")]
    pub(crate) out: PathBuf,
    /// How long it takes: less than five minutes, or as long as each fault is worth.
    #[arg(long, value_enum, default_value_t = Pace::Full)]
    pub(crate) pace: Pace,
    /// What chance begins with, to do the same again; any without it.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Only the faults whose name contains this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
}

/// How long faults last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pace {
    /// For a continuous integration: each fault as short as it can show something.
    Short,
    /// Each fault as long as `docs/reliability.md` says.
    Full,
}

impl Pace {
    /// Chooses how long something lasts, in seconds.
    pub(crate) const fn seconds(self, short: u64, full: u64) -> Duration {
        Duration::from_secs(match self {
            Self::Short => short,
            Self::Full => full,
        })
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
