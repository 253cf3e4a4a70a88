//! Four ways to take a piece from a stock that others take from too, side by side: `make bench-locks`.
//!
//! An order takes one piece of one product and writes one row of its own, in one transaction, at READ
//! COMMITTED. Callers order one after the other, each over a connection of its own; in the batch they hand
//! their orders to one lane with one connection, which takes what waits. The ways take turns, so that what
//! else the machine does falls on all. Nothing is asserted about time, but each way has to account for every
//! piece, and to sell no more than there is (ADR-018).

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark for people and CI logs")]

mod ways;

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use testkit::{Backend, TestDatabase};
use tokio::time::Instant;

use crate::ways::{Until, Way};

const PRODUCTS: [u32; 2] = [1, 1_000];
const CALLERS: [usize; 3] = [1, 8, 32];
const PLENTY: i64 = 1_000_000;
/// How many pieces there are where more are wanted.
const FEW: i64 = 500;
const TURN: Duration = Duration::from_millis(700);
const TURNS: usize = 3;

#[tokio::main]
async fn main() {
    if !Backend::MySql.is_available() {
        println!("not measured, there is no MySQL here");
        return;
    }
    let database = TestDatabase::create(Backend::MySql).await;
    let shop = database.connect().await.unwrap();
    for table in [
        "CREATE TABLE goods (id INT PRIMARY KEY, stock BIGINT NOT NULL CHECK (stock >= 0), \
         version BIGINT NOT NULL)",
        "CREATE TABLE taken (id BIGINT AUTO_INCREMENT PRIMARY KEY, good INT NOT NULL)",
    ] {
        shop.execute_unprepared(table).await.unwrap();
    }
    for way in Way::ALL {
        fill(&shop, 1, FEW).await;
        let outcome = ways::run(&database.url, way, 1, 32, Until::SoldOut).await;
        let left = account(&shop).await;
        assert_eq!((outcome.sold, left), (FEW, (0, FEW)), "{}: oversold, or not sold out", way.name());
    }
    println!("each way sold {FEW} of {FEW} pieces to 32 callers who wanted more\n");
    println!("| products | callers | way | orders/s | ratio | tries in vain, per order |");
    println!("|---|---|---|---|---|---|");
    for products in PRODUCTS {
        for callers in CALLERS {
            measure(&database, &shop, products, callers).await;
        }
    }
    shop.close().await.unwrap();
    database.remove().await.unwrap();
}

/// Lets the ways take turns and prints the middle one of each.
async fn measure(database: &TestDatabase, shop: &DatabaseConnection, products: u32, callers: usize) {
    let mut turns = Way::ALL.map(|_| Vec::new());
    for _ in 0..TURNS {
        for (way, turns) in Way::ALL.into_iter().zip(&mut turns) {
            fill(shop, products, PLENTY).await;
            let until = Until::Time(Instant::now() + TURN);
            let outcome = ways::run(&database.url, way, products, callers, until).await;
            let (left, taken) = account(shop).await;
            let all = i64::from(products) * PLENTY;
            assert_eq!((left, taken), (all - outcome.sold, outcome.sold), "{}: a piece is lost", way.name());
            turns.push(outcome);
        }
    }
    let middles = turns.map(|mut turns| {
        turns.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
        turns.swap_remove(TURNS / 2)
    });
    for (way, middle) in Way::ALL.into_iter().zip(&middles) {
        println!(
            "| {products} | {callers} | {} | {:.0} | {:.2} | {:.2} |",
            way.name(),
            middle.rate(),
            middle.rate() / middles[0].rate(),
            middle.in_vain_per_order()
        );
    }
}

async fn fill(shop: &DatabaseConnection, products: u32, stock: i64) {
    for statement in ["TRUNCATE TABLE taken", "DELETE FROM goods"] {
        shop.execute_unprepared(statement).await.unwrap();
    }
    let rows: Vec<_> = (0..products).map(|id| format!("({id}, {stock}, 0)")).collect();
    shop.execute_unprepared(&format!("INSERT INTO goods VALUES {}", rows.join(", "))).await.unwrap();
}

/// Returns how many pieces are left and how many were written down as taken.
async fn account(shop: &DatabaseConnection) -> (i64, i64) {
    let sums = "SELECT (SELECT CAST(SUM(stock) AS SIGNED) FROM goods) AS pieces_left, \
         (SELECT COUNT(*) FROM taken) AS pieces_taken";
    let sums = Statement::from_string(shop.get_database_backend(), sums);
    let row = shop.query_one_raw(sums).await.unwrap().unwrap();
    (row.try_get("", "pieces_left").unwrap(), row.try_get("", "pieces_taken").unwrap())
}
