//! `jumun serve`.

use std::time::Duration;

use actix_web::web;
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;
use user::HashCost;

use super::stand_ins::start_beside;
use super::{CommandError, connect, connect_gateway, connect_migrated, migrate, print};
use crate::http::{self, RateLimiter, ServerSettings, Tls};
use crate::seed;
use crate::settings::{Profile, Settings};
use crate::telemetry;
use crate::wiring::Wiring;
use crate::worker;

/// How often the process looks after itself.
const UPKEEP: Duration = Duration::from_secs(5);

/// Serves the API until the process is told to stop.
pub(super) async fn run(settings: &Settings) -> Result<(), CommandError> {
    let listener = http::listen(settings.http_addr, settings.http_backlog).map_err(|error| {
        CommandError::because(&format!("JUMUN_HTTP_ADDR: {}", settings.http_addr), &error)
    })?;
    let addr = listener.local_addr().map_err(|error| CommandError::because("JUMUN_HTTP_ADDR", &error))?;
    let tls = tls(settings)?;
    let api = format!("{}://{addr}", if tls.is_some() { "https" } else { "http" });
    let wiring = if settings.profile == Profile::Local {
        let wiring = connect(settings).await?;
        migrate(&wiring).await?;
        let loaded = seed::load_demo(&wiring).await;
        loaded.map_err(|error| CommandError::because("the demo data cannot be loaded", &error))?;
        wiring
    } else {
        connect_migrated(settings).await?
    };
    let stop = CancellationToken::new();
    let stand_ins = start_beside(settings, addr, tls.is_some())?;
    let real_or_stand_in = |real: &Option<Url>| {
        let url = real.as_ref().or(stand_ins.as_ref().map(|(url, _)| url));
        url.cloned().ok_or_else(|| CommandError("a service has neither an address nor a stand-in".into()))
    };
    let platform = real_or_stand_in(&settings.data_platform_url)?;
    let gateway_url = real_or_stand_in(&settings.payment_gateway_url)?;
    let gateway = connect_gateway(&wiring, settings, gateway_url.clone())?;
    let secret = SecretString::from(settings.data_platform_secret.expose());
    let worker = wiring.worker(platform.clone(), &secret);
    let worker = worker.map_err(|error| CommandError::because("JUMUN_DATA_PLATFORM_URL", &error))?;
    let work = settings.worker.then(|| tokio::spawn(worker.run(stop.clone())));
    let scheduler =
        wiring.ranking_scheduler(settings.ranking_daily_cron.clone(), settings.ranking_weekly_cron.clone());
    let rankings = settings.worker.then(|| tokio::spawn(scheduler.run(stop.clone())));
    let settlement = settings.worker.then(|| tokio::spawn(wiring.settlement(&gateway).run(stop.clone())));
    let views = tokio::spawn(wiring.view_upkeep().run(stop.clone()));

    let limiter = Some(web::Data::new(limiter(settings)));
    let upkeep = tokio::spawn(upkeep(wiring.clone(), limiter.clone(), stop.clone()));
    let server_settings = ServerSettings {
        workers: settings.http_workers,
        max_connections: settings.http_max_connections,
        keep_alive: settings.http_keep_alive,
        shutdown_timeout: settings.shutdown_timeout,
        docs: settings.docs,
        tls,
    };
    let server =
        http::build(listener, wiring.services(HashCost::Standard, &gateway), limiter, server_settings);
    let server = server.map_err(|error| CommandError::because("JUMUN_HTTP_ADDR", &error))?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    greet(&api, settings.docs, &platform, &gateway_url);

    stop_signal().await;
    tracing::info!("shutting down: no new requests, what was begun is finished");
    handle.stop(true).await;
    // Transactions whose clients have gone run to their end all the same.
    wiring.tasks.close();
    let unfinished = tokio::select! {
        () = wiring.tasks.wait() => false,
        () = tokio::time::sleep(settings.shutdown_timeout) => true,
    };
    stop.cancel();
    let background = [Some(upkeep), Some(views), rankings, settlement, work].into_iter().flatten();
    let unfinished = !ended_within(settings.shutdown_timeout, background).await? || unfinished;
    if let Some((_, handle)) = stand_ins {
        handle.stop(true).await;
    }
    serving
        .await
        .map_err(|error| CommandError::because("the server failed", &error))?
        .map_err(|error| CommandError::because("the server failed", &error))?;
    if unfinished {
        return Err(CommandError("not everything that was begun could be finished in time".into()));
    }
    wiring
        .database
        .close()
        .await
        .map_err(|error| CommandError::because("the database cannot be closed", &error))?;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for background work that was told to stop, and returns whether it ended in time. A database or a
/// Redis that has fallen silent must not keep the process from its end.
pub(super) async fn ended_within(
    limit: Duration,
    tasks: impl IntoIterator<Item = JoinHandle<()>>,
) -> Result<bool, CommandError> {
    let ended = async {
        for task in tasks {
            task.await.map_err(|error| CommandError::because("the background work failed", &error))?;
        }
        Ok(true)
    };
    tokio::select! {
        ended = ended => ended,
        () = tokio::time::sleep(limit) => Ok(false),
    }
}

/// Waits until the process is told to stop, by SIGTERM or Ctrl-C.
pub(super) async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be received");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Measures the pool and the outbox and forgets what need not be remembered.
pub(super) async fn upkeep(wiring: Wiring, limiter: Option<web::Data<RateLimiter>>, stop: CancellationToken) {
    let metrics = telemetry::metrics_recorder();
    loop {
        let pool = wiring.database.pool_state();
        metrics::gauge!("jumun_database_connections", "state" => "busy").set(f64::from(pool.busy));
        metrics::gauge!("jumun_database_connections", "state" => "idle").set(f64::from(pool.idle));
        metrics::gauge!("jumun_database_connections", "state" => "max").set(f64::from(pool.max));
        // Workers may run elsewhere: whoever is scraped tells how full the outbox is.
        worker::measure_outbox(&wiring.database, wiring.clock.as_ref()).await;
        metrics.run_upkeep();
        if let Some(limiter) = &limiter {
            limiter.forget_the_quiet();
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(UPKEEP) => {}
        }
    }
}

/// Reads what connections are secured with, if that is set.
fn tls(settings: &Settings) -> Result<Option<Tls>, CommandError> {
    let files = settings.tls_certificate.as_ref().zip(settings.tls_key.as_ref());
    let tls = files.map(|(certificate, key)| Tls::load(certificate, key)).transpose();
    tls.map_err(|error| CommandError(error.to_string()))
}

/// Counts requests as the settings say.
fn limiter(settings: &Settings) -> RateLimiter {
    let callers = settings.rate_limit.rate().and_then(|rate| RateLimiter::new(rate.count, rate.per));
    let limiter = callers.unwrap_or_default().behind(settings.trusted_proxies);
    match settings.sign_in_limit.rate() {
        Some(rate) => limiter.with_sign_ins(rate.count, rate.per),
        None => limiter,
    }
}

fn greet(api: &str, docs: bool, platform: &Url, gateway: &Url) {
    let docs = if docs { format!("Docs             {api}/docs\n") } else { String::new() };
    print(&format!(
        "Jumun is ready.\n\
         API              {api}/api/v1\n\
         {docs}\
         Data platform    {platform}\n\
         Payment gateway  {gateway}\n\n\
         Try:\n  curl '{api}/api/v1/products?size=3'"
    ));
}
