//! Idempotency keys.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use checkout::{Claim, CompletedRequest, IdempotencyRepository, KeyJanitor, KeyedRequest, Reply, Resource};
use guards::Guard;
use kernel::{StoreError, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryTrait,
};

use crate::convert::Place;
use crate::entity::idempotency_key as row;
use crate::error::{database, is_locked};
use crate::purge::purge;
use crate::row_set::{self, Change};
use crate::{Database, StorageError};

/// Idempotency keys inside a transaction.
pub(crate) struct Keys<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
    pub(crate) lifetime: Duration,
}

#[async_trait]
impl IdempotencyRepository for Keys<'_> {
    async fn claim(&mut self, requests: &[KeyedRequest], now: Timestamp) -> Result<Vec<Claim>, StoreError> {
        if !Guard::IdempotencyRow.stands() {
            return Ok(vec![Claim::New; requests.len()]);
        }
        let mut found = self.find(requests).await?;
        let mut claims = Vec::with_capacity(requests.len());
        let mut new = Vec::new();
        let mut expired = Vec::new();
        for (request, found) in requests.iter().zip(&mut found) {
            let claim = match found.take() {
                Found::Locked => Claim::InProgress,
                Found::Row(row) if row.expires_at > now => answered(request, *row, now)?,
                Found::Row(_) => {
                    expired.push(request.clone());
                    Claim::New
                }
                Found::Nothing => Claim::New,
            };
            if claim == Claim::New {
                new.push(self.new_row(request, now));
            }
            claims.push(claim);
        }
        self.release(&expired).await?;
        // A twin that claimed in the same moment makes this wait until it ends, and then fail.
        row_set::insert(self.tx, &new).await.map_err(database)?;
        Ok(claims)
    }

    async fn complete(&mut self, requests: &[CompletedRequest]) -> Result<(), StoreError> {
        if !Guard::IdempotencyRow.stands() {
            return Ok(());
        }
        let changes: Vec<Change> = requests
            .iter()
            .map(|CompletedRequest { request, reply, held_until }| Change {
                was: vec![request.caller.as_uuid().into(), request.key.as_str().as_bytes().to_vec().into()],
                becomes: vec![
                    i64::from(reply.status).into(),
                    reply.body.as_str().into(),
                    reply.resource.map(Resource::kind).into(),
                    reply.resource.map(Resource::id).into(),
                    (*held_until).into(),
                ],
            })
            .collect();
        let key = [row::Column::CallerId, row::Column::IdempotencyKey];
        let columns = [
            row::Column::Status,
            row::Column::Body,
            row::Column::ResourceType,
            row::Column::ResourceId,
            row::Column::HeldUntil,
        ];
        Ok(row_set::change::<row::Entity>(self.tx, &key, &columns, &changes).await?)
    }

    async fn release(&mut self, requests: &[KeyedRequest]) -> Result<(), StoreError> {
        for some in requests.chunks(row_set::NAMED_A_STATEMENT) {
            row::Entity::delete_many().filter(any_of(some)).exec(self.tx).await.map_err(database)?;
        }
        Ok(())
    }
}

/// What there is under a key.
enum Found {
    Nothing,
    Row(Box<row::Model>),
    Locked,
}

impl Found {
    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Nothing)
    }
}

impl Keys<'_> {
    /// Looks keys up without waiting. A row that another transaction has inserted and not committed is
    /// locked; one that was committed can be shared by any number of readers.
    async fn find(&self, requests: &[KeyedRequest]) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::with_capacity(requests.len());
        for some in requests.chunks(row_set::NAMED_A_STATEMENT) {
            found.append(&mut self.find_some(some).await?);
        }
        Ok(found)
    }

    async fn find_some(&self, requests: &[KeyedRequest]) -> Result<Vec<Found>, StoreError> {
        match self.read(requests).await {
            Ok(rows) => {
                let mut rows: HashMap<_, _> =
                    rows.into_iter().map(|row| ((row.caller_id, row.idempotency_key.clone()), row)).collect();
                let find = |request: &KeyedRequest| {
                    let key = (request.caller.as_uuid(), request.key.as_str().as_bytes().to_vec());
                    rows.remove(&key).map_or(Found::Nothing, |row| Found::Row(Box::new(row)))
                };
                Ok(requests.iter().map(find).collect())
            }
            Err(error) if !is_locked(&error) => Err(database(error)),
            // The statement alone was undone, the transaction goes on.
            Err(_) if requests.len() == 1 => Ok(vec![Found::Locked]),
            Err(_) => {
                let mut found = Vec::with_capacity(requests.len());
                for request in requests {
                    found.push(match self.read(std::slice::from_ref(request)).await {
                        Ok(mut rows) => rows.pop().map_or(Found::Nothing, |row| Found::Row(Box::new(row))),
                        Err(error) if is_locked(&error) => Found::Locked,
                        Err(error) => return Err(database(error)),
                    });
                }
                Ok(found)
            }
        }
    }

    async fn read(&self, requests: &[KeyedRequest]) -> Result<Vec<row::Model>, sea_orm::DbErr> {
        let backend = self.tx.get_database_backend();
        let mut select = row::Entity::find().filter(any_of(requests)).build(backend);
        if backend == DatabaseBackend::MySql {
            // The query builder only knows the older LOCK IN SHARE MODE, which cannot refuse to wait.
            select.sql.push_str(" FOR SHARE NOWAIT");
        }
        row::Entity::find().from_raw_sql(select).all(self.tx).await
    }

    fn new_row(&self, request: &KeyedRequest, now: Timestamp) -> row::Model {
        row::Model {
            caller_id: request.caller.as_uuid(),
            idempotency_key: request.key.as_str().as_bytes().to_vec(),
            fingerprint: request.fingerprint.to_vec(),
            status: None,
            body: None,
            resource_type: None,
            resource_id: None,
            created_at: now,
            expires_at: now + self.lifetime,
            held_until: None,
        }
    }
}

fn answered(request: &KeyedRequest, row: row::Model, now: Timestamp) -> Result<Claim, StorageError> {
    if row.fingerprint != request.fingerprint {
        return Ok(Claim::OtherRequest);
    }
    if row.held_until.is_some_and(|until| until > now) {
        return Ok(Claim::InProgress);
    }
    let place = Place::new("idempotency_keys", format!("{}/{}", request.caller, request.key));
    let status = row.status.ok_or_else(|| place.damaged("status", "missing"))?;
    let reply = Reply {
        status: u16::try_from(status).map_err(|error| place.damaged("status", error))?,
        body: row.body.ok_or_else(|| place.damaged("body", "missing"))?,
        resource: match (row.resource_type, row.resource_id) {
            (Some(kind), Some(id)) => {
                Some(place.word("resource_type", &kind, |kind| Resource::of(kind, id))?)
            }
            _ => None,
        },
    };
    Ok(Claim::Done(reply))
}

fn is(request: &KeyedRequest) -> Condition {
    Condition::all()
        .add(row::Column::CallerId.eq(request.caller.as_uuid()))
        .add(row::Column::IdempotencyKey.eq(request.key.as_str().as_bytes()))
}

fn any_of(requests: &[KeyedRequest]) -> Condition {
    requests.iter().fold(Condition::any(), |any, request| any.add(is(request)))
}

#[async_trait]
impl KeyJanitor for Database {
    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        // A key that was claimed anew in between is not expired any more.
        purge::<row::Entity>(self, row::Column::ExpiresAt, now).await
    }
}
