//! The commands of the binary.

mod audit;
mod health;
mod rotate_keys;
mod serve;
mod stand_ins;
mod work;

use std::fmt::Display;
use std::process::ExitCode;

use secrecy::SecretString;
use url::Url;

use crate::cli::{Cli, Command, HealthArgs, SeedArgs};
use crate::http;
use crate::seed;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::telemetry;
use crate::wiring::{Gateway, Wiring};

/// Why a command ends early: a line for the person who typed it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct CommandError(String);

impl CommandError {
    /// Says what could not be done, and why, causes included.
    fn because(what: &str, error: &dyn std::error::Error) -> Self {
        Self(format!("{what}: {}", kernel::causes(error)))
    }
}

/// Runs a command and returns the exit code of the process.
pub async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli.command).await {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> Result<ExitCode, CommandError> {
    if command == Command::Openapi {
        let document = serde_json::to_string_pretty(&http::openapi());
        print(&document.map_err(|error| CommandError::because("the document cannot be written", &error))?);
        return Ok(ExitCode::SUCCESS);
    }
    // Whoever names the address needs no settings, and none that are wrong can hide an answer.
    if let Command::Health(HealthArgs { addr: Some(addr), tls }) = command {
        return health::run(addr, tls).await;
    }
    let settings = load_settings()?;
    match command {
        Command::Openapi => {}
        Command::Health(HealthArgs { tls, .. }) => {
            return health::run(settings.http_addr, tls || settings.tls_certificate.is_some()).await;
        }
        Command::Config => print(settings.masked().trim_end()),
        // Boxed: as one nested future its type is deeper than the compiler follows with optimisation.
        Command::Serve => Box::pin(serve::run(&settings)).await?,
        Command::Worker => Box::pin(work::run(&settings)).await?,
        Command::StandIns(args) => stand_ins::run(&settings, args.addr).await?,
        Command::Migrate => {
            let wiring = connect(&settings).await?;
            migrate(&wiring).await?;
            print("the database has the schema of this program");
        }
        Command::Seed(args) => Box::pin(seed(&settings, &args)).await?,
        Command::RotateKeys => return Box::pin(rotate_keys::run(&settings)).await,
        Command::Audit(args) => return Box::pin(audit::run(&settings, args.json)).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the settings and starts the logs.
fn load_settings() -> Result<Settings, CommandError> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let folder =
        std::env::current_dir().map_err(|error| CommandError::because("no working directory", &error))?;
    let (settings, unknown) =
        Settings::load(environment, &folder).map_err(|error| CommandError(error.to_string()))?;
    telemetry::init(settings.log.as_str(), settings.log_format)
        .map_err(|error| CommandError::because("logs cannot be written", &error))?;
    if !unknown.is_empty() {
        tracing::warn!(variables = unknown.join(", "), "unknown variables are ignored");
    }
    Ok(settings)
}

async fn connect(settings: &Settings) -> Result<Wiring, CommandError> {
    let shared = Shared::of(settings).map_err(|error| CommandError::because("JUMUN_REDIS_URL", &error))?;
    Wiring::connect(settings, shared)
        .await
        .map_err(|error| CommandError::because("JUMUN_DATABASE_URL", &error))
}

/// Connects to a database that has the schema of this program.
async fn connect_migrated(settings: &Settings) -> Result<Wiring, CommandError> {
    let wiring = connect(settings).await?;
    let missing = wiring.database.missing_migrations().await;
    match missing.map_err(|error| CommandError::because("JUMUN_DATABASE_URL", &error))? {
        0 => Ok(wiring),
        missing => Err(CommandError(format!("the database lacks {missing} migrations: run `jumun migrate`"))),
    }
}

/// Prepares what speaks to the payment gateway; whether it answers is not asked.
fn connect_gateway(wiring: &Wiring, settings: &Settings, url: Url) -> Result<Gateway, CommandError> {
    let secret = SecretString::from(settings.payment_gateway_secret.expose());
    let gateway = wiring.gateway(url, &secret);
    gateway.map_err(|error| CommandError::because("JUMUN_PAYMENT_GATEWAY_URL", &error))
}

async fn migrate(wiring: &Wiring) -> Result<(), CommandError> {
    wiring
        .database
        .migrate()
        .await
        .map_err(|error| CommandError::because("the migrations do not apply", &error))
}

async fn seed(settings: &Settings, args: &SeedArgs) -> Result<(), CommandError> {
    let wiring = connect(settings).await?;
    migrate(&wiring).await?;
    let loaded = match &args.scale {
        None => seed::load_demo(&wiring).await,
        Some(scale) => seed::load_scale(&wiring, scale).await,
    };
    loaded.map_err(|error| CommandError::because("the data cannot be loaded", &error))?;
    print("the data is loaded");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of a command")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the last line of a command that failed")]
fn complain(error: &impl Display) {
    eprintln!("jumun: {error}");
}
