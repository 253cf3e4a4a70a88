//! Locks on Redis.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use coordination::{DistributedLock, Grant, LockName};
use kernel::StoreError;
use redis::Script;

use crate::Redis;
use crate::connect::{hex, milliseconds};
use crate::error::Effect;

/// The last fence is remembered for a day after it was given; later ones follow the time anyway.
const FENCE_LIFETIME: Duration = Duration::from_hours(24);

/// KEYS: lease, fence. ARGV: owner, lease in ms, lifetime of the fence in ms.
static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[1]) == 1 then return false end
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local last = tonumber(redis.call('GET', KEYS[2])) or 0
        local fence = string.format('%.0f', math.max(last + 1, now))
        redis.call('SET', KEYS[2], fence, 'PX', ARGV[3])
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return fence
        ",
    )
});

/// KEYS: lease. ARGV: owner, lease in ms.
static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('PEXPIRE', KEYS[1], ARGV[2])
        ",
    )
});

/// KEYS: lease. ARGV: owner.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        return redis.call('DEL', KEYS[1])
        ",
    )
});

/// Locks for all instances on one Redis.
#[derive(Clone)]
pub struct RedisLock {
    redis: Redis,
}

impl RedisLock {
    /// Puts the locks on a Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

#[async_trait]
impl DistributedLock for RedisLock {
    async fn acquire(&self, name: &LockName, lease: Duration) -> Result<Option<Grant>, StoreError> {
        let keys = self.redis.keys().lock(name);
        let owner = self.redis.random_owner();
        let mut script = ACQUIRE.prepare_invoke();
        script.key(keys.lease).key(keys.fence);
        script.arg(hex(owner)).arg(milliseconds(lease)).arg(milliseconds(FENCE_LIFETIME));
        // An answer that is lost leaves a lease behind that nobody knows of, and that runs out.
        let fence: Option<u64> = self.redis.run("lock_acquire", Effect::Question, &script).await?;
        Ok(fence.map(|fence| Grant { name: name.clone(), owner, fence }))
    }

    async fn renew(&self, grant: &Grant, lease: Duration) -> Result<bool, StoreError> {
        let mut script = RENEW.prepare_invoke();
        script.key(self.redis.keys().lock(&grant.name).lease).arg(hex(grant.owner)).arg(milliseconds(lease));
        self.redis.run("lock_renew", Effect::Change, &script).await
    }

    async fn release(&self, grant: &Grant) -> Result<bool, StoreError> {
        let mut script = RELEASE.prepare_invoke();
        script.key(self.redis.keys().lock(&grant.name).lease).arg(hex(grant.owner));
        self.redis.run("lock_release", Effect::Change, &script).await
    }
}
