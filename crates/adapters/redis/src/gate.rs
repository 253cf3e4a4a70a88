//! The gate in front of coupons, on Redis.

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use coupon::{Admission, CouponGate, GateTiming};
use kernel::{CouponId, StoreError, UserId};
use redis::{Script, ScriptInvocation};

use crate::Redis;
use crate::connect::{microseconds, milliseconds};
use crate::error::{Effect, Failure};

// The meta hash: `f` the fence of the builder, `q` the quantity once it is open, `p` the time of the next
// probe in µs. Without it there is no gate, and whatever the other keys hold is thrown away by the next
// builder. All three keys end at the same time.

/// So long after it was begun or opened a gate is thrown away.
const LIFETIME: Duration = Duration::from_hours(24);

/// How many holders are sent at a time: more would make the others wait, and Lua passes on some thousands
/// of values at most.
const CHUNK: usize = 1_000;

/// KEYS: meta, holders, pending. ARGV: user, hold and probe in µs.
static ADMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local meta = redis.call('HMGET', KEYS[1], 'q', 'p')
        if not meta[1] then return 'not ready' end
        if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 'ask' end
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
        if not redis.call('ZSCORE', KEYS[3], ARGV[1])
            and redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3]) >= tonumber(meta[1]) then
            if now < tonumber(meta[2]) then return 'sold out' end
            redis.call('HSET', KEYS[1], 'p', string.format('%.0f', now + tonumber(ARGV[3])))
            return 'ask'
        end
        redis.call('ZADD', KEYS[3], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
        redis.call('PEXPIRE', KEYS[3], redis.call('PTTL', KEYS[1]))
        return 'admitted'
        ",
    )
});

/// KEYS: meta, holders, pending. ARGV: user.
static CONFIRM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
        redis.call('ZREM', KEYS[3], ARGV[1])
        redis.call('SADD', KEYS[2], ARGV[1])
        redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
        return 1
        ",
    )
});

/// KEYS: meta, holders, pending. ARGV: user.
static RELEASE: LazyLock<Script> =
    LazyLock::new(|| Script::new("return redis.call('ZREM', KEYS[3], ARGV[1])"));

/// KEYS: meta, holders, pending. ARGV: fence, lifetime in ms.
static BEGIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local fence = tonumber(redis.call('HGET', KEYS[1], 'f'))
        if fence and fence > tonumber(ARGV[1]) then return 0 end
        redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
        redis.call('HSET', KEYS[1], 'f', ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 1
        ",
    )
});

/// KEYS: meta, holders, pending. ARGV: fence, holders.
static ADD_HOLDERS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[1], 'f') ~= ARGV[1] then return 0 end
        redis.call('SADD', KEYS[2], unpack(ARGV, 2))
        redis.call('ZREM', KEYS[3], unpack(ARGV, 2))
        redis.call('PEXPIRE', KEYS[2], redis.call('PTTL', KEYS[1]))
        return 1
        ",
    )
});

/// KEYS: meta, holders, pending. ARGV: fence, quantity, probe in µs, lifetime in ms. The first probe is
/// due one interval after the opening: the database has just been asked.
static OPEN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[1], 'f') ~= ARGV[1] then return 0 end
        local time = redis.call('TIME')
        local probe = time[1] * 1000000 + time[2] + tonumber(ARGV[3])
        redis.call('HSET', KEYS[1], 'q', ARGV[2], 'p', string.format('%.0f', probe))
        for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[4]) end
        return 1
        ",
    )
});

/// KEYS: meta, holders, pending.
static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new("return redis.call('DEL', unpack(KEYS))"));

/// Gates for the claims of all instances on one Redis.
#[derive(Clone)]
pub struct RedisGate {
    redis: Redis,
    timing: GateTiming,
}

impl RedisGate {
    /// Puts the gates on a Redis.
    pub fn new(redis: Redis, timing: GateTiming) -> Self {
        Self { redis, timing }
    }

    fn on<'a>(&self, coupon: CouponId, script: &'a Script) -> ScriptInvocation<'a> {
        let keys = self.redis.keys().gate(coupon);
        let mut invocation = script.prepare_invoke();
        invocation.key(keys.meta).key(keys.holders).key(keys.pending);
        invocation
    }
}

#[async_trait]
impl CouponGate for RedisGate {
    async fn admit(&self, coupon: CouponId, user: UserId) -> Result<Admission, StoreError> {
        let mut script = self.on(coupon, &ADMIT);
        script.arg(user.to_string()).arg(microseconds(self.timing.hold)).arg(microseconds(self.timing.probe));
        let answer: String = self.redis.run("gate_admit", Effect::Question, &script).await?;
        match answer.as_str() {
            "admitted" => Ok(Admission::Admitted),
            "ask" => Ok(Admission::Ask),
            "sold out" => Ok(Admission::SoldOut),
            "not ready" => Ok(Admission::NotReady),
            _ => Err(Failure::Answer(answer).into_store_error(Effect::Question)),
        }
    }

    async fn confirm(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError> {
        let mut script = self.on(coupon, &CONFIRM);
        script.arg(user.to_string());
        self.redis.run("gate_confirm", Effect::Change, &script).await
    }

    async fn release(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError> {
        let mut script = self.on(coupon, &RELEASE);
        script.arg(user.to_string());
        self.redis.run("gate_release", Effect::Change, &script).await
    }

    async fn begin(&self, coupon: CouponId, fence: u64) -> Result<bool, StoreError> {
        let mut script = self.on(coupon, &BEGIN);
        script.arg(fence).arg(milliseconds(LIFETIME));
        self.redis.run("gate_begin", Effect::Change, &script).await
    }

    async fn open(
        &self,
        coupon: CouponId,
        fence: u64,
        quantity: u32,
        holders: &[UserId],
    ) -> Result<bool, StoreError> {
        for chunk in holders.chunks(CHUNK) {
            let mut script = self.on(coupon, &ADD_HOLDERS);
            script.arg(fence);
            for holder in chunk {
                script.arg(holder.to_string());
            }
            if !self.redis.run("gate_add_holders", Effect::Change, &script).await? {
                return Ok(false);
            }
        }
        let mut script = self.on(coupon, &OPEN);
        script.arg(fence).arg(quantity).arg(microseconds(self.timing.probe)).arg(milliseconds(LIFETIME));
        self.redis.run("gate_open", Effect::Change, &script).await
    }

    async fn forget(&self, coupon: CouponId) -> Result<(), StoreError> {
        let script = self.on(coupon, &FORGET);
        self.redis.run("gate_forget", Effect::Change, &script).await
    }
}
