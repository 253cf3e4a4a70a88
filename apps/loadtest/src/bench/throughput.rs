//! What the targets are about: as much as goes, from a lean client, beside raw statements and bare HTTP.

use std::sync::Arc;

use super::{Bench, SCALE, keys, scenarios, wrk};
use crate::Failure;
use crate::load::Source;
use crate::load::random::Random;
use crate::load::request::Request;
use crate::load::users::{self, Crowd, Stay};
use crate::raw;
use crate::site::bare::Canned;
use crate::site::service::{Service, Site};
use crate::site::shop::{self, Shop};

/// Connections of a closed loop at full load.
const CONNECTIONS: usize = 256;

/// Runs all of it on the database of the run.
pub(super) async fn run(bench: &mut Bench) -> Result<(), Failure> {
    let (site, raw) = (bench.site.clone(), bench.raw.clone());
    let orders = shop::orders(&bench.shop);
    write_raw(bench, keys::RAW, &raw, false).await?;

    let service = site.serve("service", &[]).await?;
    bench.closed(keys::ORDERS, "orders of 2 products", &service, CONNECTIONS, orders.clone()).await?;
    bench.audit(&site).await?;
    generators(bench, &service, orders.clone()).await?;
    let most = bench.outcome.get(keys::ORDERS).map_or(0.0, |measured| measured.summary.ok_per_second());
    bench
        .open(
            keys::TENTH,
            "orders at a tenth of the rate",
            (&service, &[]),
            (most / 10.0).max(1.0),
            orders.clone(),
        )
        .await?;
    bench.audit(&site).await?;
    overload(bench, &service, most, orders.clone()).await?;
    bench
        .closed(keys::FLASH, "orders of one product", &service, CONNECTIONS, shop::flash(&bench.shop))
        .await?;
    bench.audit(&site).await?;

    let claims = scenarios::coupon(bench, &service, "BENCHMOST").await?;
    bench
        .closed(keys::CLAIMS, "claims of a coupon of 100 pieces", &service, CONNECTIONS, claims.clone())
        .await?;
    scenarios::issued(bench, &service, "BENCHMOST").await?;
    bench.audit(&site).await?;
    beside_memory(bench, keys::CLAIMS_BARE, "a claim's refusal from memory", &service, claims).await?;

    bench.closed(keys::PAGE, "a page of 20 products", &service, CONNECTIONS, shop::page()).await?;
    beside_memory(bench, keys::PAGE_BARE, "the same page from memory", &service, shop::page()).await?;
    bench.outcome.peak_memory = service.process().peak_memory();
    service.stop().await?;

    let alone = [("JUMUN_ORDER_LANES", "32"), ("JUMUN_ORDER_LINES", "1")];
    let service = site.serve("alone", &alone).await?;
    bench.closed(keys::ORDERS_ALONE, "orders with a transaction each", &service, CONNECTIONS, orders).await?;
    service.stop().await?;
    bench.audit(&site).await?;
    write_raw(bench, keys::RAW_AGAIN, &raw, false).await?;
    write_raw(bench, keys::RAW_FLASH, &raw, true).await?;
    write_sets(bench, keys::RAW_ALONE, &raw, (1, 1), false).await
}

/// Offers ten times as much as goes: what can be done is done, the rest is refused at once, and what comes after
/// does not suffer from it.
async fn overload(bench: &mut Bench, service: &Service, most: f64, orders: Source) -> Result<(), Failure> {
    let site = bench.site.clone();
    let title = "ten times as many orders as it can";
    bench.overload(keys::OVERLOAD, title, service, most.max(1.0) * 10.0, orders.clone()).await?;
    let title = "orders at a tenth of the rate, right after that";
    bench.open(keys::RECOVERED, title, (service, &[]), (most / 10.0).max(1.0), orders).await?;
    bench.audit(&site).await
}

/// Runs orders on SQLite, beside a run on MySQL.
pub(super) async fn embedded(bench: &mut Bench, url: String) -> Result<(), Failure> {
    let site = Site { database_url: url.clone(), redis_url: None, ..bench.site.clone() };
    site.fill(SCALE).await?;
    let raw = Site { database_url: url.replace("embedded.db", "embedded-raw.db"), ..site.clone() };
    raw.fill(SCALE).await?;
    write_raw(bench, keys::EMBEDDED_RAW, &raw, false).await?;
    let shop: Arc<Shop> = Shop::load(&site.database_url).await?;
    let service = site.serve("embedded", &[]).await?;
    let orders = shop::orders(&shop);
    bench.closed(keys::EMBEDDED, "orders of 2 products on SQLite", &service, CONNECTIONS, orders).await?;
    service.stop().await?;
    bench.audit(&site).await
}

/// Writes orders by raw statements: as many at a time as there are connections over HTTP.
async fn write_raw(bench: &mut Bench, key: &'static str, site: &Site, flash: bool) -> Result<(), Failure> {
    let lanes = if site.database_url.starts_with("mysql:") { 2 } else { 1 };
    write_sets(bench, key, site, (lanes, CONNECTIONS / 2), flash).await
}

/// Writes orders by raw statements, so many transactions at a time of so many orders.
async fn write_sets(
    bench: &mut Bench,
    key: &'static str,
    site: &Site,
    (lanes, orders): (usize, usize),
    flash: bool,
) -> Result<(), Failure> {
    let plan = |time| raw::Plan { lanes, orders, flash, time };
    raw::run(&site.database_url, plan(bench.pace.warm_up())).await?;
    let title = if flash { "raw statements, one product" } else { "raw statements, 2 products" };
    let load = format!("{lanes} at a time, {orders} orders a transaction");
    let run = raw::run(&site.database_url, plan(bench.pace.time()));
    bench.measure(key, (title, load), None, &[], run).await?;
    bench.audit(site).await
}

/// Gives the service's last answer from memory.
async fn beside_memory(
    bench: &mut Bench,
    key: &'static str,
    title: &str,
    service: &Service,
    source: Source,
) -> Result<(), Failure> {
    let request: Request = source(&mut Random::new(0));
    let (status, head, body) = service.ask(&request).await?;
    let bare = Service::bare(&bench.site, &Canned::new(status, &head, body)).await?;
    bench.closed(key, title, &bare, CONNECTIONS, source).await?;
    bare.stop().await
}

/// Makes the same load with goose, with wrk and once more with the lean client: what the generator itself takes
/// away, and how much of the difference is only the time that has passed.
async fn generators(bench: &mut Bench, service: &Service, orders: Source) -> Result<(), Failure> {
    let time = bench.pace.time();
    let crowd = Crowd { users: CONNECTIONS, arrive: 0, stay: Stay::Seconds(time.as_secs()) };
    let url = format!("http://{}", service.addr);
    let load = format!("closed loop, {CONNECTIONS} users of goose");
    let run = users::run(&url, crowd, orders.clone());
    bench.measure(keys::GOOSE, ("orders of 2 products, by goose", load), Some(service), &[], run).await?;
    let site = bench.site.clone();
    bench.audit(&site).await?;
    wrk::run(bench, service, CONNECTIONS, time).await?;
    bench.closed(keys::ORDERS_AGAIN, "orders of 2 products, once more", service, CONNECTIONS, orders).await?;
    bench.audit(&site).await
}
