//! Failures of the inside: the caller learns that there was one, and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jumun::http::{Readiness, Services};
use kernel::{PageRequest, ProductId, StoreError};
use product::{ListedProduct, Product, ProductCatalog, ProductFilter, ProductSort};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Setup, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_panic_is_an_error_like_any_other,
        nothing_leaks_of_what_went_wrong,
        what_is_down_is_told_with_a_time_to_come_back,
        health_tells_of_what_is_down,
        health_is_degraded_without_what_only_helps,
    ]
}

const SECRET: &str = "SELECT * FROM secrets";

/// A catalogue that panics, breaks and is down.
struct Broken;

#[async_trait]
impl ProductCatalog for Broken {
    async fn find(&self, _: ProductId) -> Result<Option<Product>, StoreError> {
        panic!("{SECRET}");
    }

    async fn find_all(&self, _: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        Err(StoreError::Unavailable(SECRET.into()))
    }

    async fn list(
        &self,
        filter: &ProductFilter,
        _: ProductSort,
        _: PageRequest,
    ) -> Result<Vec<ListedProduct>, StoreError> {
        Err(match filter.name_contains.as_deref() {
            Some("down") => StoreError::Unavailable(SECRET.into()),
            Some("contended") => StoreError::Contended(SECRET.into()),
            Some("unknown") => StoreError::OutcomeUnknown(SECRET.into()),
            _ => StoreError::Internal(SECRET.into()),
        })
    }

    async fn stock(&self, _: &[ProductId]) -> Result<HashMap<ProductId, u32>, StoreError> {
        Ok(HashMap::new())
    }

    async fn count(&self, _: &ProductFilter) -> Result<u64, StoreError> {
        Ok(0)
    }
}

/// A dependency that does not answer.
struct Down {
    name: &'static str,
    is_required: bool,
}

#[async_trait]
impl Readiness for Down {
    fn name(&self) -> &'static str {
        self.name
    }

    fn is_required(&self) -> bool {
        self.is_required
    }

    async fn is_ready(&self) -> bool {
        false
    }
}

async fn open(database: Arc<TestDatabase>, replace: fn(&mut Services)) -> Shop {
    Shop::open_with(database, Setup { replace: Some(Box::new(replace)), ..Setup::default() }).await
}

async fn a_panic_is_an_error_like_any_other(database: Arc<TestDatabase>) {
    let shop = open(database, |services| services.catalog = Arc::new(Broken)).await;
    for _ in 0..20 {
        let answer = shop.get(&format!("/products/{NOBODY}")).await;
        answer.problem(500, "INTERNAL_ERROR");
        assert!(!answer.text.contains(SECRET) && !answer.text.contains("panic"), "{}", answer.text);
    }
    // The others are served as ever.
    let user = shop.user().await;
    shop.charge(user, "1000").await.is(200);
}

async fn nothing_leaks_of_what_went_wrong(database: Arc<TestDatabase>) {
    let shop = open(database, |services| services.catalog = Arc::new(Broken)).await;
    let answer = shop.get("/products").await;
    let problem = answer.problem(500, "INTERNAL_ERROR");
    assert_eq!(problem["detail"], "something went wrong on our side");
    assert!(!answer.text.contains("SELECT"), "{}", answer.text);
    let korean = shop.get("/products").header("Accept-Language", "ko").await;
    assert_eq!(korean.problem(500, "INTERNAL_ERROR")["message"], "서버에서 오류가 발생했습니다.");
}

async fn what_is_down_is_told_with_a_time_to_come_back(database: Arc<TestDatabase>) {
    let shop = open(database, |services| services.catalog = Arc::new(Broken)).await;
    for what in ["down", "contended", "unknown"] {
        let answer = shop.get(&format!("/products?q={what}")).await;
        answer.problem(503, "SERVICE_UNAVAILABLE");
        assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
        assert!(!answer.text.contains("SELECT"), "{}", answer.text);
    }
}

async fn health_tells_of_what_is_down(database: Arc<TestDatabase>) {
    let shop = open(database, |services| {
        services.dependencies.push(Arc::new(Down { name: "helper", is_required: false }));
        services.dependencies.push(Arc::new(Down { name: "needed", is_required: true }));
    })
    .await;
    for path in ["/health/ready", "/actuator/health"] {
        let health = shop.call(reqwest::Method::GET, path).await.is(503).json();
        assert_eq!(health["status"], "DOWN");
        let states: Vec<_> = health["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|dependency| (dependency["name"].as_str().unwrap(), dependency["status"].as_str().unwrap()))
            .collect();
        assert_eq!(states, [("database", "UP"), ("helper", "DOWN"), ("needed", "DOWN")]);
    }
    // That a dependency is down does not mean that the process has to be restarted.
    shop.call(reqwest::Method::GET, "/health/live").await.is(200);
}

async fn health_is_degraded_without_what_only_helps(database: Arc<TestDatabase>) {
    let shop = open(database, |services| {
        services.dependencies.push(Arc::new(Down { name: "helper", is_required: false }));
    })
    .await;
    for path in ["/health/ready", "/actuator/health"] {
        let health = shop.call(reqwest::Method::GET, path).await.is(200).json();
        assert_eq!(health["status"], "DEGRADED");
        assert_eq!(health["dependencies"][0]["status"], "UP");
        assert_eq!(health["dependencies"][1]["status"], "DOWN");
    }
}
