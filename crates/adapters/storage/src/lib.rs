//! The ports of the domains on MySQL (8.0 to 9.7) and SQLite.
//!
//! Both run the same entities, statements and migrations. What differs is named in [`connect`](self):
//! MySQL works at READ COMMITTED with row locks (ADR-017), SQLite has one writer that begins each
//! transaction with `BEGIN IMMEDIATE` and readers beside it (WAL). On both, every change of stock and
//! balance is also guarded by a condition in its own statement, so that correctness does not hang on
//! the lock alone (ADR-018, ADR-020).

mod audit;
mod audit_rules;
mod carts;
mod catalog;
mod connect;
mod convert;
mod coupon_reader;
mod coupon_rows;
mod coupons;
#[expect(unreachable_pub, reason = "what the derive of sea-orm makes is public")]
mod entity;
mod error;
mod id_lists;
mod key_rotation;
mod keys;
mod lease;
mod login_attempts;
mod migrate;
mod newest_first;
mod order_days;
mod order_reader;
mod order_rows;
mod orders;
mod outbox;
mod payment_reader;
mod payment_rows;
mod payments;
mod personal_data;
mod popularity;
mod products;
mod purge;
mod ranking;
mod reads;
mod refund_reader;
mod refund_rows;
mod refunds;
mod row_set;
mod sales;
mod session_janitor;
mod sessions;
mod unit_of_work;
mod users;
mod wallet_lookup;
mod wallets;

pub use connect::{ConnectError, Database, DatabaseSettings, PoolState};
pub use error::StorageError;
pub use personal_data::PersonalDataKey;
