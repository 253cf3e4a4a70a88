//! Stand-ins for the services that Jumun talks to, so that it runs and can be tried out alone.
//!
//! They speak the protocol of the real ones and keep everything in memory. `PUT /v1/faults` makes a
//! stand-in slow or failing while it runs. The paths of each are relative: it can have a port of its own
//! or share one under a prefix.

pub mod data_platform;
mod faults;
mod health;
mod signature;
