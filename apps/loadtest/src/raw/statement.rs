//! Statements of fixed shapes: a set of rows is split into powers of two, so that each shape is prepared once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::rows::{Order, amount};

/// A value of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// An id.
    Id(Uuid),
    /// A number.
    Int(i64),
    /// A text, an amount, or an instant as this database writes it.
    Text(String),
}

/// Where databases differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// MySQL.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    fn instant(self, at: DateTime<Utc>) -> Value {
        let format = match self {
            Self::MySql => "%Y-%m-%d %H:%M:%S%.6f",
            Self::Sqlite => "%Y-%m-%dT%H:%M:%S%.6f+00:00",
        };
        Value::Text(at.format(format).to_string())
    }

    /// Writes what becomes of a row that is there already: each column is added to, taken from, or set.
    fn merge(self, key: &str, columns: &[(&str, &str)]) -> String {
        let changes: Vec<String> = (columns.iter())
            .map(|(column, sign)| {
                let old = if sign.is_empty() { "" } else { column };
                match self {
                    Self::MySql => format!("{column} = {old} {sign} VALUES({column})"),
                    Self::Sqlite => format!("{column} = {old} {sign} excluded.{column}"),
                }
            })
            .collect();
        let changes = changes.join(", ");
        match self {
            Self::MySql => format!(" ON DUPLICATE KEY UPDATE {changes}"),
            Self::Sqlite => format!(" ON CONFLICT ({key}) DO UPDATE SET {changes}"),
        }
    }
}

/// A statement with its values.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// The text, the same for each set of this size.
    pub(crate) sql: Arc<str>,
    /// The values.
    pub(crate) values: Vec<Value>,
}

/// One kind of statement.
struct Shape {
    head: &'static str,
    row: &'static str,
    tail: String,
}

/// The statements that write a set of orders, in their order.
pub(crate) struct Statements {
    dialect: Dialect,
    shapes: Vec<Shape>,
    /// The texts by shape and size.
    texts: HashMap<(usize, usize), Arc<str>>,
}

/// The most rows that a statement carries.
const MOST: usize = 256;

/// Inserts first: nobody waits for rows that are new. Their columns and values are in the same order as in
/// [`Statements::of`].
const INSERTS: [(&str, &str); 7] = [
    ("orders (id, user_id, status, total, discount, paid, version, created_at)", "(?,?,'PAID',?,0,?,2,?)"),
    ("order_items (order_id, product_id, line, name, unit_price, quantity, subtotal)", "(?,?,?,?,?,1,?)"),
    (
        "order_status_history (order_id, sequence, from_status, to_status, changed_by, changed_at)",
        "(?,1,NULL,'PENDING',?,?),(?,2,'PENDING','PAID',?,?)",
    ),
    (
        "payments (id, order_id, user_id, status, point_amount, card_amount, created_at, settled_at)",
        "(?,?,?,'SUCCESS',?,0,?,?)",
    ),
    (
        "stock_ledger (product_id, sequence, delta, balance_after, cause, order_id, created_at)",
        "(?,?,-1,?,'ORDERED',?,?)",
    ),
    (
        "point_ledger (user_id, sequence, kind, delta, balance_before, balance_after, order_id, created_at, payment_id)",
        "(?,?,'PAYMENT',?,?,?,?,?,?)",
    ),
    (
        "outbox (id, event_type, aggregate_type, aggregate_id, sequence, occurred_at, data, status, attempts, next_attempt_at)",
        "(?,'OrderPlaced','order',?,1,?,?,'PENDING',0,?),(?,'OrderPaid','order',?,2,?,?,'PENDING',0,?)",
    ),
];

impl Statements {
    /// Prepares to write for a database.
    pub(crate) fn new(dialect: Dialect) -> Self {
        let plain = INSERTS.iter().map(|&(head, row)| Shape { head, row, tail: String::new() });
        let taken = |key, columns: &[(&str, &str)]| dialect.merge(key, columns);
        let hot = [
            Shape {
                head: "wallets (user_id, balance, version, updated_at)",
                row: "(?,?,?,?)",
                tail: taken("user_id", &[("balance", "-"), ("version", "+"), ("updated_at", "")]),
            },
            Shape {
                head: "products (id, stock, stock_version, updated_at, name, price, status, version, event_sequence, created_at)",
                row: "(?,?,?,?,'',0,'ACTIVE',1,0,'2000-01-01 00:00:00')",
                tail: taken("id", &[("stock", "-"), ("stock_version", "+"), ("updated_at", "")]),
            },
            Shape {
                head: "daily_sales (day, product_id, quantity, amount)",
                row: "(?,?,?,?)",
                tail: taken("day, product_id", &[("quantity", "+"), ("amount", "+")]),
            },
        ];
        Self { dialect, shapes: plain.chain(hot).collect(), texts: HashMap::new() }
    }

    /// Writes a set of orders as statements.
    pub(crate) fn of(&mut self, orders: &[Order]) -> Vec<Statement> {
        use Value::{Id, Int, Text};
        let mut rows: Vec<Vec<Vec<Value>>> = vec![Vec::new(); self.shapes.len()];
        let mut wallets = BTreeMap::<Uuid, (i64, i64)>::new();
        let mut sales = BTreeMap::<Uuid, (i64, i64)>::new();
        for order in orders {
            let (id, user, at) = (Id(order.id), Id(order.user), self.dialect.instant(order.at));
            let total = amount(order.total);
            rows[0].push(vec![id.clone(), user.clone(), total.clone(), total.clone(), at.clone()]);
            for (number, line) in (1..).zip(&order.lines) {
                let (product, price) = (Id(line.product), amount(line.price));
                let name = Text(line.name.clone());
                rows[1].push(vec![id.clone(), product.clone(), Int(number), name, price.clone(), price]);
                let (movement, left) = (Int(line.movement), Int(line.stock_after));
                rows[4].push(vec![product, movement, left, id.clone(), at.clone()]);
                let (pieces, sum) = sales.entry(line.product).or_default();
                *pieces += 1;
                *sum += line.price;
            }
            let change = [id.clone(), user.clone(), at.clone()];
            rows[2].push([change.clone(), change].concat());
            let payment = Id(order.payment);
            rows[3].push(vec![payment.clone(), id.clone(), user.clone(), total, at.clone(), at.clone()]);
            let [before, after] = [order.balance_before, order.balance_before - order.total].map(amount);
            let entry = vec![user, Int(order.entry), amount(-order.total), before, after];
            rows[5].push([entry, vec![id.clone(), at.clone(), payment]].concat());
            let events = order.events.into_iter().zip(order.documents());
            let events =
                events.flat_map(|(event, data)| [Id(event), id.clone(), at.clone(), data, at.clone()]);
            rows[6].push(events.collect());
            let (spent, entries) = wallets.entry(order.user).or_default();
            *spent += order.total;
            *entries += 1;
        }
        let Some(last) = orders.last() else { return Vec::new() };
        let at = self.dialect.instant(last.at);
        // By id, as every other lane does: so they never wait for each other in a circle.
        for (user, (spent, entries)) in wallets {
            rows[7].push(vec![Id(user), amount(spent), Int(entries), at.clone()]);
        }
        for (product, (pieces, sum)) in sales {
            rows[8].push(vec![Id(product), Int(pieces), Int(pieces), at.clone()]);
            rows[9].push(vec![last.day(), Id(product), Int(pieces), amount(sum)]);
        }
        let rows: Vec<_> = rows.into_iter().enumerate().collect();
        rows.into_iter().flat_map(|(shape, rows)| self.split(shape, rows)).collect()
    }

    fn split(&mut self, shape: usize, rows: Vec<Vec<Value>>) -> Vec<Statement> {
        let mut statements = Vec::new();
        let mut rows = rows.into_iter();
        for size in sizes(rows.len()) {
            let values = rows.by_ref().take(size).flatten().collect();
            statements.push(Statement { sql: self.text(shape, size), values });
        }
        statements
    }

    fn text(&mut self, shape: usize, size: usize) -> Arc<str> {
        let Shape { head, row, tail } = &self.shapes[shape];
        let text = self.texts.entry((shape, size));
        let write = || format!("INSERT INTO {head} VALUES {}{tail}", vec![*row; size].join(",")).into();
        text.or_insert_with(write).clone()
    }
}

/// Splits a number of rows into powers of two, the largest first.
fn sizes(mut rows: usize) -> Vec<usize> {
    let mut sizes = Vec::new();
    while rows > 0 {
        let size = MOST.min(1 << rows.ilog2());
        sizes.push(size);
        rows -= size;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::ledger;
    use super::*;
    use crate::load::random::Random;

    #[test]
    fn sets_are_split_into_powers_of_two() {
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(100), [64, 32, 4]);
        assert_eq!(sizes(600), [256, 256, 64, 16, 8]);
    }

    #[test]
    fn each_value_has_its_place() {
        for dialect in [Dialect::MySql, Dialect::Sqlite] {
            let (mut ledger, mut random) = (ledger(), Random::new(0));
            let orders: Vec<_> = (0..5).map(|_| ledger.order(&mut random, false)).collect();
            let statements = Statements::new(dialect).of(&orders);
            assert!(statements.len() >= 10);
            for Statement { sql, values } in statements {
                assert_eq!(sql.matches('?').count(), values.len(), "{sql}");
            }
        }
    }

    #[test]
    fn sets_of_one_size_have_the_same_texts() {
        let (mut ledger, mut random) = (ledger(), Random::new(0));
        let mut statements = Statements::new(Dialect::MySql);
        let mut texts = || {
            let orders: Vec<_> = (0..4).map(|_| ledger.order(&mut random, true)).collect();
            statements.of(&orders).into_iter().map(|statement| statement.sql).collect::<Vec<_>>()
        };
        assert_eq!(texts(), texts());
    }
}
