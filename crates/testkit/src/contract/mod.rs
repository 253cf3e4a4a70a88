//! The contract of each port, as scenarios that every adapter must pass.

mod audit;
mod coupons;
mod keys;
mod orders;
mod outbox;
mod products;
mod users;
mod wallets;

use crate::Scenario;

/// Every scenario of every port that a database implements.
pub fn storage() -> Vec<Vec<Scenario>> {
    vec![
        products::suite(),
        wallets::suite(),
        coupons::suite(),
        orders::suite(),
        keys::suite(),
        users::suite(),
        outbox::suite(),
        audit::suite(),
    ]
}
