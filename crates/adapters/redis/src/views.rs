//! A counter of views on Redis.

use std::sync::LazyLock;

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{ProductId, StoreError};
use ranking::{DailyViews, ViewBatch, ViewBatchId, ViewCounter};
use redis::Script;
use uuid::Uuid;

use crate::Redis;
use crate::error::{Effect, Failure};

/// The field of a batch that holds its id; the others are `day/product`.
const ID: &str = "id";

/// KEYS: counting. ARGV: field, count, field, count and so on.
static ADD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for i = 1, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
        return 1
        ",
    )
});

/// KEYS: counting, batch. ARGV: the id of a new batch.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('EXISTS', KEYS[2]) == 0 then
            if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
            redis.call('RENAME', KEYS[1], KEYS[2])
            redis.call('HSET', KEYS[2], 'id', ARGV[1])
        end
        return redis.call('HGETALL', KEYS[2])
        ",
    )
});

/// KEYS: batch. ARGV: id.
static CONFIRM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
        return redis.call('UNLINK', KEYS[1])
        ",
    )
});

/// Counts the views that all instances on one Redis see.
#[derive(Clone)]
pub struct RedisViews {
    redis: Redis,
}

impl RedisViews {
    /// Puts the counter on a Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }
}

#[async_trait]
impl ViewCounter for RedisViews {
    async fn add(&self, views: &[DailyViews]) -> Result<(), StoreError> {
        if views.is_empty() {
            return Ok(());
        }
        let mut script = ADD.prepare_invoke();
        script.key(self.redis.keys().views().counting);
        for view in views {
            script.arg(format!("{}/{}", view.day, view.product_id)).arg(view.count);
        }
        self.redis.run("views_add", Effect::Change, &script).await
    }

    async fn take(&self) -> Result<Option<ViewBatch>, StoreError> {
        let keys = self.redis.keys().views();
        let mut script = TAKE.prepare_invoke();
        script.key(keys.counting).key(keys.batch).arg(self.redis.ids().uuid().to_string());
        let fields: Vec<(String, String)> = self.redis.run("views_take", Effect::Question, &script).await?;
        read(&fields)
    }

    async fn confirm(&self, batch: ViewBatchId) -> Result<(), StoreError> {
        let mut script = CONFIRM.prepare_invoke();
        script.key(self.redis.keys().views().batch).arg(batch.to_string());
        self.redis.run("views_confirm", Effect::Change, &script).await
    }
}

/// Reads a batch. A field that cannot be read is left out and with the batch forgotten: it would stop
/// all counting for ever.
fn read(fields: &[(String, String)]) -> Result<Option<ViewBatch>, StoreError> {
    if fields.is_empty() {
        return Ok(None);
    }
    let (mut id, mut views) = (None, Vec::with_capacity(fields.len()));
    for (field, value) in fields {
        if field == ID {
            id = value.parse().ok().map(ViewBatchId::from_uuid);
        } else if let Some(view) = read_view(field, value) {
            views.push(view);
        } else {
            tracing::warn!(field, "a count of views cannot be read and is left out");
        }
    }
    let id = id.ok_or_else(|| {
        Failure::Answer("a batch of views without an id".into()).into_store_error(Effect::Question)
    })?;
    views.sort_unstable();
    Ok(Some(ViewBatch { id, views }))
}

fn read_view(field: &str, value: &str) -> Option<DailyViews> {
    let (day, product) = field.split_once('/')?;
    let count = value.parse::<i64>().ok().filter(|count| *count > 0)?;
    Some(DailyViews {
        day: day.parse::<NaiveDate>().ok()?,
        product_id: ProductId::from_uuid(product.parse::<Uuid>().ok()?),
        count: u32::try_from(count).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_damaged_count_is_left_out_and_the_others_are_read() {
        let id = Uuid::from_u128(7);
        let fields = [
            field("2026-07-02/00000000-0000-0000-0000-000000000001", "3"),
            field("2026-07-01/00000000-0000-0000-0000-000000000001", "99999999999"),
            field("2026-07-01/x", "3"),
            field("yesterday", "3"),
            field("2026-07-01/00000000-0000-0000-0000-000000000002", "-3"),
            field("id", &id.to_string()),
        ];
        let batch = read(&fields).unwrap().unwrap();
        assert_eq!(batch.id, ViewBatchId::from_uuid(id));
        let counts: Vec<_> = batch.views.iter().map(|views| views.count).collect();
        assert_eq!(counts, [u32::MAX, 3]);
        assert!(matches!(read(&fields[..1]), Err(StoreError::Internal(_))));
    }
}
