//! Many callers at the same moment, on SQLite and on MySQL, from two instances of the application.
//!
//! What the doc comments say was seen to fail was tried: the guard was taken out, the test was run.

#![cfg(test)]

mod account;
mod batches;
mod coupons;
mod guards;
mod idempotency;
mod instances;
mod lock_order;
mod money_storm;
mod orders;
mod outbox;
mod payments;
mod pool;
mod refunds;
mod storm;
mod tills;
mod wallets;

fn main() {
    testkit::run([
        orders::suite(),
        lock_order::suite(),
        idempotency::suite(),
        wallets::suite(),
        batches::suite(),
        coupons::suite(),
        guards::suite(),
        payments::suite(),
        refunds::suite(),
        storm::suite(),
        money_storm::suite(),
        pool::suite(),
        outbox::suite(),
    ]);
}
