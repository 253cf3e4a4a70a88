//! `jumun worker`.

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::serve::stop_signal;
use super::{CommandError, connect_migrated, print};
use crate::settings::Settings;

/// Delivers events, publishes rankings and keeps the house clean until the process is told to stop.
pub(super) async fn run(settings: &Settings) -> Result<(), CommandError> {
    let Some(base) = settings.data_platform_url.clone() else {
        return Err(CommandError(
            "JUMUN_DATA_PLATFORM_URL: a worker needs the address of the data platform".into(),
        ));
    };
    let wiring = connect_migrated(settings).await?;
    let secret = SecretString::from(settings.data_platform_secret.expose());
    let worker = wiring.worker(base, &secret);
    let worker = worker.map_err(|error| CommandError::because("JUMUN_DATA_PLATFORM_URL", &error))?;
    let stop = CancellationToken::new();
    let scheduler =
        wiring.ranking_scheduler(settings.ranking_daily_cron.clone(), settings.ranking_weekly_cron.clone());
    let work = [
        tokio::spawn(worker.run(stop.clone())),
        tokio::spawn(scheduler.run(stop.clone())),
        tokio::spawn(wiring.view_upkeep().run(stop.clone())),
    ];
    print("the worker runs");
    stop_signal().await;
    stop.cancel();
    for task in work {
        task.await.map_err(|error| CommandError::because("the worker failed", &error))?;
    }
    Ok(())
}
