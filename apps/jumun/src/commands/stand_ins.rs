//! `jumun stand-ins`, and the stand-ins inside `serve`.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use local::{SystemClock, SystemIds};
use secrecy::SecretString;
use url::Url;

use super::serve::stop_signal;
use super::{CommandError, print};
use crate::settings::Settings;
use crate::stand_ins::data_platform::{self, DataPlatform};

/// Runs the stand-ins until the process is told to stop.
pub(super) async fn run(settings: &Settings, addr: SocketAddr) -> Result<(), CommandError> {
    let listener = TcpListener::bind(addr)
        .map_err(|error| CommandError::because(&format!("the stand-ins cannot listen on {addr}"), &error))?;
    let (url, handle) = start(settings, listener)?;
    print(&format!("data platform  {url}v1/events"));
    stop_signal().await;
    handle.stop(true).await;
    Ok(())
}

/// Starts the stand-ins beside the API, on the address of the settings or, where that is taken, on any.
pub(super) fn start_beside(settings: &Settings) -> Result<(Url, ServerHandle), CommandError> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let wanted = settings.stand_ins_addr.unwrap_or(any);
    let listener = TcpListener::bind(wanted).or_else(|error| {
        tracing::warn!(%wanted, %error, "the stand-ins take another port");
        TcpListener::bind(any)
    });
    start(settings, listener.map_err(|error| CommandError::because("the stand-ins cannot listen", &error))?)
}

fn start(settings: &Settings, listener: TcpListener) -> Result<(Url, ServerHandle), CommandError> {
    let failed = |error: &dyn std::error::Error| CommandError::because("the stand-ins cannot start", error);
    let addr = listener.local_addr().map_err(|error| failed(&error))?;
    let secret = SecretString::from(settings.data_platform_secret.expose());
    let platform = DataPlatform::new(Some(&secret), Arc::new(SystemClock), Arc::new(SystemIds));
    let server = data_platform::start(listener, platform.map_err(|error| failed(&error))?);
    let server = server.map_err(|error| failed(&error))?;
    let handle = server.handle();
    tokio::spawn(server);
    let url = Url::parse(&format!("http://{addr}/")).map_err(|error| failed(&error))?;
    Ok((url, handle))
}
