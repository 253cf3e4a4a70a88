//! The drill from beginning to end.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::cli::Cli;
use crate::client::Client;
use crate::faults::{Done, Fault, Strike, until_recovered};
use crate::load::Load;
use crate::report::{self, Report};
use crate::shop::Shop;
use crate::site::Site;
use crate::verify;

/// How long the load goes on after a fault, before the next one: what is left over shows then.
const AFTER: Duration = Duration::from_secs(1);

/// Runs the drill; returns whether everything holds.
pub(crate) async fn run(cli: Cli) -> Result<bool, Failure> {
    let seed = cli.seed.unwrap_or_else(|| fastrand::u64(..));
    say(&format!("seed {seed}"));
    std::fs::create_dir_all(&cli.out)?;
    let folder = cli.out.canonicalize()?;
    let site = Site::open(cli.jumun.canonicalize()?, folder.clone()).await?;
    let outcome = drill(&site, &cli, seed).await;
    site.close().await?;
    let report = outcome?;
    report::write(&report, &folder)?;
    Ok(report.is_sound())
}

async fn drill(site: &Site, cli: &Cli, seed: u64) -> Result<Report, Failure> {
    let client = Client::new()?;
    let addr = site.addrs()[0];
    let shop = Arc::new(Shop::open(&client, addr).await?);
    let load = Arc::new(Load::new(shop, site.addrs(), client, seed));
    let end = CancellationToken::new();
    let buyers = load.start(&end);
    let mut rng = Rng::with_seed(seed);
    let mut strikes = Vec::new();
    for fault in Fault::ALL {
        if cli.only.as_ref().is_some_and(|only| !fault.name().contains(only.as_str())) {
            continue;
        }
        let strike = strike(site, &load, cli, fault, &mut rng).await?;
        say(&strike.to_string());
        strikes.push(strike);
    }
    end.cancel();
    buyers.join_all().await;
    // Who asked during a fault may have been answered after it.
    for strike in &mut strikes {
        strike.tally = load.history.tally(strike.time.clone());
    }
    say("waiting until nothing is under way");
    let checks = verify::all(site, &load).await?;
    Ok(Report { seed, took: load.now(), strikes, checks })
}

/// Lets a fault happen, and judges it once everything is well again.
async fn strike(
    site: &Site,
    load: &Arc<Load>,
    cli: &Cli,
    fault: Fault,
    rng: &mut Rng,
) -> Result<Strike, Failure> {
    // A rush in the middle of the fault.
    load.shop.new_coupon(&load.client, site.addrs()[0]).await?;
    let from = load.now();
    let done = fault.strike(site, load, cli.pace, rng).await.unwrap_or_else(Done::from);
    let recovered = until_recovered(site, load).await;
    tokio::time::sleep(AFTER).await;
    let broken = site.audit().await.unwrap_or_else(|failure| vec![failure.to_string()]);
    let time = from..load.now();
    let tally = load.history.tally(time.clone());
    Ok(Strike { fault, done, time, tally, recovered, broken })
}

/// Tells people what happens.
#[expect(clippy::print_stdout, reason = "a command for people")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
