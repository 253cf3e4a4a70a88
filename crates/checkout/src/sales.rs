//! Daily sales: what was sold and paid, by product and by the business day on which it was ordered.

use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{BusinessZone, Money, ProductId, StoreError};
use order::{Order, OrderLine};

/// What was sold of a product on one business day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailySale {
    /// The product.
    pub product_id: ProductId,
    /// The business day.
    pub day: NaiveDate,
    /// How many pieces.
    pub quantity: u32,
    /// For how much.
    pub amount: Money,
}

/// Daily sales inside a transaction, kept with each order so that a ranking never scans the orders.
#[async_trait]
pub trait SalesRepository: Send {
    /// Adds to the sales; each product and day is named once, in ascending order.
    async fn add(&mut self, sales: &[DailySale]) -> Result<(), StoreError>;

    /// Takes from the sales what was added before; each product and day is named once, in ascending order.
    ///
    /// Returns [`StoreError::Internal`] if less was sold.
    async fn take_back(&mut self, sales: &[DailySale]) -> Result<(), StoreError>;
}

/// Returns the sales that orders bring about once they are paid, ascending by product and day.
pub(crate) fn sales_of(orders: &[Order], zone: BusinessZone) -> Vec<DailySale> {
    let paid = orders.iter().filter(|order| order.status.was_paid());
    let lines = paid.flat_map(|order| order.lines.iter().map(move |line| (order, line, line.quantity)));
    daily_sales(lines, zone)
}

/// Adds up pieces of lines by the day of their order, ascending by product and day.
pub(crate) fn daily_sales<'o>(
    lines: impl Iterator<Item = (&'o Order, &'o OrderLine, u32)>,
    zone: BusinessZone,
) -> Vec<DailySale> {
    let mut sums: BTreeMap<(ProductId, NaiveDate), (u32, Money)> = BTreeMap::new();
    for (order, line, pieces) in lines {
        let (quantity, amount) = sums.entry((line.product_id, zone.day(order.created_at))).or_default();
        *quantity = quantity.saturating_add(pieces);
        let price = line.unit_price.checked_mul(pieces).unwrap_or(Money::MAX);
        *amount = amount.checked_add(price).unwrap_or(Money::MAX);
    }
    sums.into_iter()
        .map(|((product_id, day), (quantity, amount))| DailySale { product_id, day, quantity, amount })
        .collect()
}
