//! Between rows and domain values. A value that Jumun could never have written names its place.

use kernel::Money;
use rust_decimal::Decimal;

use crate::StorageError;

/// Where a value stands, for the error that names it.
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) key: String,
}

impl Place {
    pub(crate) fn new(table: &'static str, key: impl std::fmt::Display) -> Self {
        Self { table, key: key.to_string() }
    }

    /// Complains of a column.
    pub(crate) fn damaged(&self, column: &'static str, reason: impl std::fmt::Display) -> StorageError {
        StorageError::BadRow { table: self.table, column, key: self.key.clone(), reason: reason.to_string() }
    }

    /// Reads an amount.
    pub(crate) fn money(&self, column: &'static str, value: Decimal) -> Result<Money, StorageError> {
        Money::try_from(value).map_err(|error| self.damaged(column, error))
    }

    /// Reads a count.
    pub(crate) fn count(&self, column: &'static str, value: i64) -> Result<u32, StorageError> {
        u32::try_from(value).map_err(|error| self.damaged(column, error))
    }

    /// Reads a word of a fixed list.
    pub(crate) fn word<T>(
        &self,
        column: &'static str,
        value: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StorageError> {
        parse(value).ok_or_else(|| self.damaged(column, format!("unknown word {value:?}")))
    }
}
