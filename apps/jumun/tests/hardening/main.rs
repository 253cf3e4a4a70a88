//! The program as it is deployed: whom it speaks to and how, what it shows of itself, and what it never says.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

mod canary;
mod injection;
mod site;
mod tls;
