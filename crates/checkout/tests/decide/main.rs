//! The decision on orders, without a port and without a mock.

#![cfg(test)]

mod carts;
mod coupons;
mod examples;
mod properties;
mod shop;
