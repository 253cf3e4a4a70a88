//! The scenarios of users, closed loop by goose and at a fixed rate, with a worker that delivers the events.

use super::{Bench, Pace, keys};
use crate::Failure;
use crate::load::Source;
use crate::load::request::Request;
use crate::load::users::{self, Crowd, Stay};
use crate::site::service::Service;
use crate::site::shop;

/// Pieces of each coupon of these scenarios, and of the product of the flash sale.
const COUPONS: u32 = 100;
const PIECES: u32 = 1_000;

/// What is at work beside the service.
struct Beside(Vec<Service>);

impl Beside {
    fn all(&self) -> Vec<&Service> {
        self.0.iter().collect()
    }
}

/// Runs them.
pub(super) async fn run(bench: &mut Bench) -> Result<(), Failure> {
    // SQLite has one process, which does all of the work.
    let embedded = bench.site.redis_url.is_none();
    let service =
        bench.site.serve("service", &[("JUMUN_WORKER", if embedded { "true" } else { "false" })]).await?;
    let mut beside = Beside(Vec::new());
    if !embedded {
        let stand_ins = bench.site.stand_ins().await?;
        let worker = bench.site.work(&stand_ins).await?;
        beside.0 = vec![worker, stand_ins];
    }
    let full = bench.pace == Pace::Full;
    let stay = |full_loops: usize, quick: usize| Stay::Requests(if full { full_loops } else { quick });
    let arrive = |seconds: u32| if full { seconds } else { 1 };

    let orders = shop::orders(&bench.shop);
    let crowd = Crowd { users: 200, arrive: arrive(10), stay: stay(10, 5) };
    crowded(bench, keys::PLAN_ORDERS, "orders of 200 users", &service, &beside, crowd, orders.clone())
        .await?;
    offered(bench, "plan-orders-rate", "orders", &service, &beside, 200.0, orders).await?;

    let crowd = Crowd { users: 500, arrive: arrive(5), stay: stay(20, 5) };
    crowded(bench, keys::PLAN_PRODUCTS, "products seen by 500 users", &service, &beside, crowd, shop::page())
        .await?;
    offered(bench, "plan-products-rate", "products", &service, &beside, 1_000.0, shop::page()).await?;

    let crowd = Crowd { users: 1_000, arrive: arrive(1), stay: Stay::Requests(1) };
    let claims = coupon(bench, &service, "BENCHUSERS").await?;
    crowded(
        bench,
        keys::PLAN_CLAIMS,
        "a coupon of 100 pieces for 1,000 users",
        &service,
        &beside,
        crowd,
        claims,
    )
    .await?;
    issued(bench, &service, "BENCHUSERS").await?;
    let claims = coupon(bench, &service, "BENCHRATE").await?;
    offered(bench, "plan-claims-rate", "claims of 100 pieces", &service, &beside, 1_000.0, claims).await?;

    let crowd = Crowd { users: 100, arrive: arrive(2), stay: Stay::Seconds(bench.pace.time().as_secs()) };
    let mixed = shop::mixed(&bench.shop);
    crowded(bench, "mixed", "a mixed shop of 100 users", &service, &beside, crowd, mixed.clone()).await?;
    offered(bench, "mixed-rate", "a mixed shop", &service, &beside, 500.0, mixed).await?;

    let crowd = Crowd { users: 200, arrive: 0, stay: Stay::Seconds(bench.pace.time().as_secs()) };
    let flash = sale(bench, &service).await?;
    crowded(bench, "sale", "a flash sale of 1,000 pieces for 200 users", &service, &beside, crowd, flash)
        .await?;
    let flash = sale(bench, &service).await?;
    offered(bench, "sale-rate", "a flash sale of 1,000 pieces", &service, &beside, 1_000.0, flash).await?;

    service.stop().await?;
    for process in beside.0 {
        process.stop().await?;
    }
    Ok(())
}

/// Loads the service with users of goose, and audits.
async fn crowded(
    bench: &mut Bench,
    key: &'static str,
    title: &str,
    service: &Service,
    beside: &Beside,
    crowd: Crowd,
    source: Source,
) -> Result<(), Failure> {
    let load = format!("closed loop, {} users of goose", crowd.users);
    let url = format!("http://{}", service.addr);
    let run = users::run(&url, crowd, source);
    bench.measure(key, (title, load), Some(service), &beside.all(), run).await?;
    let site = bench.site.clone();
    bench.audit(&site).await
}

/// Offers the service a fixed rate, and audits.
async fn offered(
    bench: &mut Bench,
    key: &'static str,
    title: &str,
    service: &Service,
    beside: &Beside,
    rate: f64,
    source: Source,
) -> Result<(), Failure> {
    bench.open(key, title, (service, &beside.all()), rate, source).await?;
    let site = bench.site.clone();
    bench.audit(&site).await
}

/// Makes a coupon and returns the claims of it.
pub(super) async fn coupon(bench: &Bench, service: &Service, code: &str) -> Result<Source, Failure> {
    let (status, _, body) = service.ask(&shop::new_coupon(code, COUPONS)).await?;
    if status == 201 {
        Ok(shop::claims(&bench.shop, code))
    } else {
        Err(Failure::Refused { what: "a coupon", status, body })
    }
}

/// Looks how many pieces of a coupon are issued.
pub(super) async fn issued(bench: &mut Bench, service: &Service, code: &str) -> Result<(), Failure> {
    let (status, _, body) = service.ask(&Request::get(format!("/api/v1/coupons/{code}"))).await?;
    let coupon: serde_json::Value = serde_json::from_str(&body)?;
    let remaining = coupon["remaining"].as_u64();
    let remaining = remaining.ok_or(Failure::Refused { what: "a coupon", status, body })?;
    let quantity = u64::from(COUPONS);
    bench.outcome.coupons = Some((quantity.saturating_sub(remaining), quantity));
    Ok(())
}

/// Puts a product on sale and returns the orders of it.
async fn sale(bench: &Bench, service: &Service) -> Result<Source, Failure> {
    let (status, _, body) = service.ask(&shop::new_product(PIECES)).await?;
    let product: serde_json::Value = serde_json::from_str(&body)?;
    let id = product["id"].as_str().and_then(|id| id.parse().ok());
    let id = id.ok_or(Failure::Refused { what: "a product", status, body })?;
    Ok(shop::one_piece(bench.shop.clone(), id))
}
