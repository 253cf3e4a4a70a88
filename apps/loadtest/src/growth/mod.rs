//! The same load with more and more orders in the tables, more instances and more connections.

mod generate;
mod page;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::Failure;
use crate::bench::{Databases, fresh_folder, say};
use crate::load::random::Random;
use crate::load::request::Request;
use crate::load::sample::Summary;
use crate::load::{Source, closed};
use crate::raw::Connection;
use crate::site::processes::{Process, Usage, Watch};
use crate::site::service::{Service, Site};
use crate::site::shop::{self, Shop};

/// So many that wallets do not run empty; the products are what a shop has.
const SCALE: &str = "users=100000,products=1000";

/// Where the curves for instances and reads are taken.
const CONNECTIONS: usize = 256;

/// How far to go.
#[derive(Args, Debug)]
pub(crate) struct GrowthArgs {
    /// The program to load.
    #[arg(long, value_name = "FILE", default_value = "target/release/jumun")]
    jumun: PathBuf,
    /// The folder of the report.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    out: PathBuf,
    /// A MySQL server whose databases `jumun_bench` and `jumun_raw` may be dropped.
    #[arg(long, env = "JUMUN_TEST_MYSQL_URL", value_name = "URL")]
    mysql: String,
    /// A Redis server that may be emptied.
    #[arg(long, env = "JUMUN_TEST_REDIS_URL", value_name = "URL")]
    redis: String,
    /// Orders in the tables, from few to many. Each million takes some 4 GB of disk.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    orders: Vec<u64>,
    /// Instances of the service.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4])]
    instances: Vec<usize>,
    /// Connections, with one instance.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 16, 64, 256, 1_000])]
    connections: Vec<usize>,
    /// Seconds of each load.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// The most orders with which the audit runs: it reads all of them.
    #[arg(long, default_value_t = 1_000_000)]
    audit_up_to: u64,
}

/// One point of a curve.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Point {
    /// What was asked for.
    pub(crate) what: &'static str,
    /// Orders in the tables before.
    pub(crate) orders: u64,
    /// Instances of the service.
    pub(crate) instances: usize,
    /// Connections of the closed loop.
    pub(crate) connections: usize,
    /// What came of it.
    pub(crate) summary: Summary,
    /// CPU time of each process.
    pub(crate) usage: Vec<Usage>,
}

/// The whole picture.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Growth {
    /// All points.
    pub(crate) points: Vec<Point>,
    /// Bytes of the tables by the number of orders in them.
    pub(crate) bytes: Vec<(u64, u64)>,
    /// Whether every audit was clean; by the number of orders.
    pub(crate) audits: Vec<(u64, bool)>,
}

/// Names of what is asked for.
pub(crate) const ORDERS: &str = "orders of 2 products";
/// Reads whose cost might follow the number of orders.
pub(crate) const READS: [&str; 3] = ["a user's newest orders", "popular products", "a page of 20 products"];

/// Runs everything; returns whether every audit was clean.
pub(crate) async fn run(args: GrowthArgs) -> Result<bool, Failure> {
    let folder = fresh_folder(&args.out)?;
    let databases = Databases::on_mysql(&args.mysql, &args.redis).await?;
    let site = Site {
        binary: args.jumun.canonicalize()?,
        folder,
        database_url: databases.service.clone(),
        redis_url: Some(args.redis.clone()),
    };
    say("migrating and filling the database");
    site.fill(SCALE).await?;
    let shop = Shop::load(&site.database_url).await?;
    let mut growth = Growth::default();
    let mut run = Run { site, shop, processes: databases.processes, args, growth: &mut growth };
    for orders in run.args.orders.clone() {
        run.with(orders).await?;
    }
    let out = run.args.out.clone();
    std::fs::write(out.join("growth.json"), serde_json::to_vec_pretty(&growth)?)?;
    std::fs::write(out.join("growth.html"), page::of(&growth))?;
    say(&format!("{}", out.join("growth.html").display()));
    Ok(growth.audits.iter().all(|(_, clean)| *clean))
}

struct Run<'g> {
    site: Site,
    shop: Arc<Shop>,
    processes: Vec<Process>,
    args: GrowthArgs,
    growth: &'g mut Growth,
}

impl Run<'_> {
    /// Takes all points with so many orders in the tables.
    async fn with(&mut self, orders: u64) -> Result<(), Failure> {
        let mut connection = Connection::open(&self.site.database_url).await?;
        generate::up_to(&mut connection, orders).await?;
        self.growth.bytes.push((orders, generate::bytes(&mut connection).await?));
        for instances in self.args.instances.clone() {
            let mut services = Vec::new();
            for number in 1..=instances {
                services.push(self.site.serve(&format!("service {number}"), &[]).await?);
            }
            let connections = if instances == 1 { self.args.connections.clone() } else { vec![CONNECTIONS] };
            for connections in connections {
                let source = shop::orders(&self.shop);
                self.point(ORDERS, orders, &services, connections, source).await?;
            }
            if instances == 1 {
                for (what, source) in READS.into_iter().zip(self.reads()) {
                    self.point(what, orders, &services, 16, source).await?;
                }
            }
            for service in services {
                service.stop().await?;
            }
        }
        if orders <= self.args.audit_up_to {
            let audit = self.site.audit().await?;
            for check in audit.broken() {
                say(&format!("  BROKEN {}: {}", check.name, check.violations));
            }
            self.growth.audits.push((orders, audit.is_clean()));
        }
        Ok(())
    }

    fn reads(&self) -> [Source; READS.len()] {
        let shop = self.shop.clone();
        let newest = move |random: &mut Random| Request::get("/api/v1/orders?size=10").by(shop.user(random));
        // Each request with a limit of its own, so that few are answered from the cache.
        let popular = |random: &mut Random| {
            let (days, limit) = (1 + random.below(30), 1 + random.below(50));
            Request::get(format!("/api/v1/stats/popular-products?days={days}&limit={limit}"))
        };
        [Arc::new(newest), Arc::new(popular), shop::page()]
    }

    async fn point(
        &mut self,
        what: &'static str,
        orders: u64,
        services: &[Service],
        connections: usize,
        source: Source,
    ) -> Result<(), Failure> {
        let addrs: Vec<SocketAddr> = services.iter().map(|service| service.addr).collect();
        closed::run(&addrs, connections, Duration::from_secs(1), source.clone()).await?;
        let mut processes: Vec<Process> = services.iter().map(Service::process).collect();
        processes.extend(self.processes.iter().cloned());
        processes.push(Process::generator());
        let watch = Watch::start(processes);
        let samples =
            closed::run(&addrs, connections, Duration::from_secs(self.args.seconds), source).await?;
        let usage = watch.stop();
        let (summary, instances) = (Summary::of(&samples), services.len());
        let latency = &summary.latency;
        say(&format!(
            "{orders} orders, {instances} instances, {connections} connections: {what}: {:.0} ok/s; p50 {:.1}, p99 {:.1} ms",
            summary.ok_per_second(),
            latency.p50,
            latency.p99
        ));
        self.growth.points.push(Point { what, orders, instances, connections, summary, usage });
        Ok(())
    }
}
