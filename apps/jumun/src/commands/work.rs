//! `jumun worker`.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::ServerHandle;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use user::HashCost;

use super::serve::{ended_within, stop_signal, upkeep};
use super::{CommandError, connect_gateway, connect_migrated, print};
use crate::http;
use crate::settings::Settings;
use crate::wiring::{Gateway, Wiring};

/// Delivers events, settles orders and payments, publishes rankings and keeps the house clean until the
/// process is told to stop.
pub(super) async fn run(settings: &Settings) -> Result<(), CommandError> {
    let Some(base) = settings.data_platform_url.clone() else {
        return Err(CommandError(
            "JUMUN_DATA_PLATFORM_URL: a worker needs the address of the data platform".into(),
        ));
    };
    let Some(gateway) = settings.payment_gateway_url.clone() else {
        return Err(CommandError(
            "JUMUN_PAYMENT_GATEWAY_URL: a worker needs the address of the payment gateway".into(),
        ));
    };
    let wiring = connect_migrated(settings).await?;
    let gateway = connect_gateway(&wiring, settings, gateway)?;
    let secret = SecretString::from(settings.data_platform_secret.expose());
    let worker = wiring.worker(base, &secret);
    let worker = worker.map_err(|error| CommandError::because("JUMUN_DATA_PLATFORM_URL", &error))?;
    let probes = settings.worker_http_addr.map(|addr| start_probes(&wiring, &gateway, addr)).transpose()?;
    let stop = CancellationToken::new();
    let scheduler =
        wiring.ranking_scheduler(settings.ranking_daily_cron.clone(), settings.ranking_weekly_cron.clone());
    let work = [
        tokio::spawn(worker.run(stop.clone())),
        tokio::spawn(scheduler.run(stop.clone())),
        tokio::spawn(wiring.settlement(&gateway).run(stop.clone())),
        tokio::spawn(wiring.view_upkeep().run(stop.clone())),
        tokio::spawn(upkeep(wiring, None, stop.clone())),
    ];
    print(&probes.as_ref().map_or_else(
        || "the worker runs".to_owned(),
        |(addr, _)| format!("the worker runs, its health and metrics are on http://{addr}"),
    ));
    stop_signal().await;
    stop.cancel();
    let ended = ended_within(settings.shutdown_timeout, work).await?;
    if let Some((_, handle)) = probes {
        handle.stop(true).await;
    }
    if ended {
        return Ok(());
    }
    Err(CommandError("not everything that was begun could be finished in time".into()))
}

/// Shows the worker's health and metrics.
fn start_probes(
    wiring: &Wiring,
    gateway: &Gateway,
    addr: SocketAddr,
) -> Result<(SocketAddr, ServerHandle), CommandError> {
    let failed = |error| CommandError::because(&format!("JUMUN_WORKER_HTTP_ADDR: {addr}"), &error);
    let listener = TcpListener::bind(addr).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let server =
        http::build_probes(listener, wiring.services(HashCost::Standard, gateway)).map_err(failed)?;
    let handle = server.handle();
    tokio::spawn(server);
    Ok((addr, handle))
}
