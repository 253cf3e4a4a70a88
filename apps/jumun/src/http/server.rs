//! Putting the servers together.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio::net::TcpSocket;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::caller::identify;
use super::docs;
use super::envelope::envelope;
use super::rate_limit::{RateLimiter, limit};
use super::routes::Routes;
use super::services::Services;
use super::shared_lists::SharedLists;
use super::tls::Tls;

/// What a server can be told.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// How many threads serve requests; as many as there are cores without a number.
    pub workers: Option<usize>,
    /// How many connections of one thread are open at once.
    pub max_connections: usize,
    /// How long a quiet connection is kept.
    pub keep_alive: Duration,
    /// How long a shutdown waits for requests that have begun.
    pub shutdown_timeout: Duration,
    /// Whether the document of the API and Swagger UI are shown.
    pub docs: bool,
    /// What connections are secured with; plain HTTP without it.
    pub tls: Option<Tls>,
}

impl Default for ServerSettings {
    /// A thread a core, 10,000 connections each, which are kept for 75 s; a shutdown waits for 30 s; plain HTTP.
    fn default() -> Self {
        Self {
            workers: None,
            max_connections: 10_000,
            keep_alive: Duration::from_secs(75),
            shutdown_timeout: Duration::from_secs(30),
            docs: true,
            tls: None,
        }
    }
}

/// How long the head of a request may take to arrive, and a handshake of TLS before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Listens at an address, where up to `backlog` connections wait to be accepted: when thousands come at
/// once, those beyond it are lost and come again a second later.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(addr: SocketAddr, backlog: u32) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(backlog)?.into_std()
}

/// Makes a server on a listener. It handles no signals: whoever awaits it stops it by its handle. What
/// callers share is read on the current runtime.
///
/// # Errors
/// When the listener cannot be used.
///
/// # Panics
/// Outside of a runtime.
pub fn build(
    listener: TcpListener,
    services: Services,
    limiter: Option<web::Data<RateLimiter>>,
    settings: ServerSettings,
) -> std::io::Result<Server> {
    let document = docs::openapi();
    let routes = web::Data::new(Routes::of(&document, settings.docs));
    let document = web::Data::new(document);
    let lists = web::Data::new(SharedLists::new(&services));
    let services = web::Data::new(services);
    let mut server = HttpServer::new(move || {
        let api = utoipa_actix_web::scope("/api/v1")
            .wrap(from_fn(identify))
            .wrap(from_fn(limit))
            .configure(docs::api);
        let (mut app, _) = App::new()
            .app_data(services.clone())
            .app_data(lists.clone())
            .app_data(document.clone())
            .app_data(routes.clone())
            .into_utoipa_app()
            .service(api)
            .configure(docs::operation)
            .split_for_parts();
        if let Some(limiter) = &limiter {
            app = app.app_data(limiter.clone());
        }
        if settings.docs {
            app = app.configure(show);
        }
        app.wrap(from_fn(envelope))
    })
    .client_request_timeout(HEAD_TIMEOUT)
    .tls_handshake_timeout(HEAD_TIMEOUT)
    .keep_alive(settings.keep_alive)
    .max_connections(settings.max_connections)
    .shutdown_timeout(settings.shutdown_timeout.as_secs())
    .disable_signals();
    if let Some(workers) = settings.workers {
        server = server.workers(workers);
    }
    let server = match settings.tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls.into_config())?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// Shows the document of the API, and Swagger UI.
fn show(config: &mut web::ServiceConfig) {
    // Without a word on it, the page would show a badge from the internet.
    let swagger = Config::from("/openapi.json").validator_url("none");
    config
        .service(docs::openapi_json)
        .service(docs::swagger_ui)
        .service(SwaggerUi::new("/docs/{_:.*}").config(swagger));
}

/// Makes a server that shows health and metrics only, for a process without the API (ADR-033). It handles
/// no signals: whoever awaits it stops it by its handle.
///
/// # Errors
/// When the listener cannot be used.
pub fn build_probes(listener: TcpListener, services: Services) -> std::io::Result<Server> {
    let services = web::Data::new(services);
    let server = HttpServer::new(move || {
        let (app, _) = App::new()
            .app_data(services.clone())
            .into_utoipa_app()
            .configure(docs::operation)
            .split_for_parts();
        app.wrap(from_fn(envelope))
    });
    let server = server
        .workers(1)
        .client_request_timeout(HEAD_TIMEOUT)
        // A probe that is held back must not hold back the end.
        .shutdown_timeout(1)
        .disable_signals();
    Ok(server.listen(listener)?.run())
}
