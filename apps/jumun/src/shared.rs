//! What instances share: on Redis, or in process where there is one instance only (ADR-022).

use std::sync::Arc;

use async_trait::async_trait;
use coordination::{Cache, DistributedLock};
use coupon::{CouponGate, GateTiming};
use local::{LocalCache, LocalGate, LocalLock, LocalViews, SystemIds};
use ranking::ViewCounter;
use redis_adapter::{Redis, RedisCache, RedisGate, RedisLock, RedisViews, SetupError};

use crate::http::Readiness;
use crate::settings::Settings;

/// The ports whose state all instances share.
#[derive(Clone)]
pub struct Shared {
    /// Locks that save work.
    pub locks: Arc<dyn DistributedLock>,
    /// What was computed already.
    pub cache: Arc<dyn Cache>,
    /// What turns the losers of a coupon away.
    pub gate: Arc<dyn CouponGate>,
    /// How often products were looked at.
    pub views: Arc<dyn ViewCounter>,
    redis: Option<Redis>,
}

impl Shared {
    /// Takes the Redis that the settings name, or what this process has where they name none. Whether
    /// Redis answers is not asked.
    ///
    /// # Errors
    /// When its address cannot be used.
    pub fn of(settings: &Settings) -> Result<Self, SetupError> {
        match &settings.redis_url {
            Some(url) => Ok(Self::on_redis(Redis::new(url.expose(), "", Arc::new(SystemIds))?)),
            None => Ok(Self::in_process()),
        }
    }

    /// Shares with all instances on a Redis.
    pub fn on_redis(redis: Redis) -> Self {
        Self {
            locks: Arc::new(RedisLock::new(redis.clone())),
            cache: Arc::new(RedisCache::new(redis.clone())),
            gate: Arc::new(RedisGate::new(redis.clone(), GateTiming::default())),
            views: Arc::new(RedisViews::new(redis.clone())),
            redis: Some(redis),
        }
    }

    /// Shares with the tasks of this process: for one instance.
    pub fn in_process() -> Self {
        Self {
            locks: Arc::new(LocalLock::new()),
            cache: Arc::new(LocalCache::new()),
            gate: Arc::new(LocalGate::new(GateTiming::default())),
            views: Arc::new(LocalViews::new()),
            redis: None,
        }
    }

    /// Returns the dependency that is asked for a sign of life, if there is one.
    pub(crate) fn readiness(&self) -> Option<Arc<dyn Readiness>> {
        self.redis.clone().map(|redis| Arc::new(RedisReadiness(redis)) as _)
    }
}

struct RedisReadiness(Redis);

#[async_trait]
impl Readiness for RedisReadiness {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn is_required(&self) -> bool {
        false
    }

    async fn is_ready(&self) -> bool {
        self.0.ping().await.is_ok()
    }
}
