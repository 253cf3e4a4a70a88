//! The API over real HTTP: each scenario with a server and a database of its own, on SQLite and on MySQL.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

mod access;
mod admin;
mod auth;
mod auth_modes;
mod bodies;
mod card_gateway;
mod cart;
mod coupons;
mod disconnects;
mod discounts;
mod errors;
mod failures;
mod idempotency;
mod instances;
mod lanes;
mod notices;
mod operation;
mod orders;
mod orders_later;
mod orders_read;
mod outbox;
mod payments;
mod popular;
mod products;
mod products_admin;
mod products_bulk;
mod protection;
mod rate_limit;
mod redis_outage;
mod refunds;
mod sessions;
mod support;
mod users;
mod wallets;

fn main() {
    testkit::run([
        products::suite(),
        products_admin::suite(),
        products_bulk::suite(),
        wallets::suite(),
        cart::suite(),
        orders::suite(),
        orders_read::suite(),
        orders_later::suite(),
        payments::suite(),
        refunds::suite(),
        lanes::suite(),
        notices::suite(),
        card_gateway::suite(),
        coupons::suite(),
        discounts::suite(),
        instances::suite(),
        idempotency::suite(),
        users::suite(),
        auth::suite(),
        auth_modes::suite(),
        sessions::suite(),
        admin::suite(),
        outbox::suite(),
        popular::suite(),
        errors::suite(),
        bodies::suite(),
        failures::suite(),
        access::suite(),
        rate_limit::suite(),
        protection::suite(),
        operation::suite(),
        disconnects::suite(),
        redis_outage::suite(),
    ]);
}
