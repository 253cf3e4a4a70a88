//! What the optimizer does for a statement, and what of it is not borne.

use std::collections::BTreeSet;

use sea_orm::DatabaseConnection;

use crate::log::{Reading, query};

/// From here on a number of rows is many: a tenth of what the smallest filled table holds.
pub(crate) const MANY: i64 = 300;

/// How the optimizer goes about one table of a statement.
struct Access {
    table: String,
    /// `const`, `ref`, `range`, `index` (all of an index) or `ALL` (all of the table), among others.
    kind: String,
    key: Option<String>,
    rows: i64,
    extra: String,
}

impl Access {
    /// Says what is wrong, if anything is.
    fn complaint(&self) -> Option<String> {
        let Self { table, kind, key, rows, extra } = self;
        let key = key.as_deref().unwrap_or("no index");
        match kind.as_str() {
            // What a subquery has made, which is no table.
            _ if table.starts_with('<') => None,
            "ALL" => Some(format!("reads all of {table}")),
            // With a LIMIT the optimizer expects few rows of an index in whose order it reads.
            "index" if *rows >= MANY => Some(format!("reads all of {key} of {table}")),
            _ if *rows >= MANY && extra.contains("Using filesort") => {
                Some(format!("sorts {rows} rows of {table}, found by {key}"))
            }
            _ => None,
        }
    }
}

/// A statement that may do what no other may.
pub(crate) struct Exception {
    /// What stands in it and in no other, without spaces and quotation marks.
    pub(crate) contains: &'static str,
    /// Why it may.
    #[expect(dead_code, reason = "it is for whoever reads the list")]
    pub(crate) because: &'static str,
}

impl Exception {
    fn covers(&self, statement: &str) -> bool {
        let plain: String = statement.chars().filter(|sign| !matches!(sign, ' ' | '`')).collect();
        plain.to_lowercase().contains(self.contains)
    }
}

/// What was found out about a set of statements.
#[derive(Default)]
pub(crate) struct Findings {
    /// What is wrong, each with its statement.
    pub(crate) complaints: Vec<String>,
    /// The exceptions that were made use of.
    pub(crate) excepted: BTreeSet<&'static str>,
}

impl Findings {
    fn complain(&mut self, exceptions: &[Exception], statement: &str, complaint: &str) {
        match exceptions.iter().find(|exception| exception.covers(statement)) {
            Some(exception) => {
                self.excepted.insert(exception.contains);
            }
            None => self.complaints.push(format!("{complaint}: {statement}")),
        }
    }

    /// Asks for the plan of each statement.
    pub(crate) async fn explain(
        &mut self,
        connection: &DatabaseConnection,
        statements: impl IntoIterator<Item = &String>,
        exceptions: &[Exception],
    ) {
        for statement in statements {
            for access in accesses(connection, statement).await {
                if let Some(complaint) = access.complaint() {
                    self.complain(exceptions, statement, &complaint);
                }
            }
        }
    }

    /// Looks at what statements have made the server read, whatever the plan was.
    pub(crate) fn weigh(&mut self, readings: &[Reading], exceptions: &[Exception]) {
        for Reading { shape, rows } in readings.iter().filter(|reading| reading.rows >= MANY) {
            self.complain(exceptions, shape, &format!("read {rows} rows"));
        }
    }
}

async fn accesses(connection: &DatabaseConnection, statement: &str) -> Vec<Access> {
    let plan = query(connection, &format!("EXPLAIN FORMAT=TRADITIONAL {statement}")).await;
    let text = |row: &sea_orm::QueryResult, column: &str| -> Option<String> {
        row.try_get("", column).expect("a column of a plan")
    };
    let rows = plan.iter().filter_map(|row| {
        Some(Access {
            // Without a table there is nothing to read: the server knows the answer.
            table: text(row, "table")?,
            kind: text(row, "type").unwrap_or_default(),
            key: text(row, "key"),
            rows: row
                .try_get::<Option<u64>>("", "rows")
                .expect("a column of a plan")
                .map_or(0, |rows| i64::try_from(rows).unwrap_or(i64::MAX)),
            extra: text(row, "Extra").unwrap_or_default(),
        })
    });
    rows.collect()
}
