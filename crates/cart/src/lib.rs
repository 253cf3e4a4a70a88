//! Carts: what a user is going to order, one a user.
//!
//! Invariants
//! - a cart has each product once, 1 to 1,000 pieces of it, and 100 different products at most;
//! - each change counts its version up by one, and what changes nothing leaves the version alone: two tabs
//!   that change one cart follow one another and lose nothing, and an order from a cart that has changed
//!   since it was read is refused;
//! - a cart reserves nothing. Price and stock are the shop's at the time of looking; the price and the name
//!   in a [`CartLine`] are those that the user saw last, kept to tell what has changed since.
//!
//! A user without a cart has an empty one of version 0. A cart that was once used is never removed, so that
//! its version never begins again. Other aggregates are known by id only (ADR-013); why carts are a domain of
//! their own is said in ADR-037.
//!
//! Ports: [`CartRepository`] inside a transaction, [`CartReader`] for reads.

mod cart;
mod error;
mod ports;
mod shown;

pub use cart::{Cart, CartLine, CartState};
pub use error::CartError;
pub use ports::{CartReader, CartRepository};
#[cfg(feature = "mocks")]
pub use ports::{MockCartReader, MockCartRepository};
pub use shown::{Offer, ShownCart, ShownLine};
