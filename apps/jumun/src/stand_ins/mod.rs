//! Stand-ins for the services that Jumun talks to, so that it runs and can be tried out alone.
//!
//! They speak the protocol of the real ones and keep everything in memory. Their paths do not collide, so
//! that one port serves both, and each can have one of its own. `PUT /v1/faults` makes either or both slow
//! or failing while they run.

pub mod data_platform;
mod faults;
mod health;
pub mod payment_gateway;

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};

use self::data_platform::DataPlatform;
use self::faults::Switchboard;
use self::payment_gateway::PaymentGateway;

/// All stand-ins; clones are the same ones.
#[derive(Clone)]
pub struct StandIns {
    /// Takes events.
    pub data_platform: DataPlatform,
    /// Takes money by card.
    pub payment_gateway: PaymentGateway,
}

/// Registers the routes of all.
pub fn configure(cfg: &mut web::ServiceConfig, stand_ins: &StandIns) {
    let StandIns { data_platform, payment_gateway } = stand_ins;
    let switchboard = Switchboard {
        data_platform: data_platform.faults().clone(),
        payment_gateway: payment_gateway.faults().clone(),
    };
    cfg.service(switchboard.resource());
    data_platform::configure(cfg, data_platform.clone());
    payment_gateway::configure(cfg, payment_gateway.clone());
    health::configure(cfg);
}

/// Serves them on a port of their own until the server is stopped or dropped; signals are left to the
/// caller.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(listener: TcpListener, stand_ins: StandIns) -> std::io::Result<Server> {
    let app = move || App::new().configure(|cfg| configure(cfg, &stand_ins));
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        // An answer that is held back must not hold back the end.
        .shutdown_timeout(1)
        .listen(listener)?
        .run();
    Ok(server)
}
