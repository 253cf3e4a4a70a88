//! Jumun, the order service: configuration, wiring, HTTP, workers and the command line.
//!
//! This crate is thin on purpose. What an order, a wallet or a product may do is decided in the domain
//! crates; what happens together is decided in `checkout`; here requests are read, use cases called and
//! answers written. [`wiring`] is the only place that knows which adapter serves which port.

pub mod cli;
pub mod commands;
pub mod http;
pub mod passwords;
pub mod popular;
pub mod schedule;
pub mod seed;
pub mod settings;
pub mod settlement;
pub mod shared;
pub mod stand_ins;
pub mod telemetry;
pub mod views;
pub mod wiring;
pub mod worker;
