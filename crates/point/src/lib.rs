//! Points: prepaid money in a wallet, one a user.
//!
//! Invariants
//! - a balance is never below zero and always equals the sum of its ledger;
//! - every change is one [`PointEntry`] that continues the one before it, numbered without gaps.
//!
//! A wallet is apart from its user (ADR-007): it changes with every order, the user hardly ever.
//!
//! Ports: [`WalletRepository`] inside a transaction, [`WalletReader`] and [`WalletLookup`] for reads.

mod charge;
mod error;
mod ports;
mod wallet;

pub use charge::ChargeAmount;
pub use error::PointError;
#[cfg(feature = "mocks")]
pub use ports::{MockWalletReader, MockWalletRepository};
pub use ports::{WalletLookup, WalletReader, WalletRepository};
pub use wallet::{PointCause, PointEntry, PointKind, Wallet};
