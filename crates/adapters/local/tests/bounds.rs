//! The memory of the cache has an end.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::time::Duration;

use coordination::{Cache, CacheKey, Freshness, Lookup};
use local::LocalCache;

const LEASE: Duration = Duration::from_secs(10);

fn living(lifetime: Duration) -> Freshness {
    Freshness { fresh: lifetime, stale: Duration::ZERO }
}

async fn remember(cache: &LocalCache, entry: &str, freshness: Freshness) {
    match cache.look_up(&CacheKey::new("test", entry), LEASE).await.unwrap() {
        Lookup::Missing { turn: Some(turn) } => cache.put(&turn, b"1", freshness).await.unwrap(),
        other => panic!("{entry}: {other:?}"),
    }
}

/// Looks without keeping a turn, and so without taking anybody's place.
async fn is_remembered(cache: &LocalCache, entry: &str) -> bool {
    let lookup = cache.look_up(&CacheKey::new("test", entry), Duration::ZERO).await.unwrap();
    matches!(lookup, Lookup::Fresh(_))
}

#[tokio::test]
async fn a_full_cache_forgets_what_has_expired_and_nothing_else() {
    let cache = LocalCache::new();
    for number in 0..5_000 {
        remember(&cache, &format!("kept/{number}"), living(Duration::from_mins(10))).await;
    }
    for number in 0..20_000 {
        remember(&cache, &format!("expired/{number}"), living(Duration::ZERO)).await;
    }
    for number in 0..5_000 {
        assert!(is_remembered(&cache, &format!("kept/{number}")).await, "{number}");
    }
}

#[tokio::test]
async fn a_cache_full_of_living_entries_forgets_those_that_expire_first() {
    let cache = LocalCache::new();
    let many = LocalCache::ENTRIES + 5_000;
    for number in 0..many {
        let lifetime = if number % 2 == 0 { Duration::from_mins(10) } else { Duration::from_mins(1) };
        remember(&cache, &number.to_string(), living(lifetime)).await;
    }
    let mut left = [0, 0];
    for number in (0..many).rev() {
        left[number % 2] += usize::from(is_remembered(&cache, &number.to_string()).await);
    }
    assert!(left[0] + left[1] <= LocalCache::ENTRIES, "{left:?}");
    assert_eq!(left[0], many / 2, "{left:?}");
}
