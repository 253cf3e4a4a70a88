//! What the scenarios share: a running server, a client, a shop to buy in.

mod answer;
mod client;
mod operations;
mod platform;
mod raw;
mod shop;
mod till;

use std::time::Duration;

use tokio::time::Instant;

pub(crate) use answer::{Answer, instant};
pub(crate) use client::{Call, Client};
pub(crate) use operations::{Operation, operations};
pub(crate) use platform::{Delivery, Platform};
pub(crate) use raw::exchange;
pub(crate) use shop::{NOTICE_SECRET, Replace, Setup, Shop};
pub(crate) use till::{card, charge, id_in, sign};

/// An id that nobody and nothing has.
pub(crate) const NOBODY: &str = "00000000-0000-7000-8000-00000000dead";

/// Asks again and again until there is an answer. For what other threads do in their own time.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
