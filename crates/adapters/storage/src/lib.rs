//! The ports of the domains on MySQL (8.0 to 9.7) and SQLite.
//!
//! Both run the same entities, statements and migrations. What differs is named in [`connect`](self):
//! MySQL works at READ COMMITTED with row locks (ADR-017), SQLite has one writer that begins each
//! transaction with `BEGIN IMMEDIATE` and readers beside it (WAL). On both, every change of stock and
//! balance is also guarded by a condition in its own statement, so that correctness does not hang on
//! the lock alone (ADR-018, ADR-020).

mod audit;
mod audit_rules;
mod catalog;
mod connect;
mod convert;
mod coupon_reader;
mod coupon_rows;
mod coupons;
#[expect(unreachable_pub, reason = "what the derive of sea-orm makes is public")]
mod entity;
mod error;
mod keys;
mod migrate;
mod order_days;
mod orders;
mod outbox;
mod payments;
mod personal_data;
mod popularity;
mod products;
mod ranking;
mod row_set;
mod sales;
mod unit_of_work;
mod users;
mod wallets;

pub use connect::{ConnectError, Database, DatabaseSettings, PoolState};
pub use error::StorageError;
pub use personal_data::PersonalDataKey;
