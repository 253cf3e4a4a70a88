//! What tests share: contract suites for the ports, throw-away databases, fixtures.
//!
//! A suite is a list of [`Scenario`]s, each a function of what it is given: a database of its own, or the
//! ports that instances share. [`run`] makes one test of each scenario and each kind of database,
//! [`run_on`] one of each scenario and each [`Place`], so that every adapter passes the same suite. Where
//! a service is not there its tests show as ignored; with `REQUIRE_SERVICES=1` they fail instead.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "test code: a broken expectation is a failed test"
)]

pub mod adr;
mod clock;
pub mod contract;
mod database;
pub mod docs;
mod fault_proxy;
pub mod fixtures;
mod free_port;
mod gateway;
pub mod guards;
mod harness;
mod mysql_server;
mod polling;
mod redis_server;
mod shared;
pub mod till;

pub use clock::ManualClock;
pub use database::{Backend, TestDatabase};
pub use fault_proxy::{Cut, FaultProxy, Wire};
pub use free_port::free_port;
pub use gateway::{ScriptedGateway, Turn};
pub use harness::{OpeningFuture, Place, Scenario, ScenarioFuture, run, run_on};
pub use mysql_server::{MYSQL_TAG, MySqlServer};
pub use polling::eventually;
pub use redis_server::{REDIS_TAG, RedisServer, TestRedis};
pub use shared::SharedAdapters;
