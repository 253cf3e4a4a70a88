//! What products need from the outside.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use kernel::{Money, PageRequest, ProductId, StoreError, Timestamp};

use crate::{Product, ProductName, StockMovement};

/// Products inside a transaction. Everything works on sets; one order is a batch of one.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProductRepository: Send {
    /// Returns the products as they stand now, ascending by id, without locking any; ids without a product
    /// are left out.
    async fn read(&mut self, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, StoreError>;

    /// Locks the products in ascending order of their ids until the transaction ends and returns them
    /// in that order; ids without a product are left out.
    async fn lock(&mut self, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, StoreError>;

    /// Adds new products whose stock is still to be explained by [`Self::move_stock`]: they start with
    /// no pieces and no movements.
    async fn insert(&mut self, products: &[Product]) -> Result<(), StoreError>;

    /// Stores name, price, status and event sequence of products that were changed once since they
    /// were read.
    ///
    /// Returns [`StoreError::Contended`] if one was changed by somebody else in between; then none is
    /// stored.
    async fn save(&mut self, products: &[Product]) -> Result<(), StoreError>;

    /// Moves stock and writes the movements into the ledger. Movements of one product follow one
    /// another in their sequence.
    ///
    /// Returns [`StoreError::Contended`], and the transaction must be rolled back, unless each product
    /// stands exactly where its first movement begins. So stock cannot be sold twice even by a caller
    /// that did not lock.
    async fn move_stock(&mut self, movements: &[StockMovement]) -> Result<(), StoreError>;
}

/// Which products a list shows; the default is all that are for sale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProductFilter {
    /// Only names that contain this text, whatever its case.
    pub name_contains: Option<String>,
    /// Only prices from here.
    pub min_price: Option<Money>,
    /// Only prices up to here, inclusive.
    pub max_price: Option<Money>,
    /// Only products with stock (`true`) or without (`false`).
    pub in_stock: Option<bool>,
}

/// How a list is sorted. Equal entries follow one another by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProductSort {
    /// The newest first.
    #[default]
    NewestFirst,
    /// The oldest first.
    OldestFirst,
    /// The cheapest first.
    PriceAscending,
    /// The dearest first.
    PriceDescending,
    /// By name, A to Z.
    NameAscending,
    /// By name, Z to A.
    NameDescending,
}

/// A product as lists show it. It is for sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedProduct {
    /// Its id.
    pub id: ProductId,
    /// Its name.
    pub name: ProductName,
    /// What one piece costs.
    pub price: Money,
    /// How many pieces are left.
    pub stock: u32,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Products for readers, outside a transaction. Stock is always the database's at the time of the call.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProductCatalog: Send + Sync {
    /// Returns a product, for sale or not.
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError>;

    /// Returns those of the products that there are, for sale or not, in one statement.
    async fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError>;

    /// Returns one page of the ACTIVE products that match.
    async fn list(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        page: PageRequest,
    ) -> Result<Vec<ListedProduct>, StoreError>;

    /// Returns the stock of those of the products that are ACTIVE, in one statement.
    async fn stock(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, u32>, StoreError>;

    /// Returns how many ACTIVE products match; the number may lag behind by seconds.
    async fn count(&self, filter: &ProductFilter) -> Result<u64, StoreError>;

    /// Takes note that products were added or changed: once it returns, nothing that was remembered of
    /// them is shown any more.
    async fn changed(&self) {}
}
