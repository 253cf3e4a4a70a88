//! A cache on Redis.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use coordination::{Cache, CacheKey, Freshness, Lookup, Turn};
use kernel::StoreError;
use redis::Script;

use crate::Redis;
use crate::connect::{hex, microseconds};
use crate::error::{Effect, Failure};

// An entry is a hash: `g` the generation of its group when it was begun, `v` the value, `f` and `s` until
// when it is fresh and stale, `o` who has the turn, `d` until when. Times are in µs.

/// KEYS: generation, entry. ARGV: owner, lease in µs. Returns what was found, and the value, whether the
/// owner has the turn now, and the generation.
///
/// An owner is remembered for ten leases, unless another one comes: a late value is better than none.
static LOOK_UP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local generation = redis.call('GET', KEYS[1])
        if not generation then
            generation = string.format('%.0f', now)
            redis.call('SET', KEYS[1], generation)
        end
        local entry = redis.call('HMGET', KEYS[2], 'g', 'f', 's', 'd')
        if entry[1] ~= generation then
            redis.call('DEL', KEYS[2])
            entry = {}
        end
        if entry[2] and now < tonumber(entry[2]) then
            return {'fresh', redis.call('HGET', KEYS[2], 'v'), 0, generation}
        end
        local found, value, stale = 'missing', '', tonumber(entry[3] or 0)
        if now < stale then
            found, value = 'stale', redis.call('HGET', KEYS[2], 'v')
        end
        if entry[4] and now < tonumber(entry[4]) then return {found, value, 0, generation} end
        local turn = now + tonumber(ARGV[2])
        redis.call('HSET', KEYS[2], 'g', generation, 'o', ARGV[1], 'd', string.format('%.0f', turn))
        local finish = math.max(stale, now + 10 * tonumber(ARGV[2]))
        redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', math.ceil(finish / 1000)))
        return {found, value, 1, generation}
        ",
    )
});

/// KEYS: generation, entry. ARGV: generation of the turn, owner, value, fresh and stale in µs.
static PUT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        local entry = redis.call('HMGET', KEYS[2], 'g', 'o')
        if entry[1] ~= ARGV[1] or entry[2] ~= ARGV[2] then return 0 end
        local time = redis.call('TIME')
        local fresh = time[1] * 1000000 + time[2] + tonumber(ARGV[4])
        local stale = fresh + tonumber(ARGV[5])
        redis.call('HSET', KEYS[2], 'v', ARGV[3],
            'f', string.format('%.0f', fresh), 's', string.format('%.0f', stale))
        redis.call('HDEL', KEYS[2], 'o', 'd')
        redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', math.ceil(stale / 1000)))
        return 1
        ",
    )
});

/// KEYS: entry. ARGV: owner.
static GIVE_UP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[1], 'o') ~= ARGV[1] then return 0 end
        return redis.call('HDEL', KEYS[1], 'o', 'd')
        ",
    )
});

/// KEYS: generation. The entries of older ones are seen by nobody and run out.
static DROP_GROUP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local last = tonumber(redis.call('GET', KEYS[1])) or 0
        redis.call('SET', KEYS[1], string.format('%.0f', math.max(last + 1, now)))
        return 1
        ",
    )
});

/// A cache for all instances on one Redis.
#[derive(Clone)]
pub struct RedisCache {
    redis: Redis,
}

impl RedisCache {
    /// Puts the cache on a Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn look_up(&self, key: &CacheKey, lease: Duration) -> Result<Lookup, StoreError> {
        let keys = self.redis.keys().cache(key);
        let owner = self.redis.random_owner();
        let mut script = LOOK_UP.prepare_invoke();
        script.key(keys.generation).key(keys.entry).arg(hex(owner)).arg(microseconds(lease));
        let (found, value, has_turn, generation): (String, Vec<u8>, bool, u64) =
            self.redis.run("cache_look_up", Effect::Question, &script).await?;
        let turn = has_turn.then(|| Turn { key: key.clone(), generation, owner });
        match found.as_str() {
            "fresh" => Ok(Lookup::Fresh(value)),
            "stale" => Ok(Lookup::Stale { value, turn }),
            "missing" => Ok(Lookup::Missing { turn }),
            _ => Err(Failure::Answer(found).into_store_error(Effect::Question)),
        }
    }

    async fn put(&self, turn: &Turn, value: &[u8], freshness: Freshness) -> Result<(), StoreError> {
        let keys = self.redis.keys().cache(&turn.key);
        let mut script = PUT.prepare_invoke();
        script.key(keys.generation).key(keys.entry);
        script.arg(turn.generation).arg(hex(turn.owner)).arg(value);
        script.arg(microseconds(freshness.fresh)).arg(microseconds(freshness.stale));
        self.redis.run("cache_put", Effect::Change, &script).await
    }

    async fn give_up(&self, turn: &Turn) -> Result<(), StoreError> {
        let mut script = GIVE_UP.prepare_invoke();
        script.key(self.redis.keys().cache(&turn.key).entry).arg(hex(turn.owner));
        self.redis.run("cache_give_up", Effect::Change, &script).await
    }

    async fn drop_group(&self, group: &'static str) -> Result<(), StoreError> {
        let mut script = DROP_GROUP.prepare_invoke();
        script.key(self.redis.keys().generation(group));
        self.redis.run("cache_drop_group", Effect::Change, &script).await
    }
}
