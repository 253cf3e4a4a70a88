//! A data platform, and a worker that delivers to it.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use jumun::stand_ins::data_platform::DataPlatform;
use jumun::stand_ins::payment_gateway::PaymentGateway;
use jumun::stand_ins::{self, StandIns};
use local::{SystemClock, SystemIds};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Client, Shop};
use testkit::eventually;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A data platform on a port of its own that takes signed events only.
pub(crate) struct Platform {
    base: Url,
    client: Client,
    server: ServerHandle,
}

impl Platform {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let secret = SecretString::from(SECRET);
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
        let data_platform = DataPlatform::new(Some(&secret), clock.clone(), ids.clone()).unwrap();
        let payment_gateway = PaymentGateway::new(&secret, None, clock, ids).unwrap();
        let server = stand_ins::start(listener, StandIns { data_platform, payment_gateway }).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self { client: Client::new(base.as_str()), base, server: handle }
    }

    /// Makes the platform misbehave; `{}` makes it well again.
    pub(crate) async fn set_faults(&self, faults: Value) {
        self.client.call(Method::PUT, "/v1/faults").json(faults).await.is(200);
    }

    /// Returns what arrived about an aggregate, as text, in the order of its first arrival.
    pub(crate) async fn arrivals(&self, aggregate: &str) -> Vec<Value> {
        let path = format!("/v1/events?subject={aggregate}");
        let list = self.client.call(Method::GET, &path).await.ok();
        list["events"].as_array().unwrap().clone()
    }

    /// Waits until so many events about an aggregate have arrived, and returns them.
    pub(crate) async fn arrived(&self, aggregate: &str, count: usize) -> Vec<Value> {
        eventually("the events arrive", || async {
            Some(self.arrivals(aggregate).await).filter(|events| events.len() >= count)
        })
        .await
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// A worker at work.
pub(crate) struct Delivery {
    end: CancellationToken,
    work: JoinHandle<()>,
}

impl Delivery {
    /// Starts a worker that delivers the events of a shop to a platform.
    pub(crate) fn start(shop: &Shop, platform: &Platform) -> Self {
        let worker = shop.wiring.worker(platform.base.clone(), &SecretString::from(SECRET)).unwrap();
        let end = CancellationToken::new();
        let work = tokio::spawn(worker.run(end.clone()));
        Self { end, work }
    }

    /// Lets the worker finish what it has begun.
    pub(crate) async fn finish(self) {
        self.end.cancel();
        self.work.await.unwrap();
    }
}
