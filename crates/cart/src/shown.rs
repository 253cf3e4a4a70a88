//! A cart as its owner sees it: with the prices and the stock of the moment.

use std::collections::BTreeMap;

use kernel::{Money, ProductId};

use crate::{Cart, CartLine};

/// A product that is for sale now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The product.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// What one piece costs.
    pub unit_price: Money,
    /// How many pieces are left.
    pub stock: u32,
}

/// A line with what the shop says of its product now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name; the one that was last seen if it is not for sale any more.
    pub name: String,
    /// What one piece costs; what it cost last if it is not for sale any more.
    pub unit_price: Money,
    /// How many pieces.
    pub quantity: u32,
    /// Price times pieces.
    pub subtotal: Money,
    /// How many pieces there are to buy: none if it is not for sale any more.
    pub stock: u32,
    /// Whether it is for sale and as many pieces are left.
    pub available: bool,
    /// What one piece cost when the quantity was last set, if that is another price.
    pub previous_price: Option<Money>,
}

impl ShownLine {
    /// Tells whether there is nothing to buy of the product.
    pub fn sold_out(&self) -> bool {
        self.stock == 0
    }

    fn of(line: &CartLine, offer: Option<&Offer>) -> Self {
        let (unit_price, name) =
            offer.map_or((line.unit_price, &line.name), |offer| (offer.unit_price, &offer.name));
        let stock = offer.map_or(0, |offer| offer.stock);
        Self {
            product_id: line.product_id,
            name: name.clone(),
            unit_price,
            quantity: line.quantity,
            // An order of more than an amount can be is refused; a cart shows the most that can be shown.
            subtotal: unit_price.checked_mul(line.quantity).unwrap_or(Money::MAX),
            stock,
            available: stock >= line.quantity,
            previous_price: Some(line.unit_price).filter(|price| *price != unit_price),
        }
    }
}

/// A cart with what the shop says of its products now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCart {
    /// Its lines, in the order of the cart.
    pub lines: Vec<ShownLine>,
    /// What all of it comes to, before any coupon.
    pub total: Money,
}

impl ShownCart {
    /// Tells whether there is something in it and every piece of it can be had.
    pub fn is_orderable(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|line| line.available)
    }

    /// Returns how many pieces are in it.
    pub fn quantity(&self) -> u32 {
        self.lines.iter().map(|line| line.quantity).sum()
    }
}

impl Cart {
    /// Looks at the cart with what is offered now; what is not offered is not for sale.
    pub fn shown(&self, offers: &BTreeMap<ProductId, Offer>) -> ShownCart {
        let lines: Vec<_> =
            self.lines.iter().map(|line| ShownLine::of(line, offers.get(&line.product_id))).collect();
        let total = lines.iter().map(|line| line.subtotal).sum::<Option<Money>>();
        ShownCart { lines, total: total.unwrap_or(Money::MAX) }
    }
}
