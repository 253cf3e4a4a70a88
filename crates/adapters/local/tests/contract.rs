//! The contract of every port that instances share, on its in-process twin.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use coordination::{Cache, DistributedLock};
use coupon::{CouponGate, GateTiming};
use local::{LocalCache, LocalGate, LocalLock, LocalViews};
use ranking::ViewCounter;
use testkit::{Place, SharedAdapters};

/// One process; wiped, it is another one.
#[derive(Default)]
struct Process(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    locks: Arc<LocalLock>,
    cache: Arc<LocalCache>,
    gate: Option<Arc<LocalGate>>,
    views: Arc<LocalViews>,
}

#[async_trait]
impl SharedAdapters for Process {
    fn locks(&self) -> Arc<dyn DistributedLock> {
        self.0.lock().unwrap().locks.clone()
    }

    fn cache(&self) -> Arc<dyn Cache> {
        self.0.lock().unwrap().cache.clone()
    }

    fn gate(&self, timing: GateTiming) -> Arc<dyn CouponGate> {
        self.0.lock().unwrap().gate.get_or_insert_with(|| Arc::new(LocalGate::new(timing))).clone()
    }

    fn views(&self) -> Arc<dyn ViewCounter> {
        self.0.lock().unwrap().views.clone()
    }

    async fn wipe(&self) {
        *self.0.lock().unwrap() = Memory::default();
    }
}

fn main() {
    let place = Place {
        name: "local",
        missing: None,
        open: || Box::pin(async { Arc::new(Process::default()) as _ }),
    };
    testkit::run_on(place, testkit::contract::shared());
}
