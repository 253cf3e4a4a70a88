//! What is proved: three instances, two workers, and everything that they need, each behind a wire that can
//! be cut.

mod process;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlSslMode};
use testkit::{FaultProxy, MySqlServer, RedisServer, Wire};
use tokio::process::Command;

use crate::Failure;
pub(crate) use crate::site::process::{Process, Program, Signal};

/// How many instances serve.
pub(crate) const INSTANCES: usize = 3;
/// How many workers deliver and settle.
pub(crate) const WORKERS: usize = 2;
/// How many connections each process may have to the database. Few, so that one that is lost is missed.
pub(crate) const POOL: u32 = 12;
/// The database.
pub(crate) const DATABASE: &str = "jumun";

/// A process of the service, with wires of its own.
pub(crate) struct Member {
    /// The process.
    pub(crate) process: Process,
    /// Its wire to the database.
    pub(crate) mysql: FaultProxy,
    /// Its wire to Redis.
    pub(crate) redis: FaultProxy,
}

/// Everything.
pub(crate) struct Site {
    /// The database.
    pub(crate) mysql: MySqlServer,
    /// Redis.
    pub(crate) redis: RedisServer,
    /// The gateway and the data platform, which remember what they were told.
    pub(crate) stand_ins: Process,
    /// Those that serve.
    pub(crate) instances: Vec<Member>,
    /// Those that deliver and settle.
    pub(crate) workers: Vec<Member>,
    /// Connections of the drill itself, past all wires.
    pub(crate) db: MySqlPool,
    program: Program,
}

impl Site {
    /// Starts everything, with the demonstration's data.
    pub(crate) async fn open(binary: PathBuf, folder: PathBuf) -> Result<Self, Failure> {
        let options = ["--max-connections=200", "--innodb-buffer-pool-size=512M"];
        let (mysql, redis) = tokio::join!(MySqlServer::start(&options), RedisServer::start());
        let (mysql, redis) = (mysql?, redis?);
        let options = MySqlConnectOptions::from_str(&mysql.url())?.ssl_mode(MySqlSslMode::Disabled);
        let root = MySqlPoolOptions::new().connect_with(options.clone()).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {DATABASE}"))).execute(&root).await?;
        root.close().await;
        let db = MySqlPoolOptions::new().max_connections(8).connect_lazy_with(options.database(DATABASE));

        let program = Program { binary, folder };
        let direct = address(&mysql.addr(), DATABASE);
        program.run(&["migrate"], &[("JUMUN_DATABASE_URL", &direct)]).await?;
        program.run(&["seed"], &[("JUMUN_DATABASE_URL", &direct)]).await?;

        let balancer = free_addr()?;
        let stand_ins = free_addr()?;
        let notices = format!("http://{balancer}/api/v1/webhooks/payment-gateway");
        let command = |command: &mut Command| {
            command.args(["stand-ins", "--addr", &stand_ins.to_string()]);
            command.env("JUMUN_STAND_INS_NOTICE_URL", &notices);
        };
        let stand_ins_process = Process::start(&program, "stand-ins", stand_ins, command).await?;
        let mut site = Self {
            mysql,
            redis,
            stand_ins: stand_ins_process,
            instances: Vec::new(),
            workers: Vec::new(),
            db,
            program,
        };
        for number in 1..=INSTANCES {
            // The gateway's notices go to the first instance.
            let addr = if number == 1 { balancer } else { free_addr()? };
            let member = site.start(&format!("instance-{number}"), "serve", addr).await?;
            site.instances.push(member);
        }
        for number in 1..=WORKERS {
            let member = site.start(&format!("worker-{number}"), "worker", free_addr()?).await?;
            site.workers.push(member);
        }
        Ok(site)
    }

    async fn start(&self, name: &str, command: &str, addr: SocketAddr) -> Result<Member, Failure> {
        let mysql = FaultProxy::start(&self.mysql.addr()).await?;
        let redis = FaultProxy::start(self.redis.url().trim_start_matches("redis://")).await?;
        let (database_url, redis_url) =
            (address(&mysql.addr().to_string(), DATABASE), format!("redis://{}", redis.addr()));
        let stand_ins = format!("http://{}/", self.stand_ins.addr());
        let arguments = |process: &mut Command| {
            process.arg(command).env("JUMUN_DATABASE_URL", &database_url).env("JUMUN_REDIS_URL", &redis_url);
            process.env("JUMUN_HTTP_ADDR", addr.to_string()).env("JUMUN_WORKER_HTTP_ADDR", addr.to_string());
            process.env("JUMUN_WORKER", "false").env("JUMUN_LOG", "info");
            process.env("JUMUN_RATE_LIMIT", "off");
            process.env("JUMUN_DATABASE_MAX_CONNECTIONS", POOL.to_string());
            process.env("JUMUN_DATA_PLATFORM_URL", &stand_ins);
            process.env("JUMUN_PAYMENT_GATEWAY_URL", &stand_ins);
        };
        let process = Process::start(&self.program, name, addr, arguments).await?;
        Ok(Member { process, mysql, redis })
    }

    /// Returns the processes of the service, instances first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.instances.iter().chain(&self.workers)
    }

    /// Returns where the instances are.
    pub(crate) fn addrs(&self) -> Vec<SocketAddr> {
        self.instances.iter().map(|instance| instance.process.addr()).collect()
    }

    /// Changes all wires to the database.
    pub(crate) fn set_mysql(&self, wire: Wire) {
        self.members().for_each(|member| member.mysql.set(wire));
    }

    /// Changes all wires to Redis.
    pub(crate) fn set_redis(&self, wire: Wire) {
        self.members().for_each(|member| member.redis.set(wire));
    }

    /// Makes the stand-ins misbehave; `{}` makes them well again.
    pub(crate) async fn set_peers(&self, faults: serde_json::Value) -> Result<(), Failure> {
        let url = format!("http://{}/v1/faults", self.stand_ins.addr());
        reqwest::Client::new().put(url).json(&faults).send().await?.error_for_status()?;
        Ok(())
    }

    /// Ends everything, and removes the database with its data.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        self.db.close().await;
        Ok(self.mysql.remove().await?)
    }

    /// Checks all that always holds; returns what is broken.
    pub(crate) async fn audit(&self) -> Result<Vec<String>, Failure> {
        self.audit_of(DATABASE).await
    }

    /// Checks it of another database on the same server.
    pub(crate) async fn audit_of(&self, database: &str) -> Result<Vec<String>, Failure> {
        let database = address(&self.mysql.addr(), database);
        let said = self.program.say(&["audit", "--json"], &[("JUMUN_DATABASE_URL", &database)]).await?;
        let report: serde_json::Value = serde_json::from_str(&said.0)
            .map_err(|_| Failure::Process { what: "jumun audit".into(), said: said.1 })?;
        let checks = report["checks"].as_array().cloned().unwrap_or_default();
        if checks.is_empty() {
            return Err(Failure::Process { what: "jumun audit".into(), said: said.0 });
        }
        let broken = checks.iter().filter(|check| check["violations"] != 0);
        Ok(broken
            .map(|check| format!("{} × {} {}", check["violations"], check["name"], check["offenders"]))
            .collect())
    }
}

/// The address of a database, on a host and port.
fn address(host: &str, database: &str) -> String {
    format!("mysql://root@{host}/{database}?ssl-mode=DISABLED")
}

/// An address that is free.
fn free_addr() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
