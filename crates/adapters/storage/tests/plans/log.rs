//! The statements of an account, as the server has logged them, and how much they made it read.

use std::collections::BTreeMap;
use std::fmt::Write;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use testkit::TestDatabase;

/// An account of its own on the server, whose statements the server's log tells apart.
pub(crate) struct Account {
    name: String,
    schema: String,
    /// The address of the database under this account.
    pub(crate) url: String,
}

impl Account {
    pub(crate) async fn open(database: &TestDatabase) -> Self {
        let (_, schema) = database.url.rsplit_once('/').expect("the address names a schema");
        let name = format!("p_{}", &schema[schema.len() - 12..]);
        database.execute(&format!("CREATE USER {name} IDENTIFIED BY ''")).await;
        database.execute(&format!("GRANT ALL ON {schema}.* TO {name}")).await;
        let url = database.url.replacen("root@", &format!("{name}@"), 1);
        Self { name, schema: schema.to_owned(), url }
    }

    /// Lets the server log what is executed from now on, and count anew.
    pub(crate) async fn listen(&self, database: &TestDatabase) {
        database.execute("SET GLOBAL log_output = 'TABLE'").await;
        database.execute("SET GLOBAL general_log = ON").await;
        // Its places are given to the first statements of a server; other tests may have taken all.
        database.execute("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest").await;
    }

    /// Returns one statement of each shape that reads or changes rows, and ends the log and the account.
    pub(crate) async fn close(self, database: &TestDatabase) -> (Vec<String>, Vec<Reading>) {
        database.execute("SET GLOBAL general_log = OFF").await;
        let connection = database.connect().await.expect("the database answers");
        let readings = self.readings(&connection).await;
        let logged = format!(
            "SELECT argument FROM mysql.general_log WHERE command_type IN ('Execute', 'Query') \
             AND user_host LIKE '{}[%' ORDER BY event_time",
            self.name
        );
        let mut shapes = BTreeMap::new();
        for row in query(&connection, &logged).await {
            let argument: Vec<u8> = row.try_get("", "argument").expect("a statement");
            let (statement, shape) = readable(&argument);
            if ["SELECT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| statement.starts_with(verb)) {
                shapes.entry(shape).or_insert(statement);
            }
        }
        connection.close().await.expect("the connection closes");
        database.execute(&format!("DROP USER {}", self.name)).await;
        (shapes.into_values().collect(), readings)
    }

    /// Returns how many rows each shape of statement has made the server read.
    async fn readings(&self, connection: &DatabaseConnection) -> Vec<Reading> {
        let counted = format!(
            "SELECT DIGEST_TEXT AS shape, CAST(SUM_ROWS_EXAMINED DIV COUNT_STAR AS SIGNED) AS read_rows \
             FROM performance_schema.events_statements_summary_by_digest \
             WHERE SCHEMA_NAME = '{}' AND DIGEST_TEXT LIKE 'EXECUTE %'",
            self.schema
        );
        let rows = query(connection, &counted).await;
        rows.iter()
            .map(|row| Reading {
                shape: row.try_get("", "shape").expect("a shape"),
                rows: row.try_get("", "read_rows").expect("a number"),
            })
            .collect()
    }
}

/// What a shape of statement made the server read.
pub(crate) struct Reading {
    pub(crate) shape: String,
    /// Rows of tables, in the mean of its executions.
    pub(crate) rows: i64,
}

pub(crate) async fn query(connection: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Turns a logged statement into one that can be sent, ids as `x'…'` rather than as bytes, and into its
/// shape, in which every literal is a question mark.
fn readable(logged: &[u8]) -> (String, String) {
    let (mut statement, mut shape) = (String::new(), String::new());
    let mut rest = logged;
    while let Some(quote) = rest.iter().position(|byte| *byte == b'\'') {
        let (before, after) = rest.split_at(quote);
        let (value, length) = literal(after);
        for text in [&mut statement, &mut shape] {
            text.push_str(&String::from_utf8_lossy(before));
        }
        shape.push('?');
        if value.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            statement.push_str(&String::from_utf8_lossy(&after[..length]));
        } else {
            statement.push_str("x'");
            for byte in value {
                write!(statement, "{byte:02x}").expect("a string takes what is written");
            }
            statement.push('\'');
        }
        rest = &after[length..];
    }
    for text in [&mut statement, &mut shape] {
        text.push_str(&String::from_utf8_lossy(rest));
    }
    let shape = shape.chars().filter(|sign| !sign.is_ascii_digit()).collect();
    (statement, shape)
}

/// Returns what a quoted literal stands for, and its length with the quotes.
fn literal(quoted: &[u8]) -> (Vec<u8>, usize) {
    let mut value = Vec::new();
    let mut at = 1;
    while at < quoted.len() {
        match quoted[at] {
            b'\'' => return (value, at + 1),
            b'\\' => {
                at += 1;
                value.push(match quoted[at] {
                    b'0' => 0,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b'Z' => 0x1a,
                    other => other,
                });
            }
            byte => value.push(byte),
        }
        at += 1;
    }
    panic!("a literal without an end: {}", String::from_utf8_lossy(quoted));
}
