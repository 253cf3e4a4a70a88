//! The contract of each port, as scenarios that every adapter must pass.

mod audit;
mod keys;
mod orders;
mod outbox;
mod products;
mod ranking;
mod users;
mod wallets;

use crate::Scenario;

/// Every scenario of every port that a database implements.
pub fn storage() -> Vec<Vec<Scenario>> {
    vec![
        products::suite(),
        wallets::suite(),
        orders::suite(),
        keys::suite(),
        users::suite(),
        outbox::suite(),
        ranking::suite(),
        audit::suite(),
    ]
}
