//! Orders that are read together.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use coordination::{Coalescer, Sharing};
use kernel::{CursorPage, OrderId, PageSize, StoreError};
use order::{Order, OrderCursor, OrderFilter, OrderReader, StatusChange};

/// Reads the orders that are asked for at the same moment in one question (ADR-041). Nothing is remembered.
pub struct SharedOrders {
    inner: Arc<dyn OrderReader>,
    lookups: Coalescer<(), OrderId, Arc<HashMap<OrderId, Order>>>,
}

impl SharedOrders {
    /// So many orders are read in one question, at most: each may have a hundred lines.
    const LOOKUPS: Sharing = Sharing { name: "orders", questions: 100 };

    /// Shares the reads of a reader, on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(inner: Arc<dyn OrderReader>) -> Self {
        let reader = inner.clone();
        let lookups = Coalescer::new(Self::LOOKUPS, move |(), ids: Vec<OrderId>| {
            let reader = reader.clone();
            async move {
                let found = reader.find_all(&ids).await?;
                Ok(Arc::new(found.into_iter().map(|order| (order.id, order)).collect()))
            }
        });
        Self { inner, lookups }
    }
}

#[async_trait]
impl OrderReader for SharedOrders {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let found = self.lookups.ask((), id).await?;
        Ok(found.get(&id).cloned())
    }

    async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        self.inner.find_all(ids).await
    }

    async fn list(
        &self,
        filter: &OrderFilter,
        after: Option<OrderCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Order, OrderCursor>, StoreError> {
        self.inner.list(filter, after, size).await
    }

    async fn history(&self, id: OrderId) -> Result<Vec<StatusChange>, StoreError> {
        self.inner.history(id).await
    }
}
