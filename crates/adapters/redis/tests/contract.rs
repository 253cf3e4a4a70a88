//! The contract of every port that instances share, on Redis.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::sync::Arc;

use async_trait::async_trait;
use coordination::{Cache, DistributedLock};
use coupon::{CouponGate, GateTiming};
use local::SystemIds;
use ranking::ViewCounter;
use redis_adapter::{Redis, RedisCache, RedisGate, RedisLock, RedisViews};
use testkit::{Place, SharedAdapters, TestRedis};

/// Two instances on one Redis, in turn.
struct Instances {
    store: TestRedis,
    redis: Redis,
    other: Redis,
    next: std::sync::atomic::AtomicBool,
}

impl Instances {
    fn open() -> Self {
        let store = TestRedis::new();
        let open = || Redis::new(&store.url, &store.prefix, Arc::new(SystemIds)).unwrap();
        let (redis, other) = (open(), open());
        Self { store, redis, other, next: std::sync::atomic::AtomicBool::default() }
    }

    fn redis(&self) -> Redis {
        let other = self.next.fetch_xor(true, std::sync::atomic::Ordering::Relaxed);
        if other { self.other.clone() } else { self.redis.clone() }
    }
}

#[async_trait]
impl SharedAdapters for Instances {
    fn locks(&self) -> Arc<dyn DistributedLock> {
        Arc::new(RedisLock::new(self.redis()))
    }

    fn cache(&self) -> Arc<dyn Cache> {
        Arc::new(RedisCache::new(self.redis()))
    }

    fn gate(&self, timing: GateTiming) -> Arc<dyn CouponGate> {
        Arc::new(RedisGate::new(self.redis(), timing))
    }

    fn views(&self) -> Arc<dyn ViewCounter> {
        Arc::new(RedisViews::new(self.redis()))
    }

    async fn wipe(&self) {
        self.store.wipe().await;
    }
}

fn main() {
    let place = Place {
        name: "redis",
        missing: TestRedis::missing(),
        open: || Box::pin(async { Arc::new(Instances::open()) as _ }),
    };
    testkit::run_on(place, testkit::contract::shared());
}
