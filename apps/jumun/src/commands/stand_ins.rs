//! `jumun stand-ins`, and the stand-ins inside `serve`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use local::{SystemClock, SystemIds};
use secrecy::SecretString;
use url::Url;

use super::serve::stop_signal;
use super::{CommandError, print};
use crate::settings::Settings;
use crate::stand_ins::data_platform::DataPlatform;
use crate::stand_ins::payment_gateway::PaymentGateway;
use crate::stand_ins::{self, StandIns};

/// Where the API takes the notices of the payment gateway.
const NOTICE_PATH: &str = "api/v1/webhooks/payment-gateway";
/// Where the API is looked for by stand-ins of their own.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Runs the stand-ins until the process is told to stop.
pub(super) async fn run(settings: &Settings, addr: SocketAddr) -> Result<(), CommandError> {
    let listener = TcpListener::bind(addr)
        .map_err(|error| CommandError::because(&format!("the stand-ins cannot listen on {addr}"), &error))?;
    let notice_url = notice_url(settings, API, settings.tls_certificate.is_some())?;
    print(&format!("notices go to    {notice_url}"));
    let (url, handle) = start(settings, listener, notice_url)?;
    print(&format!("data platform    {url}v1/events\npayment gateway  {url}v1/payments"));
    stop_signal().await;
    handle.stop(true).await;
    Ok(())
}

/// Starts the stand-ins beside the API at `api`, `secured` by TLS or not, if one of them is needed: on the
/// address of the settings or, where that is taken, on any.
pub(super) fn start_beside(
    settings: &Settings,
    api: SocketAddr,
    secured: bool,
) -> Result<Option<(Url, ServerHandle)>, CommandError> {
    if settings.data_platform_url.is_some() && settings.payment_gateway_url.is_some() {
        return Ok(None);
    }
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let wanted = settings.stand_ins_addr.unwrap_or(any);
    let listener = TcpListener::bind(wanted).or_else(|error| {
        tracing::warn!(%wanted, %error, "the stand-ins take another port");
        TcpListener::bind(any)
    });
    let listener = listener.map_err(|error| CommandError::because("the stand-ins cannot listen", &error))?;
    start(settings, listener, notice_url(settings, api, secured)?).map(Some)
}

fn start(
    settings: &Settings,
    listener: TcpListener,
    notice_url: Url,
) -> Result<(Url, ServerHandle), CommandError> {
    let failed = |error: &dyn std::error::Error| CommandError::because("the stand-ins cannot start", error);
    let addr = listener.local_addr().map_err(|error| failed(&error))?;
    let [events, notices] = [&settings.data_platform_secret, &settings.payment_gateway_secret]
        .map(|secret| SecretString::from(secret.expose()));
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
    let data_platform = DataPlatform::new(Some(&events), clock.clone(), ids.clone());
    let payment_gateway = PaymentGateway::new(&notices, Some(notice_url), clock, ids);
    let stand_ins = StandIns {
        data_platform: data_platform.map_err(|error| failed(&error))?,
        payment_gateway: payment_gateway.map_err(|error| failed(&error))?,
    };
    let server = stand_ins::start(listener, stand_ins).map_err(|error| failed(&error))?;
    let handle = server.handle();
    tokio::spawn(server);
    let url = Url::parse(&format!("http://{addr}/")).map_err(|error| failed(&error))?;
    Ok((url, handle))
}

/// Returns where notices go: as the settings say, or else to the API at `api`.
fn notice_url(settings: &Settings, mut api: SocketAddr, secured: bool) -> Result<Url, CommandError> {
    if let Some(url) = &settings.stand_ins_notice_url {
        return Ok(url.clone());
    }
    if api.ip().is_unspecified() {
        // Who listens everywhere also listens here.
        api.set_ip(if api.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    let scheme = if secured { "https" } else { "http" };
    let url = Url::parse(&format!("{scheme}://{api}/{NOTICE_PATH}"));
    url.map_err(|error| CommandError::because("the stand-ins cannot send notices", &error))
}
