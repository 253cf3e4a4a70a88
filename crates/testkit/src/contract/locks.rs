//! Locks that instances share.

use std::sync::Arc;
use std::time::Duration;

use coordination::{Grant, LockName};
use tokio::task::JoinSet;

use crate::{Scenario, SharedAdapters, eventually, scenarios};

pub(crate) fn suite() -> Vec<Scenario<dyn SharedAdapters>> {
    scenarios![
        of_two_owners_one_has_the_lock,
        of_many_callers_at_once_one_gets_the_lock,
        locks_of_other_names_are_free,
        only_its_owner_renews_and_releases_a_lock,
        a_lease_that_has_run_out_can_be_taken,
        a_renewed_lease_does_not_run_out,
        fences_grow,
        fences_grow_though_everything_was_lost,
    ]
}

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(150);

fn name() -> LockName {
    LockName::of("test", "it")
}

async fn of_two_owners_one_has_the_lock(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.locks(), adapters.locks());
    let grant = mine.acquire(&name(), LONG).await.unwrap().unwrap();
    assert_eq!(grant.name, name());
    assert_eq!(theirs.acquire(&name(), LONG).await.unwrap(), None);
    assert_eq!(mine.acquire(&name(), LONG).await.unwrap(), None, "a lock is not its owner's twice");
    assert!(mine.release(&grant).await.unwrap());
    assert!(theirs.acquire(&name(), LONG).await.unwrap().is_some());
}

async fn of_many_callers_at_once_one_gets_the_lock(adapters: Arc<dyn SharedAdapters>) {
    for round in 0..10 {
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let lock = adapters.locks();
            callers.spawn(async move { lock.acquire(&LockName::of("test", round), LONG).await.unwrap() });
        }
        assert_eq!(callers.join_all().await.into_iter().flatten().count(), 1);
    }
}

async fn locks_of_other_names_are_free(adapters: Arc<dyn SharedAdapters>) {
    let lock = adapters.locks();
    for name in [name(), LockName::of("test", "other"), LockName::of_the("test")] {
        assert!(lock.acquire(&name, LONG).await.unwrap().is_some(), "{name}");
    }
}

async fn only_its_owner_renews_and_releases_a_lock(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.locks(), adapters.locks());
    let grant = mine.acquire(&name(), LONG).await.unwrap().unwrap();
    let forged = Grant { owner: grant.owner ^ 1, ..grant.clone() };
    assert!(!theirs.renew(&forged, LONG).await.unwrap());
    assert!(!theirs.release(&forged).await.unwrap());
    assert_eq!(theirs.acquire(&name(), LONG).await.unwrap(), None, "it is still held");
    assert!(mine.renew(&grant, LONG).await.unwrap());
    assert!(mine.release(&grant).await.unwrap());
    assert!(!mine.renew(&grant, LONG).await.unwrap());
    assert!(!mine.release(&grant).await.unwrap());
}

async fn a_lease_that_has_run_out_can_be_taken(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.locks(), adapters.locks());
    let late = mine.acquire(&name(), SHORT).await.unwrap().unwrap();
    let next = eventually("the lease runs out", async || theirs.acquire(&name(), LONG).await.unwrap()).await;
    assert!(next.fence > late.fence);
    assert!(!mine.renew(&late, LONG).await.unwrap());
    assert!(!mine.release(&late).await.unwrap());
    assert!(theirs.renew(&next, LONG).await.unwrap(), "the late owner took nothing away");
}

async fn a_renewed_lease_does_not_run_out(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.locks(), adapters.locks());
    let grant = mine.acquire(&name(), LONG).await.unwrap().unwrap();
    let other = LockName::of("test", "other");
    let short = mine.acquire(&other, SHORT).await.unwrap().unwrap();
    // The lease that was long becomes short, and the short one long.
    assert!(mine.renew(&short, LONG).await.unwrap());
    assert!(mine.renew(&grant, SHORT).await.unwrap());
    eventually("the short lease runs out", async || theirs.acquire(&name(), LONG).await.unwrap()).await;
    tokio::time::sleep(SHORT).await;
    assert_eq!(theirs.acquire(&other, LONG).await.unwrap(), None);
}

async fn fences_grow(adapters: Arc<dyn SharedAdapters>) {
    let lock = adapters.locks();
    let mut last = 0;
    for _ in 0..200 {
        let grant = lock.acquire(&name(), LONG).await.unwrap().unwrap();
        assert!(grant.fence > last, "{} after {last}", grant.fence);
        last = grant.fence;
        assert!(lock.release(&grant).await.unwrap());
    }
}

async fn fences_grow_though_everything_was_lost(adapters: Arc<dyn SharedAdapters>) {
    let mut last = 0;
    for _ in 0..20 {
        let grant = adapters.locks().acquire(&name(), LONG).await.unwrap().unwrap();
        assert!(grant.fence > last, "{} after {last}", grant.fence);
        last = grant.fence;
        adapters.wipe().await;
    }
}
