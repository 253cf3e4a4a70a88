//! The API over real HTTP: each scenario with a server and a database of its own, on SQLite and on MySQL.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

mod admin;
mod bodies;
mod callers;
mod coupons;
mod disconnects;
mod discounts;
mod errors;
mod failures;
mod idempotency;
mod instances;
mod operation;
mod orders;
mod orders_read;
mod outbox;
mod popular;
mod products;
mod products_admin;
mod products_bulk;
mod rate_limit;
mod redis_outage;
mod support;
mod users;
mod wallets;

fn main() {
    testkit::run([
        products::suite(),
        products_admin::suite(),
        products_bulk::suite(),
        wallets::suite(),
        orders::suite(),
        orders_read::suite(),
        coupons::suite(),
        discounts::suite(),
        instances::suite(),
        idempotency::suite(),
        users::suite(),
        admin::suite(),
        outbox::suite(),
        popular::suite(),
        errors::suite(),
        bodies::suite(),
        failures::suite(),
        callers::suite(),
        rate_limit::suite(),
        operation::suite(),
        disconnects::suite(),
        redis_outage::suite(),
    ]);
}
