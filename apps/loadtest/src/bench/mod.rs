//! One run: its scenarios one after the other, each watched, and audited at its end.

mod databases;
mod outcome;
mod scenarios;
mod targets;
mod throughput;
mod wrk;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;

pub(crate) use databases::Databases;
pub(crate) use outcome::{Measured, Outcome, keys};
pub(crate) use targets::{Target, thousands};

use crate::Failure;
use crate::cli::BenchArgs;
use crate::load::sample::{Sample, Summary};
use crate::load::{Source, closed, open};
use crate::site::processes::{Process, Watch};
use crate::site::service::{Service, Site};
use crate::site::shop::Shop;

/// How long a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pace {
    /// About a minute.
    Quick,
    /// Some minutes.
    Full,
}

impl Pace {
    /// Returns how long a load lasts.
    fn time(self) -> Duration {
        Duration::from_secs(match self {
            Self::Quick => 3,
            Self::Full => 12,
        })
    }

    /// Returns how long a service has more to do than it can.
    fn overload(self) -> Duration {
        Duration::from_secs(match self {
            Self::Quick => 3,
            Self::Full => 60,
        })
    }

    /// Returns how long a load lasts before it counts: connections open, caches and pools fill.
    fn warm_up(self) -> Duration {
        Duration::from_millis(match self {
            Self::Quick => 500,
            Self::Full => 2_000,
        })
    }
}

/// How many users and products there are.
const SCALE: &str = "users=10000,products=1000";

/// A run.
pub(crate) struct Bench {
    site: Site,
    raw: Site,
    pace: Pace,
    shop: Arc<Shop>,
    /// The processes of the databases.
    databases: Vec<Process>,
    outcome: Outcome,
    /// Where a run on MySQL also tries SQLite.
    embedded_url: Option<String>,
}

impl Bench {
    /// Makes the databases and fills them.
    pub(crate) async fn prepare(args: BenchArgs) -> Result<Self, Failure> {
        let folder = fresh_folder(&args.out)?;
        let databases = Databases::make(&args, &folder).await?;
        let binary = args.jumun.canonicalize()?;
        let site = |url: &str, redis_url: Option<String>| Site {
            binary: binary.clone(),
            folder: folder.clone(),
            database_url: url.to_owned(),
            redis_url,
        };
        let (raw, site) = (site(&databases.raw, None), site(&databases.service, args.redis));
        say("migrating and filling the databases");
        raw.fill(SCALE).await?;
        site.fill(SCALE).await?;
        let shop = Shop::load(&site.database_url).await?;
        let outcome = Outcome::new(args.pace, args.embedded);
        let embedded_url =
            (!args.embedded).then(|| format!("sqlite://{}/embedded.db?mode=rwc", folder.display()));
        Ok(Self { site, raw, pace: args.pace, shop, databases: databases.processes, outcome, embedded_url })
    }

    /// Runs everything.
    pub(crate) async fn run(mut self) -> Result<Outcome, Failure> {
        scenarios::run(&mut self).await?;
        throughput::run(&mut self).await?;
        if let Some(url) = self.embedded_url.take() {
            throughput::embedded(&mut self, url).await?;
        }
        self.outcome.targets = targets::of(&self.outcome);
        Ok(self.outcome)
    }

    /// Watches a load and adds what it came to.
    ///
    /// `service` is what is loaded, `beside` what else is at work.
    async fn measure<E: Into<Failure>>(
        &mut self,
        key: &'static str,
        (title, load): (&str, String),
        service: Option<&Service>,
        beside: &[&Service],
        run: impl Future<Output = Result<Vec<Sample>, E>>,
    ) -> Result<(), Failure> {
        say(&format!("{title}: {load}"));
        let mut processes: Vec<Process> =
            service.into_iter().chain(beside.iter().copied()).map(Service::process).collect();
        processes.extend(self.databases.iter().cloned());
        processes.push(Process::generator());
        let is_jumun = service.filter(|service| service.is_jumun());
        let before = match is_jumun {
            Some(service) => Some(service.counters().await?),
            None => None,
        };
        let watch = Watch::start(processes);
        let samples = run.await;
        let usage = watch.stop();
        let summary = Summary::of(&samples.map_err(Into::into)?);
        let counted = match (is_jumun, before) {
            (Some(service), Some(before)) => Some(service.counters().await?.since(&before)),
            _ => None,
        };
        let mut measured = Measured::new(key, title, load, summary, usage);
        if let Some(counted) = counted {
            measured.rejections = counted.by_label("jumun_rejections_total", "code");
            measured.set_sizes = Some(counted.set_sizes()).filter(|sizes| sizes.sets > 0.0);
        }
        say(&measured.line());
        self.outcome.measured.push(measured);
        Ok(())
    }

    /// Audits a database and adds what was found to the last measurement.
    async fn audit(&mut self, site: &Site) -> Result<(), Failure> {
        let audit = site.audit().await?;
        for check in audit.broken() {
            say(&format!("  BROKEN {}: {}", check.name, check.violations));
        }
        if let Some(measured) = self.outcome.measured.last_mut() {
            measured.audit = Some(audit);
        }
        Ok(())
    }

    /// Loads a service from many connections, after a time that does not count.
    async fn closed(
        &mut self,
        key: &'static str,
        title: &str,
        service: &Service,
        connections: usize,
        source: Source,
    ) -> Result<(), Failure> {
        let (addr, time) = (service.addr, self.pace.time());
        closed::run(&[addr], connections, self.pace.warm_up(), source.clone()).await?;
        let load = format!("closed loop, {connections} connections");
        self.measure(key, (title, load), Some(service), &[], closed::run(&[addr], connections, time, source))
            .await
    }

    /// Offers a service a fixed rate.
    async fn open(
        &mut self,
        key: &'static str,
        title: &str,
        (service, beside): (&Service, &[&Service]),
        rate: f64,
        source: Source,
    ) -> Result<(), Failure> {
        let load = format!("fixed rate, {rate:.0} a second offered");
        let run = open::run(service.addr, 256, rate, self.pace.time(), source);
        self.measure(key, (title, load), Some(service), beside, run).await
    }

    /// Offers a service more than it can do, from as many connections as it takes for the queue to be full.
    async fn overload(
        &mut self,
        key: &'static str,
        title: &str,
        service: &Service,
        rate: f64,
        source: Source,
    ) -> Result<(), Failure> {
        let (connections, time) = (4_096, self.pace.overload());
        let load = format!("fixed rate, {rate:.0} a second offered over {connections} connections");
        let run = open::run(service.addr, connections, rate, time, source);
        self.measure(key, (title, load), Some(service), &[], run).await
    }
}

/// Makes an empty folder for what is only needed during the run, and logs.
pub(crate) fn fresh_folder(out: &Path) -> std::io::Result<PathBuf> {
    let folder = out.join("run");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    folder.canonicalize()
}

/// Tells the person who waits.
#[expect(clippy::print_stdout, reason = "a command for people")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
