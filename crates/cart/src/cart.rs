//! The cart aggregate.

use std::collections::BTreeSet;
use std::ops::Deref;

use kernel::{Money, ProductId, Timestamp, UserId};

use crate::{CartError, Offer};

/// One product of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces, 1 to 1,000.
    pub quantity: u32,
    /// What one piece cost when the quantity was last set.
    pub unit_price: Money,
    /// What the product was called then.
    pub name: String,
    /// When the product came into the cart.
    pub added_at: Timestamp,
}

/// What there is to know of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartState {
    /// Whose cart.
    pub user_id: UserId,
    /// Counts its changes; 0 for a cart that was never used.
    pub version: u32,
    /// Its lines, in the order in which their products came.
    pub lines: Vec<CartLine>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A cart. Everybody may read its state; only its methods change it, and tell whether they did.
///
/// It is stored with its version once counted up: a use case changes a cart once in a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart(CartState);

impl Deref for Cart {
    type Target = CartState;

    fn deref(&self) -> &CartState {
        &self.0
    }
}

impl Cart {
    /// The most different products.
    pub const MAX_LINES: usize = 100;
    /// The most pieces of one product.
    pub const MAX_QUANTITY: u32 = 1_000;

    /// Returns the cart of a user who never used one.
    pub const fn empty(user_id: UserId) -> Self {
        Self(CartState { user_id, version: 0, lines: Vec::new(), updated_at: Timestamp::UNIX_EPOCH })
    }

    /// Makes a cart of its stored state, unless that could never have come about.
    pub fn restore(state: CartState) -> Result<Self, CartError> {
        let products: BTreeSet<ProductId> = state.lines.iter().map(|line| line.product_id).collect();
        let lines_fit = state
            .lines
            .iter()
            .all(|line| (1..=Self::MAX_QUANTITY).contains(&line.quantity) && !line.unit_price.is_negative());
        let distinct = products.len() == state.lines.len() && products.len() <= Self::MAX_LINES;
        if !lines_fit || !distinct || (state.version == 0 && !state.lines.is_empty()) {
            return Err(CartError::Inconsistent);
        }
        let mut cart = Self(state);
        cart.sort();
        Ok(cart)
    }

    /// Tells whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns each product with its number of pieces.
    pub fn pieces(&self) -> impl Iterator<Item = (ProductId, u32)> {
        self.lines.iter().map(|line| (line.product_id, line.quantity))
    }

    /// Sets the number of pieces of a product, at the price and under the name that it has now.
    pub fn put(&mut self, offer: &Offer, quantity: u32, now: Timestamp) -> Result<bool, CartError> {
        if !(1..=Self::MAX_QUANTITY).contains(&quantity) {
            return Err(CartError::InvalidQuantity);
        }
        let (unit_price, name) = (offer.unit_price, offer.name.clone());
        let known = self.0.lines.iter_mut().find(|line| line.product_id == offer.product_id);
        if let Some(line) = known {
            let put = CartLine { quantity, unit_price, name, ..line.clone() };
            if *line == put {
                return Ok(false);
            }
            *line = put;
        } else {
            if self.lines.len() == Self::MAX_LINES {
                return Err(CartError::Full);
            }
            let product_id = offer.product_id;
            self.0.lines.push(CartLine { product_id, quantity, unit_price, name, added_at: now });
            self.sort();
        }
        self.changed(now);
        Ok(true)
    }

    /// Takes a product out; one that is not there is out already.
    pub fn remove(&mut self, product: ProductId, now: Timestamp) -> bool {
        let before = self.lines.len();
        self.0.lines.retain(|line| line.product_id != product);
        let removed = self.lines.len() < before;
        if removed {
            self.changed(now);
        }
        removed
    }

    /// Takes everything out.
    pub fn clear(&mut self, now: Timestamp) -> bool {
        if self.is_empty() {
            return false;
        }
        self.0.lines.clear();
        self.changed(now);
        true
    }

    /// Empties the cart into an order, if it is still the version that was ordered.
    pub fn check_out(&mut self, ordered: u32, now: Timestamp) -> Result<(), CartError> {
        if self.version != ordered {
            return Err(CartError::Changed);
        }
        if self.clear(now) { Ok(()) } else { Err(CartError::Empty) }
    }

    fn changed(&mut self, now: Timestamp) {
        self.0.version += 1;
        self.0.updated_at = now;
    }

    /// Sorts the lines as they are read from a store, which keeps no other order.
    fn sort(&mut self) {
        self.0.lines.sort_by_key(|line| (line.added_at, line.product_id));
    }
}
