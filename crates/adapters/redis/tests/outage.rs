//! What callers see while Redis is gone, silent or empty, and after it.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use coordination::{Cache, CacheKey, DistributedLock, Freshness, Grant, LockName, Lookup, Turn};
use coupon::{Admission, CouponGate, GateTiming};
use kernel::{CouponId, IdGenerator, ProductId, StoreError, UserId};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use local::SystemIds;
use ranking::{DailyViews, ViewBatchId, ViewCounter};
use redis_adapter::{Redis, RedisCache, RedisGate, RedisLock, RedisViews};
use testkit::{RedisServer, TestRedis, eventually};

const LEASE: Duration = Duration::from_mins(1);
const LONG: Freshness = Freshness { fresh: Duration::from_mins(1), stale: Duration::from_mins(1) };
/// The longest that a call may take, whatever happens.
const LONGEST: Duration = Duration::from_secs(1);
/// A call that does not even try takes no longer.
const AT_ONCE: Duration = Duration::from_millis(50);

/// All adapters of one instance.
struct Instance {
    redis: Redis,
    locks: RedisLock,
    cache: RedisCache,
    gate: RedisGate,
    views: RedisViews,
}

fn instance(url: &str) -> Instance {
    let redis = Redis::new(url, "", Arc::new(SystemIds)).unwrap();
    Instance {
        locks: RedisLock::new(redis.clone()),
        cache: RedisCache::new(redis.clone()),
        gate: RedisGate::new(redis.clone(), GateTiming::default()),
        views: RedisViews::new(redis.clone()),
        redis,
    }
}

fn name() -> LockName {
    LockName::of_the("test")
}

fn key() -> CacheKey {
    CacheKey::new("test", "entry")
}

fn coupon() -> CouponId {
    CouponId::from_uuid(SystemIds.uuid())
}

fn user() -> UserId {
    UserId::from_uuid(SystemIds.uuid())
}

fn view() -> DailyViews {
    let day = "2026-07-01".parse().unwrap();
    DailyViews { day, product_id: ProductId::from_uuid(SystemIds.uuid()), count: 1 }
}

/// Every call of every port, by name, and how it ended.
async fn call_everything(instance: &Instance) -> Vec<(&'static str, Duration, Option<StoreError>)> {
    let grant = Grant { name: name(), owner: 7, fence: 1 };
    let turn = Turn { key: key(), generation: 1, owner: 7 };
    let (coupon, user) = (coupon(), user());
    let batch = ViewBatchId::from_uuid(SystemIds.uuid());
    let mut ends = Vec::new();
    macro_rules! call {
        ($($name:literal: $call:expr),* $(,)?) => {$(
            let begun = Instant::now();
            let error = $call.await.err();
            ends.push(($name, begun.elapsed(), error));
        )*};
    }
    call! {
        "ping": instance.redis.ping(),
        "acquire": instance.locks.acquire(&name(), LEASE),
        "renew": instance.locks.renew(&grant, LEASE),
        "release": instance.locks.release(&grant),
        "look_up": instance.cache.look_up(&key(), LEASE),
        "put": instance.cache.put(&turn, b"1", LONG),
        "give_up": instance.cache.give_up(&turn),
        "drop_group": instance.cache.drop_group("test"),
        "admit": instance.gate.admit(coupon, user),
        "confirm": instance.gate.confirm(coupon, user),
        "release": instance.gate.release(coupon, user),
        "begin": instance.gate.begin(coupon, 1),
        "open": instance.gate.open(coupon, 1, 1, &[user]),
        "forget": instance.gate.forget(coupon),
        "add": instance.views.add(&[view()]),
        "take": instance.views.take(),
        "confirm": instance.views.confirm(batch),
    }
    ends
}

async fn everything_fails_soon_and_then_at_once(instance: &Instance) {
    let begun = Instant::now();
    for (call, took, error) in call_everything(instance).await {
        assert!(matches!(error, Some(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))), "{call}");
        assert!(took < LONGEST, "{call} took {took:?}");
    }
    // 17 calls of which each would take 0.3 s or more: nearly all fail without a try.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    let mut at_once = 0;
    for _ in 0..20 {
        let begun = Instant::now();
        assert!(instance.redis.ping().await.is_err());
        at_once += usize::from(begun.elapsed() < AT_ONCE);
    }
    assert!(at_once >= 18, "{at_once} of 20 failed at once");
}

async fn everything_works_again(instance: &Instance) {
    eventually("Redis answers again", async || instance.redis.ping().await.ok()).await;
    for (call, _, error) in call_everything(instance).await {
        assert!(error.is_none(), "{call}: {error:?}");
    }
}

/// Uses all connections that a burst of callers makes, so that each of them is dead later.
async fn use_many_connections(instance: &Instance) {
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let redis = instance.redis.clone();
        callers.spawn(async move { redis.ping().await });
    }
    for answer in callers.join_all().await {
        answer.unwrap();
    }
}

async fn nobody_listens(server: RedisServer) {
    let instance = instance(server.url());
    use_many_connections(&instance).await;
    server.kill().await;
    everything_fails_soon_and_then_at_once(&instance).await;
    server.start_again().await;
    everything_works_again(&instance).await;
}

async fn a_start_needs_no_redis(server: RedisServer) {
    server.kill().await;
    let instance = instance(server.url());
    everything_fails_soon_and_then_at_once(&instance).await;
    server.start_again().await;
    everything_works_again(&instance).await;
}

async fn redis_is_silent(server: RedisServer) {
    let instance = instance(server.url());
    use_many_connections(&instance).await;
    server.pause().await;
    everything_fails_soon_and_then_at_once(&instance).await;
    server.go_on().await;
    everything_works_again(&instance).await;
}

/// A burst of callers is not held up, each by its own time limit, one after the other.
async fn many_callers_of_a_silent_redis_are_all_told_soon(server: RedisServer) {
    let instance = instance(server.url());
    use_many_connections(&instance).await;
    server.pause().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let gate = instance.gate.clone();
        callers.spawn(async move {
            let begun = Instant::now();
            (gate.admit(coupon(), user()).await.is_err(), begun.elapsed())
        });
    }
    for (failed, took) in callers.join_all().await {
        assert!(failed && took < LONGEST, "{took:?}");
    }
    server.go_on().await;
    everything_works_again(&instance).await;
}

/// `SCRIPT FLUSH` makes Redis forget the scripts; they are sent again.
async fn scripts_are_forgotten(server: RedisServer) {
    let instance = instance(server.url());
    for _ in 0..3 {
        let ends = call_everything(&instance).await;
        assert!(ends.iter().all(|(_, _, error)| error.is_none()), "{ends:?}");
        server.command(&["SCRIPT", "FLUSH"]).await;
    }
}

/// What must hold after everything was lost, told what was known before.
struct Before {
    coupon: CouponId,
    fence: u64,
    turn: Turn,
}

async fn fill(instance: &Instance) -> Before {
    let grant = instance.locks.acquire(&name(), LEASE).await.unwrap().unwrap();
    let coupon = coupon();
    assert!(instance.gate.begin(coupon, grant.fence).await.unwrap());
    assert!(instance.gate.open(coupon, grant.fence, 5, &[user()]).await.unwrap());
    assert_eq!(instance.gate.admit(coupon, user()).await.unwrap(), Admission::Admitted);
    let turn = match instance.cache.look_up(&key(), LEASE).await.unwrap() {
        Lookup::Missing { turn: Some(turn) } => turn,
        other => panic!("{other:?}"),
    };
    instance.views.add(&[view()]).await.unwrap();
    Before { coupon, fence: grant.fence, turn }
}

async fn everything_begins_anew(instance: &Instance, before: &Before) {
    let grant = eventually("the lock is free", async || instance.locks.acquire(&name(), LEASE).await.ok()?);
    let grant = grant.await;
    assert!(grant.fence > before.fence, "{} after {}", grant.fence, before.fence);
    assert_eq!(instance.gate.admit(before.coupon, user()).await.unwrap(), Admission::NotReady);
    assert!(!instance.gate.open(before.coupon, before.fence, 5, &[]).await.unwrap());
    instance.cache.put(&before.turn, b"before", LONG).await.unwrap();
    let turn = match instance.cache.look_up(&key(), LEASE).await.unwrap() {
        Lookup::Missing { turn: Some(turn) } => turn,
        other => panic!("{other:?}"),
    };
    assert!(turn.generation > before.turn.generation);
    assert_eq!(instance.views.take().await.unwrap(), None);
    instance.locks.release(&grant).await.unwrap();
    instance.cache.give_up(&turn).await.unwrap();
}

async fn everything_is_flushed(server: RedisServer) {
    let instance = instance(server.url());
    for _ in 0..3 {
        let before = fill(&instance).await;
        server.command(&["FLUSHALL"]).await;
        everything_begins_anew(&instance, &before).await;
    }
}

async fn redis_is_killed_and_starts_empty(server: RedisServer) {
    let instance = instance(server.url());
    let before = fill(&instance).await;
    server.kill().await;
    server.start_again().await;
    everything_begins_anew(&instance, &before).await;
}

fn main() {
    macro_rules! trials {
        ($($name:ident),* $(,)?) => {
            vec![$(Trial::ignorable_test(concat!("redis::outage::", stringify!($name)), || test($name))),*]
        };
    }
    let trials = trials![
        nobody_listens,
        a_start_needs_no_redis,
        redis_is_silent,
        many_callers_of_a_silent_redis_are_all_told_soon,
        scripts_are_forgotten,
        everything_is_flushed,
        redis_is_killed_and_starts_empty,
    ];
    // Not side by side: what is measured is time.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit()
}

fn test<F: Future<Output = ()>>(scenario: fn(RedisServer) -> F) -> Result<Completion, Failed> {
    if let Some(service) = TestRedis::missing() {
        if std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1") {
            return Err(format!("REQUIRE_SERVICES=1, and no {service}: run it under with-services").into());
        }
        return Ok(Completion::ignored_with(format!("no {service} here")));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        scenario(RedisServer::start().await?).await;
        Ok(Completion::Completed)
    })
}
