//! How long the live ranking takes where 300,000 order lines are stored: `make bench-ranking`.
//!
//! Each line of the table is a server that has just started, with one connection to its database: its
//! first request, and then as many that find nothing in the cache. Before the first one the tables of the
//! orders are put away, so that a ranking that reads them fails rather than being slow. On MySQL a first
//! request above 50 ms fails the benchmark.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark for people and CI logs")]

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use checkout::BusinessTerms;
use jumun::http::{self, ServerSettings};
use jumun::wiring::Wiring;
use kernel::{BusinessZone, Clock};
use local::SystemClock;
use sea_orm::ConnectionTrait;
use secrecy::SecretString;
use serde_json::Value;
use testkit::{Backend, TestDatabase};
use user::HashCost;

const ORDERS: u32 = 150_000;
/// Prime, so that every product is sold on every day.
const PRODUCTS: u32 = 1_009;
const DAYS: u32 = 30;
const LIMIT: Duration = Duration::from_millis(50);
const REPETITIONS: usize = 30;
const ASKED: [(u32, usize); 6] = [(3, 5), (1, 5), (3, 50), (7, 10), (14, 50), (30, 50)];

#[tokio::main]
async fn main() -> ExitCode {
    let mut slow = false;
    for backend in Backend::ALL {
        if !backend.is_available() {
            println!("{}: not measured, there is none here", backend.name());
            continue;
        }
        let database = TestDatabase::create(backend).await;
        let (lines, sums) = fill(&database).await;
        println!("\n{}: {lines} order lines, {sums} daily sums of {PRODUCTS} products", backend.name());
        println!(
            "| days | limit | first ms | median ms of {REPETITIONS} uncached | slowest ms | cached ms |"
        );
        println!("|---|---|---|---|---|---|");
        for (days, limit) in ASKED {
            let first = measure(&database, days, limit).await;
            slow |= backend == Backend::MySql && first > LIMIT;
        }
        database.remove().await.unwrap();
    }
    if slow {
        println!("\na first request took longer than {} ms", LIMIT.as_millis());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Asks a new server, prints a line of the table and returns the time of the first request.
async fn measure(database: &TestDatabase, days: u32, limit: usize) -> Duration {
    let pool = TestDatabase::open(&database.url, 20).await;
    let wiring = Wiring::on(
        pool,
        BusinessTerms { zone: BusinessZone::default(), payment_window: Duration::from_mins(30) },
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/api/v1/stats/popular-products?days={days}&limit={limit}",
        listener.local_addr().unwrap()
    );
    let shutdown_timeout = Duration::from_secs(1);
    let settings = ServerSettings { workers: Some(2), shutdown_timeout, ..ServerSettings::default() };
    let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let gateway = wiring.gateway("http://127.0.0.1:1".parse().unwrap(), &secret).unwrap();
    let services = wiring.services(HashCost::Minimal, &gateway);
    let server = http::build(listener, services, None, settings).unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();

    let first = ask(&client, &url, limit).await;
    let cached = ask(&client, &url, limit).await;
    let mut uncached = Vec::new();
    for _ in 0..REPETITIONS {
        wiring.popular.forget().await;
        uncached.push(ask(&client, &url, limit).await);
    }
    uncached.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "| {days} | {limit} | {:.1} | {:.1} | {:.1} | {:.1} |",
        ms(first),
        ms(uncached[REPETITIONS / 2]),
        ms(uncached[REPETITIONS - 1]),
        ms(cached)
    );
    handle.stop(true).await;
    serving.await.unwrap().unwrap();
    wiring.database.close().await.unwrap();
    first
}

/// Asks for a ranking, which must be as long as it can be, and returns how long that took.
async fn ask(client: &reqwest::Client, url: &str, limit: usize) -> Duration {
    let begun = Instant::now();
    let answer = client.get(url).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    let time = begun.elapsed();
    assert_eq!(status, 200, "{text}");
    let ranking: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(ranking["products"].as_array().unwrap().len(), limit);
    time
}

/// Fills the tables with what a month of orders leaves behind, two lines each, puts the orders away, and
/// returns how many lines and daily sums there are.
async fn fill(database: &TestDatabase) -> (u64, u64) {
    let mysql = database.backend == Backend::MySql;
    let now = SystemClock.now().format("%Y-%m-%d %H:%M:%S");
    let id = |number: &str| {
        let digits = if mysql { "LPAD(?, 16, '0') AS BINARY(16)" } else { "printf('%016d', ?) AS BLOB" };
        format!("CAST({})", digits.replace('?', number))
    };
    let count = |to: u32| {
        format!("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})")
    };
    let at = if mysql {
        format!("TIMESTAMP('{now}') - INTERVAL i % {DAYS} DAY")
    } else {
        format!("strftime('%Y-%m-%dT%H:%M:%S+00:00', '{now}', '-' || (i % {DAYS}) || ' days')")
    };
    // The business day in Seoul.
    let day = if mysql { "DATE(o.created_at + INTERVAL 9 HOUR)" } else { "date(o.created_at, '+9 hours')" };
    let name = if mysql { "CONCAT('Product ', i)" } else { "'Product ' || i" };
    let first = format!("(i * 7919 % {PRODUCTS})");
    let second = format!("((i * 7919 + 1 + i * 31 % {}) % {PRODUCTS})", PRODUCTS - 2);
    let line = |number: u32, product: &str| {
        format!(
            "INSERT INTO order_items (order_id, product_id, line, name, unit_price, quantity, subtotal) {} \
             SELECT {}, {}, {number}, 'Product', 1000, 1 + i % 3, 1000 * (1 + i % 3) FROM n",
            count(ORDERS),
            id("i"),
            id(product)
        )
    };
    let statements = [
        if mysql { "SET SESSION cte_max_recursion_depth = 1000000".into() } else { "SELECT 1".into() },
        format!(
            "INSERT INTO products (id, name, price, stock, status, version, stock_version, event_sequence, \
             created_at, updated_at) {} SELECT {}, {name}, 1000, 1000, 'ACTIVE', 1, 0, 0, {at}, {at} FROM n",
            count(PRODUCTS),
            id("i")
        ),
        format!(
            "INSERT INTO orders (id, user_id, status, total, discount, paid, version, created_at) {} \
             SELECT {}, {}, 'PAID', 2000 * (1 + i % 3), 0, 2000 * (1 + i % 3), 2, {at} FROM n",
            count(ORDERS),
            id("i"),
            id("i % 10000")
        ),
        line(1, &first),
        line(2, &second),
        format!(
            "INSERT INTO daily_sales (day, product_id, quantity, amount) \
             SELECT {day}, l.product_id, SUM(l.quantity), SUM(l.subtotal) FROM orders o \
             JOIN order_items l ON l.order_id = o.id GROUP BY {day}, l.product_id"
        ),
        "ALTER TABLE order_items RENAME TO order_items_put_away".into(),
        "ALTER TABLE orders RENAME TO orders_put_away".into(),
    ];
    let connection = database.connect().await.unwrap();
    for statement in &statements {
        connection.execute_unprepared(statement).await.unwrap();
    }
    let mut counts = [0; 2];
    for (count, table) in counts.iter_mut().zip(["order_items_put_away", "daily_sales"]) {
        let sql = format!("SELECT COUNT(*) AS rows_found FROM {table}");
        let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        *count = u64::try_from(row.try_get::<i64>("", "rows_found").unwrap()).unwrap();
    }
    connection.close().await.unwrap();
    assert!(counts[0] >= 300_000 && counts[1] > u64::from(PRODUCTS * (DAYS - 1)), "{counts:?}");
    (counts[0], counts[1])
}
