//! The ways, and callers who go them.

use std::collections::BTreeMap;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, Statement, TransactionTrait};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The most orders that share a transaction, as in `checkout`.
const SET: usize = 128;

/// How a piece is taken.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// Locks the row while reading it, then writes what was decided.
    Pessimistic,
    /// Reads without a lock; what was decided is written if nobody was faster, or decided anew.
    Optimistic,
    /// Lets the statement decide.
    Conditional,
    /// Locks the rows of many orders, decides them one after the other, and writes all.
    Batch,
}

/// What became of a try.
enum Try {
    Sold,
    SoldOut,
    Overtaken,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Pessimistic, Self::Optimistic, Self::Conditional, Self::Batch];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pessimistic => "lock, then UPDATE",
            Self::Optimistic => "version, else once more",
            Self::Conditional => "UPDATE … WHERE stock >= 1",
            Self::Batch => "a set of orders under its locks",
        }
    }

    /// Tries to take a piece of one product.
    async fn try_once(self, connection: &DatabaseConnection, product: u32) -> Result<Try, DbErr> {
        let tx = connection.begin().await?;
        let taken = match self {
            Self::Conditional => {
                let update = "UPDATE goods SET stock = stock - 1 WHERE id = ? AND stock >= 1";
                match execute(&tx, update, vec![product.into()]).await? {
                    0 => Try::SoldOut,
                    _ => Try::Sold,
                }
            }
            Self::Optimistic => {
                let read = "SELECT id, stock, version FROM goods WHERE id = ?";
                let row = rows(&tx, read, vec![product.into()]).await?[&product];
                let guarded =
                    "UPDATE goods SET stock = ?, version = version + 1 WHERE id = ? AND version = ?";
                if row.stock == 0 {
                    Try::SoldOut
                } else {
                    let values = vec![(row.stock - 1).into(), product.into(), row.version.into()];
                    if execute(&tx, guarded, values).await? == 1 { Try::Sold } else { Try::Overtaken }
                }
            }
            Self::Pessimistic | Self::Batch => {
                let lock = "SELECT id, stock, version FROM goods WHERE id = ? FOR UPDATE";
                let row = rows(&tx, lock, vec![product.into()]).await?[&product];
                if row.stock == 0 {
                    Try::SoldOut
                } else {
                    let update = "UPDATE goods SET stock = ?, version = version + 1 WHERE id = ?";
                    execute(&tx, update, vec![(row.stock - 1).into(), product.into()]).await?;
                    Try::Sold
                }
            }
        };
        if matches!(taken, Try::Sold) {
            execute(&tx, "INSERT INTO taken (good) VALUES (?)", vec![product.into()]).await?;
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        Ok(taken)
    }
}

/// Until when callers order.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Time(Instant),
    SoldOut,
}

impl Until {
    fn is_over(self) -> bool {
        matches!(self, Self::Time(end) if Instant::now() >= end)
    }
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) sold: i64,
    in_vain: i64,
    time: Duration,
}

impl Outcome {
    #[expect(clippy::cast_precision_loss, reason = "a count of orders")]
    pub(crate) fn rate(&self) -> f64 {
        self.sold as f64 / self.time.as_secs_f64()
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of orders")]
    pub(crate) fn in_vain_per_order(&self) -> f64 {
        self.in_vain as f64 / self.sold as f64
    }
}

/// Lets so many callers order, each product as often as any other.
pub(crate) async fn run(url: &str, way: Way, products: u32, callers: usize, until: Until) -> Outcome {
    let mut connections = Vec::new();
    let needed = if matches!(way, Way::Batch) { 1 } else { callers };
    for _ in 0..needed {
        connections.push(connect(url).await);
    }
    let pick = move |caller: usize, number: u32| {
        let spread = u32::try_from(caller).unwrap().wrapping_add(number).wrapping_mul(2_654_435_761);
        (spread >> 8) % products
    };
    // Connecting takes time that is not the way's.
    let begun = Instant::now();
    let until = match until {
        Until::Time(_) => Until::Time(begun + crate::TURN),
        Until::SoldOut => Until::SoldOut,
    };
    let mut tasks = JoinSet::new();
    if let Way::Batch = way {
        let (queue, waiting) = mpsc::channel(callers);
        for caller in 0..callers {
            let queue = queue.clone();
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                for number in 0.. {
                    let (reply, answer) = oneshot::channel::<bool>();
                    if until.is_over() || queue.send((pick(caller, number), reply)).await.is_err() {
                        break;
                    }
                    if !answer.await.unwrap() {
                        break;
                    }
                    outcome.sold += 1;
                }
                outcome
            });
        }
        drop(queue);
        tasks.spawn(lane(connections.pop().unwrap(), waiting));
    } else {
        for (caller, connection) in connections.into_iter().enumerate() {
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                let mut number = 0;
                while !until.is_over() {
                    match way.try_once(&connection, pick(caller, number)).await.unwrap() {
                        Try::Sold => (outcome.sold, number) = (outcome.sold + 1, number + 1),
                        Try::Overtaken => outcome.in_vain += 1,
                        Try::SoldOut => break,
                    }
                }
                connection.close().await.unwrap();
                outcome
            });
        }
    }
    let mut sum = Outcome::default();
    while let Some(outcome) = tasks.join_next().await {
        let Outcome { sold, in_vain, .. } = outcome.unwrap();
        sum.sold += sold;
        sum.in_vain += in_vain;
    }
    sum.time = begun.elapsed();
    sum
}

/// Takes what waits, again and again, as one transaction each time.
async fn lane(
    connection: DatabaseConnection,
    mut waiting: mpsc::Receiver<(u32, oneshot::Sender<bool>)>,
) -> Outcome {
    let mut set = Vec::new();
    while waiting.recv_many(&mut set, SET).await > 0 {
        let sold =
            sell(&connection, &set.iter().map(|(product, _)| *product).collect::<Vec<_>>()).await.unwrap();
        for ((_, reply), sold) in set.drain(..).zip(sold) {
            reply.send(sold).unwrap();
        }
    }
    connection.close().await.unwrap();
    Outcome::default()
}

/// Sells what is left to those who come first, and tells each whether it got a piece.
async fn sell(connection: &DatabaseConnection, wanted: &[u32]) -> Result<Vec<bool>, DbErr> {
    let tx = connection.begin().await?;
    let mut products: Vec<u32> = wanted.to_vec();
    products.sort_unstable();
    products.dedup();
    let ids = products.iter().map(|id| (*id).into()).collect();
    let places = vec!["?"; products.len()].join(", ");
    let lock = format!("SELECT id, stock, version FROM goods WHERE id IN ({places}) ORDER BY id FOR UPDATE");
    let mut stocks = rows(&tx, &lock, ids).await?;
    let mut sold = Vec::with_capacity(wanted.len());
    for product in wanted {
        let row = stocks.get_mut(product).unwrap();
        sold.push(row.stock > 0);
        row.stock = (row.stock - 1).max(0);
    }
    if sold.contains(&true) {
        let mut values: Vec<sea_orm::Value> = Vec::new();
        for (id, row) in &stocks {
            values.extend([(*id).into(), row.stock.into()]);
        }
        values.extend(stocks.keys().map(|id| sea_orm::Value::from(*id)));
        let cases = vec!["WHEN ? THEN ?"; stocks.len()].join(" ");
        let update = format!(
            "UPDATE goods SET stock = CASE id {cases} END, version = version + 1 WHERE id IN ({places})"
        );
        execute(&tx, &update, values).await?;
        let taken = wanted.iter().zip(&sold).filter(|(_, sold)| **sold);
        let taken: Vec<sea_orm::Value> = taken.map(|(product, _)| (*product).into()).collect();
        let rows = vec!["(?)"; taken.len()].join(", ");
        execute(&tx, &format!("INSERT INTO taken (good) VALUES {rows}"), taken).await?;
    }
    tx.commit().await?;
    Ok(sold)
}

#[derive(Clone, Copy)]
struct Row {
    stock: i64,
    version: i64,
}

async fn rows(
    tx: &DatabaseTransaction,
    sql: &str,
    values: Vec<sea_orm::Value>,
) -> Result<BTreeMap<u32, Row>, DbErr> {
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let found = tx.query_all_raw(statement).await?;
    let row = |row: &sea_orm::QueryResult| {
        let id: i32 = row.try_get("", "id")?;
        let row = Row { stock: row.try_get("", "stock")?, version: row.try_get("", "version")? };
        Ok((u32::try_from(id).unwrap(), row))
    };
    found.iter().map(row).collect()
}

async fn execute(tx: &DatabaseTransaction, sql: &str, values: Vec<sea_orm::Value>) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

/// Opens one connection: READ COMMITTED as in the application, and without TLS, which would be measured too.
async fn connect(url: &str) -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new(format!("{url}?ssl-mode=DISABLED"));
    options.max_connections(1).sqlx_logging(false);
    let connection = sea_orm::Database::connect(options).await.unwrap();
    let isolation = "SET SESSION transaction_isolation = 'READ-COMMITTED'";
    connection.execute_unprepared(isolation).await.unwrap();
    connection
}
