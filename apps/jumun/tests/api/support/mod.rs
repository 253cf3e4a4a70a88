//! What the scenarios share: a running server, a client, a shop to buy in.

mod answer;
mod client;
mod operations;
mod platform;
mod raw;
mod shop;
mod till;

pub(crate) use answer::{Answer, instant};
pub(crate) use client::{Call, Client};
pub(crate) use operations::{Operation, operations};
pub(crate) use platform::{Delivery, Platform};
pub(crate) use raw::exchange;
pub(crate) use shop::{NOTICE_SECRET, Replace, Setup, Shop};
pub(crate) use till::{card, charge, id_in, sign};

/// An id that nobody and nothing has.
pub(crate) const NOBODY: &str = "00000000-0000-7000-8000-00000000dead";
