//! The limit of the database: the rows of orders, written in sets by raw statements.
//!
//! No HTTP, no decisions, nothing read before. The same rows as the service writes for an order of products
//! that is paid with points: the order, its lines, two changes of status, the payment, a movement of stock
//! for each line, an entry of the wallet, two events; and changes of wallet, products and daily sales. Rows
//! that others want are written last, so that their locks are held over little more than the commit. What is
//! written satisfies the audit.

mod connection;
mod ledger;
mod rows;
mod statement;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use connection::Connection;
pub(crate) use ledger::Ledger;

use crate::load::random::Random;
use crate::load::sample::{Sample, since};
use rows::Order;
use statement::Statements;

/// What is written, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Transactions at a time.
    pub(crate) lanes: usize,
    /// Orders in each.
    pub(crate) orders: usize,
    /// Whether all orders are of one product, instead of two at random.
    pub(crate) flash: bool,
    /// For how long.
    pub(crate) time: Duration,
}

/// Writes orders for a time; each order is a sample, and as late as its transaction.
pub(crate) async fn run(database_url: &str, plan: Plan) -> Result<Vec<Sample>, sqlx::Error> {
    let mut reader = Connection::open(database_url).await?;
    let ledger = Arc::new(Mutex::new(Ledger::read(&mut reader).await?));
    let start = Instant::now();
    let mut tasks = Vec::new();
    for number in 0..plan.lanes {
        let connection = Connection::open(database_url).await?;
        tasks.push(tokio::spawn(lane(connection, ledger.clone(), Random::new(number as u64), plan, start)));
    }
    let mut samples = Vec::new();
    for task in tasks {
        samples.extend(task.await.map_err(|error| sqlx::Error::Protocol(error.to_string()))??);
    }
    Ok(samples)
}

async fn lane(
    mut connection: Connection,
    ledger: Arc<Mutex<Ledger>>,
    mut random: Random,
    plan: Plan,
    start: Instant,
) -> Result<Vec<Sample>, sqlx::Error> {
    let mut statements = Statements::new(connection.dialect());
    let mut samples = Vec::new();
    while start.elapsed() < plan.time {
        let orders: Vec<Order> = {
            let mut ledger = ledger.lock().unwrap_or_else(PoisonError::into_inner);
            (0..plan.orders).map(|_| ledger.order(&mut random, plan.flash)).collect()
        };
        let begun = Instant::now();
        let written = statements.of(&orders);
        connection.execute(&written).await?;
        let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
        samples.extend(orders.iter().map(|_| Sample { at: since(start), micros, status: 200 }));
    }
    Ok(samples)
}
