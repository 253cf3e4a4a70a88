//! The command line.

use std::net::SocketAddr;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use thiserror::Error;

const SETTINGS: &str = "Settings come from defaults, then from config/local.toml, dev.toml or prod.toml, as \
    JUMUN_PROFILE says, then from the environment, where http_addr is JUMUN_HTTP_ADDR. \
    `jumun config` prints what is in effect.";

/// Jumun, the order service of an online shop.
#[derive(Clone, Debug, Parser)]
#[command(name = "jumun", version, after_help = SETTINGS)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve the API.
    ///
    /// In the profile `local` the database is migrated and demo data loaded first, and the outbox worker,
    /// the schedulers and the stand-ins run in the same process. SIGTERM or Ctrl-C ends it: no new request
    /// is accepted, and what was begun is finished.
    Serve,
    /// Run the outbox worker and the schedulers, without the API.
    ///
    /// Any number of workers may run on one database.
    Worker,
    /// Bring the database to the schema of this program.
    ///
    /// Applies the migrations that are missing; it does nothing when there are none.
    Migrate,
    /// Load demo data, or fill a database for load tests.
    ///
    /// Repeatable: what is there already stays as it is. Without --scale it loads the demo data.
    Seed(SeedArgs),
    /// Check on the live database all that always holds.
    ///
    /// Prints each check with its count and the ids that break it, from one consistent read. The exit code
    /// is 1 if any is broken.
    Audit(AuditArgs),
    /// Encrypt personal data anew that is not under `JUMUN_PII_KEY` yet.
    ///
    /// Set `JUMUN_PII_KEY_PREVIOUS` to the key it is under, here and for every process. It may be stopped and
    /// run again, beside processes that serve. The exit code is 1 if something is left under another key.
    RotateKeys,
    /// Print the `OpenAPI` document of the API as JSON.
    Openapi,
    /// Ask a running process whether it is ready.
    ///
    /// Asks `GET /health/ready` of the API on this machine or, with --addr, of another process. The exit code
    /// is 1 if it is not ready or does not answer within 4 seconds.
    Health(HealthArgs),
    /// Run the stand-ins for the services that Jumun calls.
    ///
    /// One port has them all: a data platform and a payment gateway, which sends its notices to
    /// `JUMUN_STAND_INS_NOTICE_URL` or else to the API on this machine. `serve` starts them itself where no
    /// address of the real service is set.
    StandIns(StandInsArgs),
    /// Print the settings in effect as TOML, secrets masked.
    Config,
}

/// Options of `seed`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SeedArgs {
    /// How much to load, such as users=10000,products=1000,orders=300000.
    ///
    /// Each part may be left out: users=10, products=20 and orders=0 are what the demo data has. There may be
    /// 1 to 1,000,000 users, 1 to 100,000 products and 0 to 10,000,000 orders.
    #[arg(long, value_name = "SCALE")]
    pub scale: Option<Scale>,
}

/// Options of `audit`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditArgs {
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `health`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthArgs {
    /// Where the process listens; `JUMUN_HTTP_ADDR` without it.
    #[arg(long, value_name = "IP:PORT")]
    pub addr: Option<SocketAddr>,
    /// Ask by TLS; without --addr it is enough that `JUMUN_TLS_CERTIFICATE` is set.
    #[arg(long)]
    pub tls: bool,
}

/// Options of `stand-ins`.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandInsArgs {
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8081")]
    pub addr: SocketAddr,
}

/// How much data `seed` loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Users, each with a wallet.
    pub users: u32,
    /// Products, each with stock.
    pub products: u32,
    /// Paid orders.
    pub orders: u32,
}

/// As much as the demo data has.
impl Default for Scale {
    fn default() -> Self {
        Self { users: 10, products: 20, orders: 0 }
    }
}

/// Why a text is not a [`Scale`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScaleError {
    /// A part is not of the form `name=number`.
    #[error("{0:?} is not of the form name=number, such as users=10000")]
    Malformed(String),
    /// A part names nothing that is loaded.
    #[error("{0:?} is not loaded; use users, products or orders")]
    Unknown(String),
    /// A part is there twice.
    #[error("{0} is there twice")]
    Twice(&'static str),
    /// A number is too small or too large.
    #[error("{name} has to be from {least} to {most}")]
    OutOfRange {
        /// The part.
        name: &'static str,
        /// The least it can be.
        least: u32,
        /// The most it can be.
        most: u32,
    },
}

/// A part of a scale: its name, its bounds, and where it is kept.
type Part = (&'static str, u32, u32, fn(&mut Scale) -> &mut u32);

const PARTS: [Part; 3] = [
    ("users", 1, 1_000_000, |scale| &mut scale.users),
    ("products", 1, 100_000, |scale| &mut scale.products),
    ("orders", 0, 10_000_000, |scale| &mut scale.orders),
];

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut scale = Self::default();
        let mut seen = Vec::new();
        for part in text.split(',') {
            let malformed = || ScaleError::Malformed(part.into());
            let (word, number) = part.split_once('=').ok_or_else(malformed)?;
            let &(name, least, most, place) = PARTS
                .iter()
                .find(|(name, ..)| *name == word)
                .ok_or_else(|| ScaleError::Unknown(word.into()))?;
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(malformed());
            }
            if seen.contains(&name) {
                return Err(ScaleError::Twice(name));
            }
            seen.push(name);
            // Digits that are no number are one too large.
            *place(&mut scale) = number
                .parse()
                .ok()
                .filter(|number| (least..=most).contains(number))
                .ok_or(ScaleError::OutOfRange { name, least, most })?;
        }
        Ok(scale)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.command)
    }

    #[test]
    fn is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn knows_its_commands() {
        for (line, command) in [
            ("jumun serve", Command::Serve),
            ("jumun worker", Command::Worker),
            ("jumun migrate", Command::Migrate),
            ("jumun seed", Command::Seed(SeedArgs { scale: None })),
            (
                "jumun seed --scale users=100",
                Command::Seed(SeedArgs { scale: Some(Scale { users: 100, ..Scale::default() }) }),
            ),
            ("jumun audit", Command::Audit(AuditArgs { json: false })),
            ("jumun audit --json", Command::Audit(AuditArgs { json: true })),
            ("jumun rotate-keys", Command::RotateKeys),
            ("jumun openapi", Command::Openapi),
            ("jumun health", Command::Health(HealthArgs { addr: None, tls: false })),
            (
                "jumun health --addr 0.0.0.0:8082 --tls",
                Command::Health(HealthArgs { addr: Some(SocketAddr::from(([0, 0, 0, 0], 8082))), tls: true }),
            ),
            (
                "jumun stand-ins",
                Command::StandIns(StandInsArgs { addr: SocketAddr::from(([127, 0, 0, 1], 8081)) }),
            ),
            (
                "jumun stand-ins --addr 0.0.0.0:0",
                Command::StandIns(StandInsArgs { addr: SocketAddr::from(([0, 0, 0, 0], 0)) }),
            ),
            ("jumun config", Command::Config),
        ] {
            assert_eq!(parse(line).unwrap(), command, "{line}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for line in [
            "jumun",
            "jumun sell",
            "jumun serve now",
            "jumun seed --scale users=0",
            "jumun stand-ins --addr x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        let message = parse("jumun seed --scale users=0").unwrap_err().to_string();
        assert!(message.contains("users has to be from 1 to 1000000"), "{message}");
    }

    #[test]
    fn tells_its_version_and_explains_each_command() {
        let version = Cli::command().render_version();
        assert_eq!(version, format!("jumun {}\n", env!("CARGO_PKG_VERSION")));
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }

    #[test]
    fn reads_a_scale() {
        let scale = |users, products, orders| Ok(Scale { users, products, orders });
        for (text, expected) in [
            ("users=10000,products=1000,orders=300000", scale(10_000, 1_000, 300_000)),
            ("orders=5,users=1", scale(1, 20, 5)),
            ("products=100000", scale(10, 100_000, 0)),
            ("users=1000000,orders=10000000", scale(1_000_000, 20, 10_000_000)),
            ("", Err(ScaleError::Malformed(String::new()))),
            ("users", Err(ScaleError::Malformed("users".into()))),
            ("users=1,", Err(ScaleError::Malformed(String::new()))),
            ("users=", Err(ScaleError::Malformed("users=".into()))),
            ("users=+5", Err(ScaleError::Malformed("users=+5".into()))),
            ("users=-5", Err(ScaleError::Malformed("users=-5".into()))),
            ("users=1e3", Err(ScaleError::Malformed("users=1e3".into()))),
            ("carts=5", Err(ScaleError::Unknown("carts".into()))),
            ("users=5,users=5", Err(ScaleError::Twice("users"))),
            ("users=0", Err(ScaleError::OutOfRange { name: "users", least: 1, most: 1_000_000 })),
            ("products=100001", Err(ScaleError::OutOfRange { name: "products", least: 1, most: 100_000 })),
            (
                "orders=99999999999",
                Err(ScaleError::OutOfRange { name: "orders", least: 0, most: 10_000_000 }),
            ),
        ] {
            assert_eq!(text.parse::<Scale>(), expected, "{text}");
        }
    }
}
