//! The contract of each port, as scenarios that every adapter must pass.

mod audit;
mod audit_damages;
mod cache;
mod carts;
mod coupons;
mod gate;
mod key_rotation;
mod keys;
mod locks;
mod orders;
mod outbox;
mod payments;
mod products;
mod ranking;
mod refunds;
mod sessions;
mod users;
mod views;
mod wallets;

use crate::{Scenario, SharedAdapters};

/// Every scenario of every port that a database implements.
pub fn storage() -> Vec<Vec<Scenario>> {
    vec![
        products::suite(),
        wallets::suite(),
        carts::suite(),
        coupons::suite(),
        orders::suite(),
        payments::suite(),
        refunds::suite(),
        keys::suite(),
        users::suite(),
        sessions::suite(),
        key_rotation::suite(),
        outbox::suite(),
        ranking::suite(),
        audit::suite(),
    ]
}

/// Every scenario of every port that instances share.
pub fn shared() -> Vec<Vec<Scenario<dyn SharedAdapters>>> {
    vec![locks::suite(), cache::suite(), gate::suite(), views::suite()]
}
