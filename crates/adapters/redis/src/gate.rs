//! The gate in front of coupons, on Redis.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use coordination::{Coalescer, Sharing};
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

/// KEYS: meta, holders, pending. ARGV: hold and probe in µs, users. Returns an answer for each user, in
/// their order: as if they had asked one after the other.
static ADMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local answers = {}
        local meta = redis.call('HMGET', KEYS[1], 'q', 'p')
        if not meta[1] then
            for i = 3, #ARGV do answers[i - 2] = 'not ready' end
            return answers
        end
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
        local quantity, probe = tonumber(meta[1]), tonumber(meta[2])
        local taken = redis.call('SCARD', KEYS[2]) + redis.call('ZCARD', KEYS[3])
        local admits = false
        for i = 3, #ARGV do
            local answer
            if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 1 then
                answer = 'ask'
            elseif taken >= quantity and not redis.call('ZSCORE', KEYS[3], ARGV[i]) then
                answer = 'sold out'
                if now >= probe then
                    answer, probe = 'ask', now + tonumber(ARGV[2])
                    redis.call('HSET', KEYS[1], 'p', string.format('%.0f', probe))
                end
            else
                answer, admits = 'admitted', true
                local hold = string.format('%.0f', now + tonumber(ARGV[1]))
                taken = taken + redis.call('ZADD', KEYS[3], hold, ARGV[i])
            end
            answers[i - 2] = answer
        end
        if admits then redis.call('PEXPIRE', KEYS[3], redis.call('PTTL', KEYS[1])) end
        return answers
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

/// Gates for the claims of all instances on one Redis. Claims of one coupon that come at the same moment
/// are one call (ADR-041).
#[derive(Clone)]
pub struct RedisGate {
    gates: Gates,
    admissions: Coalescer<CouponId, UserId, Arc<HashMap<UserId, Admission>>>,
}

#[derive(Clone)]
struct Gates {
    redis: Redis,
    timing: GateTiming,
}

impl RedisGate {
    /// How many users one call asks for at most: others must not wait long for the script.
    const ADMISSIONS: Sharing = Sharing { name: "gate", questions: 200 };

    /// Puts the gates on a Redis. What callers share is asked on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(redis: Redis, timing: GateTiming) -> Self {
        let gates = Gates { redis, timing };
        let asked = gates.clone();
        let admissions = Coalescer::new(Self::ADMISSIONS, move |coupon, users: Vec<UserId>| {
            let gates = asked.clone();
            async move { gates.admit(coupon, users).await.map(Arc::new) }
        });
        Self { gates, admissions }
    }
}

impl Gates {
    fn on<'a>(&self, coupon: CouponId, script: &'a Script) -> ScriptInvocation<'a> {
        let keys = self.redis.keys().gate(coupon);
        let mut invocation = script.prepare_invoke();
        invocation.key(keys.meta).key(keys.holders).key(keys.pending);
        invocation
    }

    /// Asks for several users. They are served in the order in which they came; who comes twice
    /// has one answer, for it is the same place.
    async fn admit(
        &self,
        coupon: CouponId,
        users: Vec<UserId>,
    ) -> Result<HashMap<UserId, Admission>, StoreError> {
        let mut seen = HashSet::with_capacity(users.len());
        let users: Vec<UserId> = users.into_iter().filter(|user| seen.insert(*user)).collect();
        let mut script = self.on(coupon, &ADMIT);
        script.arg(microseconds(self.timing.hold)).arg(microseconds(self.timing.probe));
        for user in &users {
            script.arg(user.to_string());
        }
        let answers: Vec<String> = self.redis.run("gate_admit", Effect::Question, &script).await?;
        if answers.len() != users.len() {
            return Err(Failure::Answer(answers.join(", ")).into_store_error(Effect::Question));
        }
        let answers = users.into_iter().zip(answers).map(|(user, answer)| match answer.as_str() {
            "admitted" => Ok((user, Admission::Admitted)),
            "ask" => Ok((user, Admission::Ask)),
            "sold out" => Ok((user, Admission::SoldOut)),
            "not ready" => Ok((user, Admission::NotReady)),
            _ => Err(Failure::Answer(answer).into_store_error(Effect::Question)),
        });
        answers.collect()
    }
}

#[async_trait]
impl CouponGate for RedisGate {
    async fn admit(&self, coupon: CouponId, user: UserId) -> Result<Admission, StoreError> {
        let answers = self.admissions.ask(coupon, user).await?;
        let answer = answers.get(&user).copied();
        answer.ok_or_else(|| StoreError::Internal("the gate has not answered for a user".into()))
    }

    async fn confirm(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError> {
        let mut script = self.gates.on(coupon, &CONFIRM);
        script.arg(user.to_string());
        self.gates.redis.run("gate_confirm", Effect::Change, &script).await
    }

    async fn release(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError> {
        let mut script = self.gates.on(coupon, &RELEASE);
        script.arg(user.to_string());
        self.gates.redis.run("gate_release", Effect::Change, &script).await
    }

    async fn begin(&self, coupon: CouponId, fence: u64) -> Result<bool, StoreError> {
        let mut script = self.gates.on(coupon, &BEGIN);
        script.arg(fence).arg(milliseconds(LIFETIME));
        self.gates.redis.run("gate_begin", Effect::Change, &script).await
    }

    async fn open(
        &self,
        coupon: CouponId,
        fence: u64,
        quantity: u32,
        holders: &[UserId],
    ) -> Result<bool, StoreError> {
        for chunk in holders.chunks(CHUNK) {
            let mut script = self.gates.on(coupon, &ADD_HOLDERS);
            script.arg(fence);
            for holder in chunk {
                script.arg(holder.to_string());
            }
            if !self.gates.redis.run("gate_add_holders", Effect::Change, &script).await? {
                return Ok(false);
            }
        }
        let mut script = self.gates.on(coupon, &OPEN);
        script
            .arg(fence)
            .arg(quantity)
            .arg(microseconds(self.gates.timing.probe))
            .arg(milliseconds(LIFETIME));
        self.gates.redis.run("gate_open", Effect::Change, &script).await
    }

    async fn forget(&self, coupon: CouponId) -> Result<(), StoreError> {
        let script = self.gates.on(coupon, &FORGET);
        self.gates.redis.run("gate_forget", Effect::Change, &script).await
    }
}
