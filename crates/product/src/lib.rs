//! Products: what is for sale, at what price, and how many are left.
//!
//! Invariants
//! - stock is never below zero and always equals the sum of its ledger;
//! - every change of stock is one [`StockMovement`] with the balance after it, numbered without gaps;
//! - only an ACTIVE product can be sold.
//!
//! Stock lives inside the product (ADR-008): they are read and locked together by every order.
//!
//! Ports: [`ProductRepository`] inside a transaction, [`ProductCatalog`] for reads.

mod error;
mod ports;
mod product;
mod stock;

pub use error::ProductError;
pub use ports::{ListedProduct, ProductCatalog, ProductFilter, ProductRepository, ProductSort};
#[cfg(feature = "mocks")]
pub use ports::{MockProductCatalog, MockProductRepository};
pub use product::{NewProduct, Product, ProductChange, ProductName, ProductState, ProductStatus};
pub use stock::{AdjustmentReason, StockAdjusted, StockCause, StockMovement};
