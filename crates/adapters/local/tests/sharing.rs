//! Who asks at the same moment shares a question to the store, and never one that began before.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::DateTime;
use coordination::ReadThrough;
use kernel::{IdGenerator, Money, PageRequest, PageSize, ProductId, StoreError};
use local::{CachedCatalog, LocalCache, SystemIds};
use product::{ListedProduct, Product, ProductCatalog, ProductFilter, ProductName, ProductSort};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Forty products of one stock. The test lets each question for stock through, and hears of it.
struct Shelf {
    products: Vec<ListedProduct>,
    stock: AtomicU32,
    asked: mpsc::UnboundedSender<usize>,
    gate: Semaphore,
    is_down: Mutex<bool>,
}

#[async_trait]
impl ProductCatalog for Shelf {
    async fn find(&self, _: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(None)
    }

    async fn find_all(&self, _: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        Ok(Vec::new())
    }

    async fn list(
        &self,
        _: &ProductFilter,
        _: ProductSort,
        page: PageRequest,
    ) -> Result<Vec<ListedProduct>, StoreError> {
        let size = page.size.get() as usize;
        Ok(self.products.chunks(size).nth(page.page as usize).unwrap_or_default().to_vec())
    }

    async fn stock(&self, ids: &[ProductId]) -> Result<HashMap<ProductId, u32>, StoreError> {
        let stock = self.stock.load(Ordering::SeqCst);
        self.asked.send(ids.len()).unwrap();
        self.gate.acquire().await.unwrap().forget();
        if *self.is_down.lock().unwrap() {
            return Err(StoreError::Unavailable("nobody there".into()));
        }
        Ok(ids.iter().map(|id| (*id, stock)).collect())
    }

    async fn count(&self, _: &ProductFilter) -> Result<u64, StoreError> {
        Ok(self.products.len() as u64)
    }
}

struct Scene {
    shelf: Arc<Shelf>,
    catalog: Arc<CachedCatalog>,
    asked: mpsc::UnboundedReceiver<usize>,
}

impl Scene {
    fn new() -> Self {
        let (asked, hears) = mpsc::unbounded_channel();
        let product = |number: i64| ListedProduct {
            id: ProductId::from_uuid(SystemIds.uuid()),
            name: ProductName::new("tea").unwrap(),
            price: Money::won(number),
            stock: 0,
            created_at: DateTime::UNIX_EPOCH,
        };
        let products = (0..40).map(product).collect();
        let shelf = Arc::new(Shelf {
            products,
            stock: AtomicU32::new(1),
            asked,
            gate: Semaphore::new(0),
            is_down: Mutex::default(),
        });
        let cache = ReadThrough::new(Arc::new(LocalCache::new()), Handle::current(), TaskTracker::new());
        Self { catalog: Arc::new(CachedCatalog::new(shelf.clone(), cache)), shelf, asked: hears }
    }

    /// Asks for a page, and returns when its question stands in the line.
    async fn ask(&self, page: u32) -> JoinHandle<Result<Vec<u32>, StoreError>> {
        let catalog = self.catalog.clone();
        let page = PageRequest { page, size: PageSize::new(20).unwrap() };
        let asked = tokio::spawn(async move {
            let listed = catalog.list(&ProductFilter::default(), ProductSort::NewestFirst, page).await?;
            Ok(listed.into_iter().map(|product| product.stock).collect())
        });
        // One thread: the others run until they wait, and the names of the page are computed once.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        asked
    }

    /// Keeps the reader busy with a question that was asked before.
    async fn busy(&mut self) -> JoinHandle<Result<Vec<u32>, StoreError>> {
        let early = self.ask(0).await;
        assert_eq!(self.asked.recv().await, Some(20), "a free reader asks at once");
        early
    }
}

// The clock stands still, so that no read counts as slow.
#[tokio::test(start_paused = true)]
async fn pages_that_are_asked_for_at_the_same_moment_share_a_question_for_stock() {
    let mut scene = Scene::new();
    let early = scene.busy().await;
    let mut late = Vec::new();
    for page in [0, 1, 0, 1, 0] {
        late.push(scene.ask(page).await);
    }
    assert!(scene.asked.try_recv().is_err(), "the reader is busy");
    scene.shelf.gate.add_permits(100);
    for answer in std::iter::once(early).chain(late) {
        assert_eq!(answer.await.unwrap().unwrap(), [1; 20]);
    }
    assert_eq!(scene.asked.recv().await, Some(100), "five pages in one question");
    assert!(scene.asked.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn stock_is_never_older_than_the_question_for_it() {
    let mut scene = Scene::new();
    let early = scene.busy().await;
    scene.shelf.stock.store(2, Ordering::SeqCst);
    let late = scene.ask(0).await;
    scene.shelf.gate.add_permits(100);
    assert_eq!(early.await.unwrap().unwrap(), [1; 20]);
    assert_eq!(late.await.unwrap().unwrap(), [2; 20], "not from the question that had begun before");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_is_so_for_those_who_asked_and_for_nobody_after() {
    let mut scene = Scene::new();
    let early = scene.busy().await;
    *scene.shelf.is_down.lock().unwrap() = true;
    scene.shelf.gate.add_permits(1);
    assert!(matches!(early.await.unwrap(), Err(StoreError::Unavailable(_))));
    *scene.shelf.is_down.lock().unwrap() = false;
    scene.shelf.gate.add_permits(1);
    assert_eq!(scene.ask(0).await.await.unwrap().unwrap(), [1; 20]);
}
