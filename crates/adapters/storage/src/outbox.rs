//! The outbox: appended to in the transaction of the effect, emptied by workers, seen by administrators.
//! See ADR-025.

use std::collections::HashSet;

use async_trait::async_trait;
use checkout::OutboxRepository;
use checkout::outbox::{
    OutboxAdmin, OutboxEntry, OutboxLevel, OutboxQueue, OutboxStatus, QueuedEvent, Replay, Settlement,
};
use guards::Guard;
use kernel::{CursorPage, DomainEvent, EventId, PageSize, StoreError, Timestamp};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Statement, UpdateMany,
};
use uuid::Uuid;

use crate::convert::Place;
use crate::entity::outbox as row;
use crate::error::{commit_failed, database};
use crate::row_set::padded;
use crate::{Database, StorageError, row_set};

/// The outbox inside a transaction.
pub(crate) struct Outbox<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl OutboxRepository for Outbox<'_> {
    async fn append(&mut self, events: &[DomainEvent]) -> Result<(), StoreError> {
        if !Guard::OutboxInTransaction.stands() {
            self.tx.execute_unprepared("COMMIT").await.map_err(database)?;
        }
        let rows: Vec<_> = events.iter().map(new_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)
    }
}

fn new_row(event: &DomainEvent) -> row::Model {
    row::Model {
        id: event.id.as_uuid(),
        event_type: event.event_type.clone(),
        aggregate_type: event.aggregate_type.clone(),
        aggregate_id: event.aggregate_id,
        sequence: event.sequence.into(),
        occurred_at: event.occurred_at,
        data: event.data.clone(),
        traceparent: event.trace.map(|trace| trace.to_string()),
        status: OutboxStatus::Pending.as_str().to_owned(),
        attempts: 0,
        next_attempt_at: Some(event.occurred_at),
        lease_owner: None,
        last_error: None,
        sent_at: None,
    }
}

impl TryFrom<row::Model> for OutboxEntry {
    type Error = StorageError;

    fn try_from(row: row::Model) -> Result<Self, StorageError> {
        let place = Place::new("outbox", row.id);
        let trace =
            row.traceparent.map(|text| text.parse().map_err(|error| place.damaged("traceparent", error)));
        let event = DomainEvent {
            id: EventId::from_uuid(row.id),
            event_type: row.event_type,
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            sequence: place.count("sequence", row.sequence)?,
            occurred_at: row.occurred_at,
            data: row.data,
            trace: trace.transpose()?,
        };
        Ok(Self {
            event,
            status: place.word("status", &row.status, OutboxStatus::parse)?,
            attempts: place.count("attempts", row.attempts)?,
            last_error: row.last_error,
            sent_at: row.sent_at,
        })
    }
}

/// Whether no earlier event of the aggregate of `e` waits.
const IS_NEXT: &str = "NOT EXISTS (\
     SELECT 1 FROM outbox b WHERE b.aggregate_id = e.aggregate_id AND b.sequence < e.sequence AND b.sent_at IS NULL)";

impl Database {
    /// Locks due events that nobody else has locked, each the next one of its aggregate.
    ///
    /// On MySQL a locking read sees what was committed while it ran, and the condition within it does not: of two
    /// events that came together in that moment the second seems to be the first. So the condition is asked
    /// again, by a statement that sees everything that is locked.
    async fn lock_due(
        &self,
        tx: &DatabaseTransaction,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<row::Model>, DbErr> {
        let lock = if self.has_row_locks() { "FOR UPDATE OF e SKIP LOCKED" } else { "" };
        let due = format!(
            "SELECT e.* FROM outbox e WHERE e.next_attempt_at <= ? AND {IS_NEXT} \
             ORDER BY e.next_attempt_at LIMIT ? {lock}"
        );
        let values = [now.into(), u64::from(limit).into()];
        let due = Statement::from_sql_and_values(self.backend, due, values);
        let mut rows = row::Entity::find().from_raw_sql(due).all(tx).await?;
        if rows.is_empty() || !self.has_row_locks() {
            return Ok(rows);
        }
        let ids = padded(rows.iter().map(|row| row.id));
        let places = vec!["?"; ids.len()].join(",");
        let next = format!("SELECT e.id FROM outbox e WHERE e.id IN ({places}) AND {IS_NEXT}");
        let next = Statement::from_sql_and_values(self.backend, next, ids.into_iter().map(Into::into));
        let next = tx.query_all_raw(next).await?;
        let next = next.iter().map(|row| row.try_get("", "id")).collect::<Result<HashSet<Uuid>, _>>()?;
        rows.retain(|row| next.contains(&row.id));
        Ok(rows)
    }
}

#[async_trait]
impl OutboxQueue for Database {
    async fn claim(
        &self,
        worker: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError> {
        let tx = self.begin_write().await.map_err(database)?;
        let rows = self.lock_due(&tx, now, limit).await.map_err(database)?;
        if rows.is_empty() {
            tx.rollback().await.map_err(database)?;
            return Ok(Vec::new());
        }
        // A lease is nothing but a later time at which the event is due again, and a name.
        row::Entity::update_many()
            .col_expr(row::Column::LeaseOwner, worker.into())
            .col_expr(row::Column::NextAttemptAt, lease_until.into())
            .filter(row::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&tx)
            .await
            .map_err(database)?;
        tx.commit().await.map_err(commit_failed)?;
        let queued = rows.into_iter().map(|row| {
            let entry = OutboxEntry::try_from(row)?;
            Ok(QueuedEvent { event: entry.event, attempts: entry.attempts })
        });
        Ok(queued.collect::<Result<_, StorageError>>()?)
    }

    async fn settle(
        &self,
        worker: Uuid,
        now: Timestamp,
        settled: &[(EventId, Settlement)],
    ) -> Result<(), StoreError> {
        let sent: Vec<Uuid> =
            settled.iter().filter(|(_, s)| *s == Settlement::Sent).map(|(id, _)| id.as_uuid()).collect();
        let tx = self.begin_write().await.map_err(database)?;
        if !sent.is_empty() {
            leased(worker, sent)
                .col_expr(row::Column::Status, OutboxStatus::Sent.as_str().into())
                .col_expr(row::Column::SentAt, now.into())
                .col_expr(row::Column::NextAttemptAt, None::<Timestamp>.into())
                .col_expr(row::Column::LastError, None::<String>.into())
                .exec(&tx)
                .await
                .map_err(database)?;
        }
        for (id, settlement) in settled {
            let (status, at, error) = match settlement {
                Settlement::Sent => continue,
                Settlement::Retry { at, error } => (OutboxStatus::Failed, Some(*at), error),
                Settlement::Dead { error } => (OutboxStatus::Dead, None, error),
            };
            let ours = leased(worker, [id.as_uuid()])
                .col_expr(row::Column::Status, status.as_str().into())
                .col_expr(row::Column::NextAttemptAt, at.into())
                .col_expr(row::Column::LastError, error.as_str().into())
                .exec(&tx)
                .await
                .map_err(database)?;
            if ours.rows_affected == 1 {
                hold_back(&tx, *id, at).await.map_err(database)?;
            }
        }
        tx.commit().await.map_err(commit_failed)
    }

    async fn level(&self) -> Result<OutboxLevel, StoreError> {
        let of = |status: OutboxStatus| row::Entity::find().filter(row::Column::Status.eq(status.as_str()));
        // Of the index alone, however many rows wait.
        let count = async |status| {
            let count = of(status).select_only().column_as(row::Column::Id.count(), "rows");
            let counted = count.into_tuple::<i64>().one(&self.reader).await.map_err(database)?;
            Ok::<_, StoreError>(counted.and_then(|rows| u64::try_from(rows).ok()).unwrap_or_default())
        };
        let waiting = count(OutboxStatus::Pending).await? + count(OutboxStatus::Failed).await?;
        let dead = count(OutboxStatus::Dead).await?;
        // Ids grow with time, so the first row of each status is its oldest.
        let mut oldest = None;
        for status in [OutboxStatus::Pending, OutboxStatus::Failed] {
            let first = of(status).order_by_asc(row::Column::Id).one(&self.reader).await.map_err(database)?;
            oldest = [oldest, first.map(|row| row.occurred_at)].into_iter().flatten().min();
        }
        Ok(OutboxLevel { waiting, dead, oldest })
    }
}

/// An update of events that are still leased to `worker`; it ends the lease and counts the attempt.
fn leased(worker: Uuid, ids: impl IntoIterator<Item = Uuid>) -> UpdateMany<row::Entity> {
    row::Entity::update_many()
        .col_expr(row::Column::LeaseOwner, None::<Uuid>.into())
        .col_expr(row::Column::Attempts, Expr::col(row::Column::Attempts).add(1))
        .filter(row::Column::LeaseOwner.eq(worker))
        .filter(row::Column::Id.is_in(ids))
}

/// Lets the later events of an aggregate wait as long as the one before them, so that workers do not
/// look at them in vain. Without a time they wait until that one is made due again.
async fn hold_back(
    tx: &DatabaseTransaction,
    id: EventId,
    until: Option<Timestamp>,
) -> Result<(), sea_orm::DbErr> {
    let Some(first) = row::Entity::find_by_id(id.as_uuid()).one(tx).await? else { return Ok(()) };
    row::Entity::update_many()
        .col_expr(row::Column::NextAttemptAt, until.into())
        .filter(later_than(&first))
        .exec(tx)
        .await?;
    Ok(())
}

fn later_than(first: &row::Model) -> Condition {
    Condition::all()
        .add(row::Column::AggregateId.eq(first.aggregate_id))
        .add(row::Column::Sequence.gt(first.sequence))
        .add(row::Column::Status.is_in([OutboxStatus::Pending.as_str(), OutboxStatus::Failed.as_str()]))
}

#[async_trait]
impl OutboxAdmin for Database {
    async fn list(
        &self,
        status: Option<OutboxStatus>,
        before: Option<EventId>,
        size: PageSize,
    ) -> Result<CursorPage<OutboxEntry, EventId>, StoreError> {
        let mut select = row::Entity::find();
        if let Some(status) = status {
            select = select.filter(row::Column::Status.eq(status.as_str()));
        }
        if let Some(id) = before {
            select = select.filter(row::Column::Id.lt(id.as_uuid()));
        }
        self.page(select.order_by_desc(row::Column::Id), size).await
    }

    async fn feed(
        &self,
        after: Option<EventId>,
        size: PageSize,
    ) -> Result<CursorPage<OutboxEntry, EventId>, StoreError> {
        let mut select = row::Entity::find();
        if let Some(id) = after {
            select = select.filter(row::Column::Id.gt(id.as_uuid()));
        }
        self.page(select.order_by_asc(row::Column::Id), size).await
    }

    async fn retry(&self, id: EventId, now: Timestamp) -> Result<bool, StoreError> {
        let tx = self.begin_write().await.map_err(database)?;
        let open = [OutboxStatus::Failed.as_str(), OutboxStatus::Dead.as_str()];
        let found = row::Entity::find_by_id(id.as_uuid())
            .filter(row::Column::Status.is_in(open))
            .lock_exclusive()
            .one(&tx)
            .await
            .map_err(database)?;
        let Some(first) = found else { return Ok(false) };
        row::Entity::update_many()
            .col_expr(row::Column::Status, OutboxStatus::Pending.as_str().into())
            .col_expr(row::Column::Attempts, 0.into())
            .col_expr(row::Column::NextAttemptAt, now.into())
            .col_expr(row::Column::LeaseOwner, None::<Uuid>.into())
            .filter(row::Column::Id.eq(first.id))
            .exec(&tx)
            .await
            .map_err(database)?;
        hold_back(&tx, id, Some(now)).await.map_err(database)?;
        tx.commit().await.map_err(commit_failed)?;
        Ok(true)
    }

    async fn count(&self, replay: &Replay) -> Result<u64, StoreError> {
        row::Entity::find().filter(sent_within(replay)).count(&self.reader).await.map_err(database)
    }

    async fn replay(&self, replay: &Replay, now: Timestamp) -> Result<u64, StoreError> {
        let replayed = row::Entity::update_many()
            .col_expr(row::Column::Status, OutboxStatus::Pending.as_str().into())
            .col_expr(row::Column::Attempts, 0.into())
            .col_expr(row::Column::NextAttemptAt, now.into())
            .col_expr(row::Column::SentAt, None::<Timestamp>.into())
            .filter(sent_within(replay))
            .exec(&self.writer)
            .await
            .map_err(database)?;
        Ok(replayed.rows_affected)
    }
}

fn sent_within(replay: &Replay) -> Condition {
    Condition::all()
        .add(row::Column::Status.eq(OutboxStatus::Sent.as_str()))
        .add(row::Column::OccurredAt.gte(replay.from))
        .add(row::Column::OccurredAt.lt(replay.to))
        .add_option(replay.event_type.as_ref().map(|event_type| row::Column::EventType.eq(event_type)))
}

impl Database {
    async fn page(
        &self,
        select: Select<row::Entity>,
        size: PageSize,
    ) -> Result<CursorPage<OutboxEntry, EventId>, StoreError> {
        let rows = select.limit(u64::from(size.get()) + 1).all(&self.reader).await.map_err(database)?;
        let entries = rows.into_iter().map(OutboxEntry::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(CursorPage::from_overfetched(entries, size, |entry| entry.event.id))
    }
}
