//! The schema of Jumun, for MySQL (8.0 to 9.7) and SQLite from the same migrations.
//!
//! Conventions (ADR-013, ADR-014): ids are BINARY(16), amounts DECIMAL(19,2), instants DATETIME(6) in
//! UTC. CHECK and UNIQUE constraints are the last line of defence behind the domain crates. Foreign keys
//! exist inside an aggregate only; between aggregates the audit looks for orphans.

use sea_orm_migration::prelude::*;

mod columns;
mod m20261121_000001_users;
mod m20261121_000002_wallets;
mod m20261121_000003_products;
mod m20261121_000004_orders;
mod m20261121_000005_payments;
mod m20261121_000006_outbox;
mod m20261121_000007_idempotency_keys;
mod m20261121_000008_daily_sales;
mod m20261121_000009_coupons;
mod m20261121_000010_discounts;
mod m20261121_000011_ranking;
mod m20261121_000012_pending_orders;
mod m20261121_000013_card_payments;
mod m20261121_000014_refunds;
mod m20261121_000015_auth;
mod m20261121_000016_carts;
mod m20261121_000017_stored_view_batches;
mod rebuild;

/// Applies what is missing of the schema.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_users::Migration),
            Box::new(m20261121_000002_wallets::Migration),
            Box::new(m20261121_000003_products::Migration),
            Box::new(m20261121_000004_orders::Migration),
            Box::new(m20261121_000005_payments::Migration),
            Box::new(m20261121_000006_outbox::Migration),
            Box::new(m20261121_000007_idempotency_keys::Migration),
            Box::new(m20261121_000008_daily_sales::Migration),
            Box::new(m20261121_000009_coupons::Migration),
            Box::new(m20261121_000010_discounts::Migration),
            Box::new(m20261121_000011_ranking::Migration),
            Box::new(m20261121_000012_pending_orders::Migration),
            Box::new(m20261121_000013_card_payments::Migration),
            Box::new(m20261121_000014_refunds::Migration),
            Box::new(m20261121_000015_auth::Migration),
            Box::new(m20261121_000016_carts::Migration),
            Box::new(m20261121_000017_stored_view_batches::Migration),
        ]
    }
}
