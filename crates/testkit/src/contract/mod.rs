//! The contract of each port, as scenarios that every adapter must pass.

mod audit;
mod cache;
mod coupons;
mod gate;
mod keys;
mod locks;
mod orders;
mod outbox;
mod products;
mod ranking;
mod users;
mod views;
mod wallets;

use crate::{Scenario, SharedAdapters};

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
        ranking::suite(),
        audit::suite(),
    ]
}

/// Every scenario of every port that instances share.
pub fn shared() -> Vec<Vec<Scenario<dyn SharedAdapters>>> {
    vec![locks::suite(), cache::suite(), gate::suite(), views::suite()]
}
