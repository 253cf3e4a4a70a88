//! The product aggregate (ADR-008).

use std::fmt;
use std::ops::Deref;

use kernel::{Money, OrderId, ProductId, Timestamp};

use crate::{AdjustmentReason, ProductError, StockCause, StockMovement};

/// A product's name: 1 to 200 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProductName(String);

impl ProductName {
    /// Takes a name, without the white space around it.
    pub fn new(text: &str) -> Result<Self, ProductError> {
        let text = text.trim();
        if !(1..=200).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(ProductError::InvalidName);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProductName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a product is for sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductStatus {
    /// Listed and for sale.
    Active,
    /// Neither listed nor for sale; kept because orders refer to it.
    Inactive,
}

impl ProductStatus {
    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Inactive].into_iter().find(|status| status.as_str() == text)
    }
}

/// What there is to know of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductState {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// What one piece costs; never below zero.
    pub price: Money,
    /// How many pieces are left.
    pub stock: u32,
    /// Whether it is for sale.
    pub status: ProductStatus,
    /// Counts the changes of everything but stock; numbering an event is one.
    pub version: u32,
    /// Counts the movements of stock: the number of its ledger's entries.
    pub stock_version: u32,
    /// Counts the events told about it.
    pub event_sequence: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When `version` last grew.
    pub updated_at: Timestamp,
}

/// What a new product needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProduct {
    /// Its name.
    pub name: ProductName,
    /// What one piece costs.
    pub price: Money,
    /// How many pieces there are at first.
    pub stock: u32,
}

/// What an administrator may change; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// The new name.
    pub name: Option<ProductName>,
    /// The new price.
    pub price: Option<Money>,
    /// The new status.
    pub status: Option<ProductStatus>,
}

/// A product. Everybody may read its state; only its methods change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product(ProductState);

impl Deref for Product {
    type Target = ProductState;

    fn deref(&self) -> &ProductState {
        &self.0
    }
}

impl Product {
    /// The most pieces to which an administrator can bring a product. What comes back from orders is on top.
    pub const MAX_STOCK: u32 = 1_000_000_000;

    /// Creates a product that is for sale at once, with the movement that explains its first stock.
    pub fn create(
        id: ProductId,
        new: NewProduct,
        now: Timestamp,
    ) -> Result<(Self, StockMovement), ProductError> {
        let mut product = Self::restore(ProductState {
            id,
            name: new.name,
            price: new.price,
            stock: 0,
            status: ProductStatus::Active,
            version: 1,
            stock_version: 0,
            event_sequence: 0,
            created_at: now,
            updated_at: now,
        })?;
        let movement = product.shift(i64::from(new.stock), StockCause::Created, now, Self::MAX_STOCK)?;
        Ok((product, movement))
    }

    /// Makes a product of a stored state, unless that state could never have come about.
    pub fn restore(state: ProductState) -> Result<Self, ProductError> {
        if state.price.is_negative() {
            return Err(ProductError::InvalidPrice);
        }
        Ok(Self(state))
    }

    /// Takes pieces for an order, if it is for sale and has as many.
    pub fn sell(
        &mut self,
        quantity: u32,
        order: OrderId,
        now: Timestamp,
    ) -> Result<StockMovement, ProductError> {
        if self.status != ProductStatus::Active {
            return Err(ProductError::NotFound(self.id));
        }
        self.shift(-i64::from(quantity), StockCause::Ordered(order), now, Self::MAX_STOCK)
    }

    /// Takes back pieces that an order had taken, whether or not the product is still for sale. They always
    /// fit: what an administrator added meanwhile must not keep an order from being given up or refunded.
    pub fn take_back(
        &mut self,
        quantity: u32,
        order: OrderId,
        now: Timestamp,
    ) -> Result<StockMovement, ProductError> {
        self.shift(i64::from(quantity), StockCause::Returned(order), now, u32::MAX)
    }

    /// Adds or takes pieces in an administrator's name and numbers the event that tells of it. That counts
    /// as a change of the product, to be saved like any other.
    pub fn adjust(
        &mut self,
        delta: i64,
        reason: AdjustmentReason,
        now: Timestamp,
    ) -> Result<StockMovement, ProductError> {
        if delta == 0 {
            return Err(ProductError::InvalidAdjustment);
        }
        let movement = self.shift(delta, StockCause::Adjusted(reason), now, Self::MAX_STOCK)?;
        self.0.event_sequence += 1;
        self.0.version += 1;
        self.0.updated_at = now;
        Ok(movement)
    }

    /// Changes name, price or status.
    pub fn change(&mut self, change: ProductChange, now: Timestamp) -> Result<(), ProductError> {
        if change.price.is_some_and(Money::is_negative) {
            return Err(ProductError::InvalidPrice);
        }
        let state = &mut self.0;
        state.name = change.name.unwrap_or_else(|| state.name.clone());
        state.price = change.price.unwrap_or(state.price);
        state.status = change.status.unwrap_or(state.status);
        state.version += 1;
        state.updated_at = now;
        Ok(())
    }

    /// Makes a movement that was decided on an earlier state of this product, from where it stands now.
    ///
    /// # Errors
    /// [`ProductError::OutOfStock`] if there are not as many pieces any more.
    pub fn repeat(&mut self, movement: &StockMovement) -> Result<StockMovement, ProductError> {
        self.shift(movement.delta, movement.cause.clone(), movement.created_at, u32::MAX)
    }

    fn shift(
        &mut self,
        delta: i64,
        cause: StockCause,
        now: Timestamp,
        max: u32,
    ) -> Result<StockMovement, ProductError> {
        let after = i64::from(self.stock).checked_add(delta);
        let balance_after = match after.map(u32::try_from) {
            Some(Ok(balance)) if delta < 0 || balance <= max => balance,
            _ if delta < 0 => {
                return Err(ProductError::OutOfStock {
                    product_id: self.id,
                    requested: u32::try_from(delta.unsigned_abs()).unwrap_or(u32::MAX),
                    available: self.stock,
                });
            }
            _ => return Err(ProductError::InvalidStock { max: Self::MAX_STOCK }),
        };
        self.0.stock = balance_after;
        self.0.stock_version += 1;
        Ok(StockMovement {
            product_id: self.id,
            sequence: self.stock_version,
            delta,
            balance_after,
            cause,
            created_at: now,
        })
    }
}
