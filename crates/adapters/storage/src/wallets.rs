//! Wallets and their ledger.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use kernel::{CursorPage, OrderId, PageSize, PaymentId, RefundId, StoreError, UserId};
use point::{PointCause, PointEntry, PointKind, Wallet, WalletReader, WalletRepository};
use sea_orm::prelude::Decimal;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::convert::Place;
use crate::entity::{point_ledger, wallet as row};
use crate::error::database;
use crate::row_set::{self, Change};
use crate::{Database, StorageError};

impl TryFrom<row::Model> for Wallet {
    type Error = StorageError;

    fn try_from(row: row::Model) -> Result<Self, StorageError> {
        let place = Place::new("wallets", row.user_id);
        let balance = place.money("balance", row.balance)?;
        let version = place.count("version", row.version)?;
        Self::restore(UserId::from_uuid(row.user_id), balance, version)
            .map_err(|error| place.damaged("balance", error))
    }
}

impl TryFrom<point_ledger::Model> for PointEntry {
    type Error = StorageError;

    fn try_from(row: point_ledger::Model) -> Result<Self, StorageError> {
        let place = Place::new("point_ledger", format!("{}/{}", row.user_id, row.sequence));
        Ok(Self {
            user_id: UserId::from_uuid(row.user_id),
            sequence: place.count("sequence", row.sequence)?,
            cause: cause(&row, &place)?,
            delta: place.money("delta", row.delta)?,
            balance_before: place.money("balance_before", row.balance_before)?,
            balance_after: place.money("balance_after", row.balance_after)?,
            created_at: row.created_at,
        })
    }
}

fn cause(row: &point_ledger::Model, place: &Place) -> Result<PointCause, StorageError> {
    let kind = place.word("kind", &row.kind, PointKind::parse)?;
    let order = row.order_id.map(OrderId::from_uuid);
    let payment = row.payment_id.map(PaymentId::from_uuid);
    let refund = row.refund_id.map(RefundId::from_uuid);
    match (kind, order, payment, refund) {
        (PointKind::Charge, None, None, None) => Ok(PointCause::Charged),
        (PointKind::Payment, Some(order), Some(payment), None) => Ok(PointCause::Paid { order, payment }),
        (PointKind::Refund, Some(order), Some(payment), None) => Ok(PointCause::Released { order, payment }),
        (PointKind::Refund, Some(order), None, Some(refund)) => Ok(PointCause::Refunded { order, refund }),
        _ => Err(place.damaged("kind", format!("{:?} does not fit what it belongs to", row.kind))),
    }
}

/// Wallets inside a transaction.
pub(crate) struct Wallets<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl WalletRepository for Wallets<'_> {
    async fn read(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Wallet>, StoreError> {
        self.select(users, None).await
    }

    async fn lock(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Wallet>, StoreError> {
        self.select(users, Some(LockType::Update)).await
    }

    async fn record(&mut self, entries: &[PointEntry]) -> Result<(), StoreError> {
        let mut spans: BTreeMap<UserId, (&PointEntry, &PointEntry)> = BTreeMap::new();
        for entry in entries {
            spans.entry(entry.user_id).or_insert((entry, entry)).1 = entry;
        }
        let (opened, moved): (Vec<_>, Vec<_>) = spans.values().partition(|(first, _)| first.sequence == 1);
        // ADR-020: the entries apply only to the very balance that they were decided on.
        let changes: Vec<Change> = moved
            .into_iter()
            .map(|(first, last)| Change {
                was: vec![first.user_id.as_uuid().into(), (i64::from(first.sequence) - 1).into()],
                becomes: vec![
                    Decimal::from(last.balance_after).into(),
                    i64::from(last.sequence).into(),
                    last.created_at.into(),
                ],
            })
            .collect();
        let columns = [row::Column::Balance, row::Column::Version, row::Column::UpdatedAt];
        let guard = [row::Column::UserId, row::Column::Version];
        row_set::change::<row::Entity>(self.tx, &guard, &columns, &changes).await?;
        let new: Vec<_> = opened.into_iter().map(|(_, last)| wallet_row(last)).collect();
        row_set::insert(self.tx, &new).await.map_err(database)?;
        let ledger: Vec<_> = entries.iter().map(ledger_row).collect();
        row_set::insert(self.tx, &ledger).await.map_err(database)
    }
}

impl Wallets<'_> {
    async fn select(
        &self,
        users: &BTreeSet<UserId>,
        lock: Option<LockType>,
    ) -> Result<Vec<Wallet>, StoreError> {
        let ids = users.iter().map(|user| user.as_uuid());
        let rows = row_set::select::<row::Entity>(self.tx, row::Column::UserId, ids, lock).await;
        let mut found: BTreeMap<UserId, Wallet> = BTreeMap::new();
        for row in rows.map_err(database)? {
            let wallet = Wallet::try_from(row)?;
            found.insert(wallet.user_id(), wallet);
        }
        Ok(users.iter().map(|user| found.remove(user).unwrap_or_else(|| Wallet::empty(*user))).collect())
    }
}

/// A wallet as an entry leaves it.
fn wallet_row(entry: &PointEntry) -> row::Model {
    row::Model {
        user_id: entry.user_id.as_uuid(),
        balance: entry.balance_after.into(),
        version: entry.sequence.into(),
        updated_at: entry.created_at,
    }
}

fn ledger_row(entry: &PointEntry) -> point_ledger::Model {
    let (payment_id, refund_id) = match entry.cause {
        PointCause::Charged => (None, None),
        PointCause::Paid { payment, .. } | PointCause::Released { payment, .. } => {
            (Some(payment.as_uuid()), None)
        }
        PointCause::Refunded { refund, .. } => (None, Some(refund.as_uuid())),
    };
    point_ledger::Model {
        user_id: entry.user_id.as_uuid(),
        sequence: entry.sequence.into(),
        kind: entry.cause.kind().as_str().to_owned(),
        delta: entry.delta.into(),
        balance_before: entry.balance_before.into(),
        balance_after: entry.balance_after.into(),
        order_id: entry.cause.order_id().map(OrderId::as_uuid),
        payment_id,
        refund_id,
        created_at: entry.created_at,
    }
}

#[async_trait]
impl WalletReader for Database {
    async fn wallet(&self, user: UserId) -> Result<Wallet, StoreError> {
        let row = row::Entity::find_by_id(user.as_uuid()).one(&self.reader).await.map_err(database)?;
        Ok(row.map(Wallet::try_from).transpose()?.unwrap_or_else(|| Wallet::empty(user)))
    }

    async fn ledger(
        &self,
        user: UserId,
        before: Option<u32>,
        size: PageSize,
    ) -> Result<CursorPage<PointEntry, u32>, StoreError> {
        let mut select = point_ledger::Entity::find().filter(point_ledger::Column::UserId.eq(user.as_uuid()));
        if let Some(sequence) = before {
            select = select.filter(point_ledger::Column::Sequence.lt(i64::from(sequence)));
        }
        let rows = select
            .order_by_desc(point_ledger::Column::Sequence)
            .limit(u64::from(size.get()) + 1)
            .all(&self.reader)
            .await
            .map_err(database)?;
        let entries = rows.into_iter().map(PointEntry::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(CursorPage::from_overfetched(entries, size, |entry| entry.sequence))
    }
}
