//! The kinds of columns, each built in one way everywhere (ADR-014).

use sea_orm_migration::prelude::*;

/// An id: BINARY(16).
pub(crate) fn id(name: &'static str) -> ColumnDef {
    column(name, |column| column.uuid().not_null())
}

/// An id that may be missing.
pub(crate) fn optional_id(name: &'static str) -> ColumnDef {
    column(name, |column| column.uuid().null())
}

/// An amount: DECIMAL(19,2).
pub(crate) fn amount(name: &'static str) -> ColumnDef {
    column(name, |column| column.decimal_len(19, 2).not_null())
}

/// An amount that may be missing.
pub(crate) fn optional_amount(name: &'static str) -> ColumnDef {
    column(name, |column| column.decimal_len(19, 2).null())
}

/// An instant in UTC: DATETIME(6).
pub(crate) fn instant(name: &'static str) -> ColumnDef {
    column(name, |column| column.custom("DATETIME(6)").not_null())
}

/// An instant that may be missing.
pub(crate) fn optional_instant(name: &'static str) -> ColumnDef {
    column(name, |column| column.custom("DATETIME(6)").null())
}

/// A count or a sequence number.
pub(crate) fn count(name: &'static str) -> ColumnDef {
    column(name, |column| column.big_integer().not_null())
}

/// A word of a fixed list, which a CHECK of the table spells out.
pub(crate) fn word(name: &'static str) -> ColumnDef {
    column(name, |column| column.string_len(32).not_null())
}

/// A text of at most `length` characters.
pub(crate) fn text(name: &'static str, length: u32) -> ColumnDef {
    column(name, |column| column.string_len(length).not_null())
}

/// A text that may be missing.
pub(crate) fn optional_text(name: &'static str, length: u32) -> ColumnDef {
    column(name, |column| column.string_len(length).null())
}

/// Bytes, compared byte by byte.
pub(crate) fn bytes(name: &'static str, length: u32) -> ColumnDef {
    column(name, |column| column.var_binary(length).not_null())
}

/// Bytes that may be missing.
pub(crate) fn optional_bytes(name: &'static str, length: u32) -> ColumnDef {
    column(name, |column| column.var_binary(length).null())
}

/// A document of up to 16 MiB.
pub(crate) fn document(name: &'static str) -> ColumnDef {
    column(name, |column| column.custom("MEDIUMTEXT"))
}

fn column(name: &'static str, kind: impl FnOnce(&mut ColumnDef) -> &mut ColumnDef) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    kind(&mut column);
    column
}

/// A CHECK that a column holds one of the words.
pub(crate) fn one_of(column: &str, words: &[&str]) -> Expr {
    let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ");
    Expr::cust(format!("{column} IN ({list})"))
}
