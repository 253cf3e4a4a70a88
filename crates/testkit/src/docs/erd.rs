//! `docs/erd.md`: tables, keys and references, as the migrations make them.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::schema::{Column, Schema, Table};

/// The tables by what they are about, in the order of the page.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Orders, payments, refunds",
        &[
            "orders",
            "order_items",
            "order_status_history",
            "payments",
            "gateway_notices",
            "refunds",
            "refund_items",
        ],
    ),
    (
        "Products and what sells",
        &[
            "products",
            "stock_ledger",
            "daily_sales",
            "product_views",
            "view_batches",
            "ranking_runs",
            "popular_products",
        ],
    ),
    (
        "Users, wallets, carts, sessions",
        &[
            "users",
            "wallets",
            "point_ledger",
            "carts",
            "cart_items",
            "sessions",
            "refresh_tokens",
            "login_attempts",
        ],
    ),
    ("Coupons", &["coupons", "user_coupons"]),
    ("Events and idempotency keys", &["outbox", "idempotency_keys"]),
];

/// References whose column is not named after the table: table, column, what it refers to.
const REFERENCES: &[(&str, &str, &str)] = &[
    ("idempotency_keys", "caller_id", "users"),
    ("order_status_history", "changed_by", "users"),
    ("point_ledger", "user_id", "wallets"),
    ("refunds", "requested_by", "users"),
];

/// Ids that refer to no table, or to one of several: table, column, why.
const NO_REFERENCES: &[(&str, &str, &str)] = &[
    ("idempotency_keys", "resource_id", "what `resource_type` says"),
    ("login_attempts", "attempt_id", "tells attempts at the same moment apart"),
    ("outbox", "aggregate_id", "what `aggregate_type` says"),
    ("outbox", "lease_owner", "the worker that delivers it"),
];

const HEAD: &str = "\
# Tables and references

Generated from the migrations by `make erd`; a test fails when it is stale.

A solid line is a foreign key: both ends belong to one aggregate. A dashed line is a reference by id between
aggregates, which no key enforces and the audit checks
([ADR-013](../adr/013-id-references-between-aggregates.md)).

| type | MySQL | SQLite |
|---|---|---|
| `id` | BINARY(16), a UUIDv7 | BLOB |
| `amount` | DECIMAL(19,2) | REAL, rounded to hundredths |
| `count` | BIGINT | INTEGER |
| `instant` | DATETIME(6) in UTC | TEXT |
| `day` | DATE | TEXT |
| `text(n)` `bytes(n)` `document` | VARCHAR(n) `·` VARBINARY(n) `·` MEDIUMTEXT | TEXT `·` BLOB `·` TEXT |

The last word of a column says `optional` where it may be NULL. Indexes that enforce nothing are in
[ADR-014](../adr/014-index-strategy.md) and in the [migrations](../migrations/src/lib.rs).
";

/// A line between two tables.
struct Reference<'a> {
    from: &'a Table,
    columns: Vec<&'a str>,
    to: &'a str,
    enforced: bool,
}

/// Writes the page.
///
/// # Errors
/// What the lists above do not say: a table of no group, an id that refers to nothing known.
pub fn erd(schema: &Schema) -> Result<String, Vec<String>> {
    let mut found = Vec::new();
    let grouped: BTreeSet<&str> = GROUPS.iter().flat_map(|(_, tables)| tables.iter().copied()).collect();
    let names: BTreeSet<&str> = schema.tables.iter().map(|table| table.name.as_str()).collect();
    found.extend(names.difference(&grouped).map(|name| format!("{name} is in no group")));
    found.extend(grouped.difference(&names).map(|name| format!("there is no table {name}")));
    let references = references(schema, &mut found);
    if !found.is_empty() {
        return Err(found);
    }
    let mut page = format!("{HEAD}\n## All tables\n\n```mermaid\nerDiagram\n");
    for reference in &references {
        page.push_str(&line(reference));
    }
    page.push_str("```\n");
    for (title, tables) in GROUPS {
        let tables: Vec<_> =
            tables.iter().filter_map(|name| schema.tables.iter().find(|table| table.name == *name)).collect();
        let within = |name: &str| tables.iter().any(|table| table.name == name);
        let _ = write!(page, "\n## {title}\n\n```mermaid\nerDiagram\n");
        for reference in references.iter().filter(|it| within(&it.from.name) && within(it.to)) {
            page.push_str(&line(reference));
        }
        for table in &tables {
            page.push_str(&entity(table, &references));
        }
        page.push_str("```\n");
        page.push_str(&unique_keys(&tables));
    }
    page.push_str("\n## Ids that are no references\n\n| column | what it is |\n|---|---|\n");
    for (table, column, why) in NO_REFERENCES {
        let _ = writeln!(page, "| `{table}.{column}` | {why} |");
    }
    Ok(page)
}

fn references<'a>(schema: &'a Schema, found: &mut Vec<String>) -> Vec<Reference<'a>> {
    let mut references = Vec::new();
    for from in &schema.tables {
        for key in &from.foreign_keys {
            let columns = key.columns.iter().map(String::as_str).collect();
            references.push(Reference { from, columns, to: &key.table, enforced: true });
        }
        for column in from.columns.iter().filter(|column| kind(column) == "id" && column.name != "id") {
            if from.foreign_keys.iter().any(|key| key.columns.contains(&column.name)) {
                continue;
            }
            let known = |entry: &&(&str, &str, &str)| entry.0 == from.name && entry.1 == column.name;
            if NO_REFERENCES.iter().any(|entry| known(&entry)) {
                continue;
            }
            let named = REFERENCES.iter().find(known).map(|(_, _, to)| *to);
            let to =
                named.map(str::to_owned).or_else(|| Some(format!("{}s", column.name.strip_suffix("_id")?)));
            let to = to.and_then(|to| schema.tables.iter().find(|table| table.name == to));
            match to {
                Some(to) => {
                    let columns = vec![column.name.as_str()];
                    references.push(Reference { from, columns, to: &to.name, enforced: false });
                }
                None => found.push(format!("{}.{} refers to nothing known", from.name, column.name)),
            }
        }
    }
    references
}

/// Returns a line of the diagram, from the table that is referred to.
fn line(reference: &Reference<'_>) -> String {
    let Reference { from, columns, to, enforced } = reference;
    let optional = columns.iter().filter_map(|name| from.column(name)).any(|column| column.optional);
    let alone = from.primary_key() == *columns
        || from
            .unique_keys
            .iter()
            .any(|key| key.columns.iter().map(String::as_str).eq(columns.iter().copied()));
    let one = if optional { "|o" } else { "||" };
    let many = if alone { "o|" } else { "o{" };
    let drawn = if *enforced { "--" } else { ".." };
    format!("    {to} {one}{drawn}{many} {} : \"{}\"\n", from.name, columns.join(", "))
}

fn entity(table: &Table, references: &[Reference<'_>]) -> String {
    let mut text = format!("    {} {{\n", table.name);
    for column in &table.columns {
        let refers = references
            .iter()
            .any(|it| it.from.name == table.name && it.columns.contains(&column.name.as_str()));
        let unique = table.unique_keys.iter().any(|key| key.columns == [column.name.clone()]);
        let keys: Vec<_> = [(column.primary, "PK"), (refers, "FK"), (unique, "UK")]
            .into_iter()
            .filter_map(|(is, key)| is.then_some(key))
            .collect();
        let _ = write!(text, "        {} {}", kind(column), column.name);
        if !keys.is_empty() {
            let _ = write!(text, " {}", keys.join(", "));
        }
        text.push_str(if column.optional { " \"optional\"\n" } else { "\n" });
    }
    text.push_str("    }\n");
    text
}

/// Lists the unique keys that are more than one column, or an expression.
fn unique_keys(tables: &[&Table]) -> String {
    let mut text = String::new();
    for table in tables {
        for key in table.unique_keys.iter().filter(|key| key.columns.len() != 1) {
            let over = key.expression.clone().unwrap_or_else(|| key.columns.join(", "));
            let _ = writeln!(text, "| `{}` | `{over}` |", table.name);
        }
    }
    if text.is_empty() { text } else { format!("\n| table | unique besides |\n|---|---|\n{text}") }
}

/// Returns a column's type in the words of the migrations.
fn kind(column: &Column) -> String {
    let declared = column.declared.to_lowercase();
    let (name, length) = declared.split_once('(').unwrap_or((&declared, ""));
    let word = match name {
        "uuid_text" => "id",
        "real" => "amount",
        "integer" => "count",
        "datetime" => "instant",
        "date_text" => "day",
        "mediumtext" => "document",
        "varchar" => return format!("text({length}"),
        "varbinary_blob" => return format!("bytes({length}"),
        other => other,
    };
    word.to_owned()
}
