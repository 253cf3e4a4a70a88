//! The databases of a run: one for the service, one for the raw statements.

use std::path::Path;

use crate::Failure;
use crate::cli::BenchArgs;
use crate::raw::Connection;
use crate::site::processes::Process;

/// Where they are.
pub(crate) struct Databases {
    /// The service's.
    pub(crate) service: String,
    /// The raw runner's own.
    pub(crate) raw: String,
    /// Their processes, and that of Redis.
    pub(crate) processes: Vec<Process>,
}

impl Databases {
    /// Makes empty databases.
    pub(crate) async fn make(args: &BenchArgs, folder: &Path) -> Result<Self, Failure> {
        let Some(server) = args.mysql.as_deref().filter(|_| !args.embedded) else {
            let url = |name: &str| format!("sqlite://{}/{name}.db?mode=rwc", folder.display());
            return Ok(Self { service: url("bench"), raw: url("raw"), processes: Vec::new() });
        };
        Self::on_mysql(server, args.redis.as_deref().unwrap_or_default()).await
    }

    /// Makes empty databases on MySQL.
    pub(crate) async fn on_mysql(server: &str, redis: &str) -> Result<Self, Failure> {
        let server = server.trim_end_matches('/');
        let mut connection = Connection::open(&format!("{server}/mysql")).await?;
        for name in ["jumun_bench", "jumun_raw"] {
            connection.command(format!("DROP DATABASE IF EXISTS {name}")).await?;
            connection.command(format!("CREATE DATABASE {name}")).await?;
        }
        // The choice is made here and not by what the server offers: TLS costs more than half of the figures.
        let url = |name: &str| format!("{server}/{name}?ssl-mode=DISABLED");
        let mut processes = Vec::new();
        processes.extend(Process::find("mysqld", ["mysqld", &format!("--port={}", port(server))]));
        processes.extend(Process::find("redis", ["redis-server", &format!(":{}", port(redis))]));
        Ok(Self { service: url("jumun_bench"), raw: url("jumun_raw"), processes })
    }
}

/// Returns the port of an address.
fn port(url: &str) -> &str {
    let rest = url.rsplit(':').next().unwrap_or_default();
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_port() {
        assert_eq!(port("mysql://root@127.0.0.1:23306"), "23306");
        assert_eq!(port("redis://127.0.0.1:26379/0"), "26379");
    }
}
