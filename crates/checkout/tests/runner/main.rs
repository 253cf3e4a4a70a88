//! Scripts and sets of orders on a database in memory that fails as it is told.

#![cfg(test)]

mod batches;
mod carts;
mod changes;
mod claims;
mod lanes;
mod memory;
mod repositories;
mod scripts;
