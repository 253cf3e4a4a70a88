//! Between the rows of refunds and the aggregates.

use std::collections::HashMap;

use kernel::{OrderId, PaymentId, ProductId, RefundId, StoreError, UserId};
use payment::Payment;
use refund::{Refund, RefundItem, RefundReason, RefundState, RefundStatus};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::StorageError;
use crate::convert::Place;
use crate::entity::{refund as row, refund_item};
use crate::error::database;

/// A refund as it is stored. Nobody repeats it while whoever began it may be at work; money that came too
/// late, which nobody asked for, is due at once.
pub(crate) fn refund_row(refund: &Refund) -> row::Model {
    let patience = if refund.is_reversal() { std::time::Duration::ZERO } else { Payment::PATIENCE };
    let pending = refund.status == RefundStatus::Pending;
    row::Model {
        id: refund.id.as_uuid(),
        payment_id: refund.payment_id.as_uuid(),
        order_id: refund.order_id.as_uuid(),
        user_id: refund.user_id.as_uuid(),
        status: refund.status.as_str().to_owned(),
        reason: refund.reason.as_str().to_owned(),
        point_amount: refund.point_amount.into(),
        card_amount: refund.card_amount.into(),
        requested_by: refund.requested_by.map(UserId::as_uuid),
        created_at: refund.created_at,
        settled_at: refund.settled_at,
        retry_after: pending.then(|| refund.created_at + patience),
        attempts: 0,
    }
}

pub(crate) fn item_rows(refund: &Refund) -> impl Iterator<Item = refund_item::Model> {
    (1..).zip(&refund.items).map(|(line, item)| refund_item::Model {
        refund_id: refund.id.as_uuid(),
        product_id: item.product_id.as_uuid(),
        line,
        quantity: item.quantity.into(),
        amount: item.amount.into(),
    })
}

/// Reads the items of refunds in one statement and puts each refund together.
pub(crate) async fn with_items(
    connection: &impl ConnectionTrait,
    rows: Vec<row::Model>,
) -> Result<Vec<Refund>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|row| row.id);
    let found = refund_item::Entity::find()
        .filter(refund_item::Column::RefundId.is_in(ids))
        .all(connection)
        .await
        .map_err(database)?;
    let mut items: HashMap<_, Vec<_>> = HashMap::new();
    for item in found {
        items.entry(item.refund_id).or_default().push(item);
    }
    let refunds = rows.iter().map(|row| {
        let items = items.remove(&row.id).unwrap_or_default();
        restore(row, items)
    });
    Ok(refunds.collect::<Result<_, _>>()?)
}

fn restore(row: &row::Model, mut items: Vec<refund_item::Model>) -> Result<Refund, StorageError> {
    let place = Place::new("refunds", row.id);
    items.sort_by_key(|item| item.line);
    let state = RefundState {
        id: RefundId::from_uuid(row.id),
        payment_id: PaymentId::from_uuid(row.payment_id),
        order_id: OrderId::from_uuid(row.order_id),
        user_id: UserId::from_uuid(row.user_id),
        status: place.word("status", &row.status, RefundStatus::parse)?,
        reason: RefundReason::new(&row.reason).map_err(|error| place.damaged("reason", error))?,
        items: items.into_iter().map(RefundItem::try_from).collect::<Result<_, _>>()?,
        point_amount: place.money("point_amount", row.point_amount)?,
        card_amount: place.money("card_amount", row.card_amount)?,
        requested_by: row.requested_by.map(UserId::from_uuid),
        created_at: row.created_at,
        settled_at: row.settled_at,
    };
    Refund::restore(state).map_err(|error| place.damaged("status", error))
}

impl TryFrom<refund_item::Model> for RefundItem {
    type Error = StorageError;

    fn try_from(row: refund_item::Model) -> Result<Self, StorageError> {
        let place = Place::new("refund_items", format!("{}/{}", row.refund_id, row.product_id));
        Ok(Self {
            product_id: ProductId::from_uuid(row.product_id),
            quantity: place.count("quantity", row.quantity)?,
            amount: place.money("amount", row.amount)?,
        })
    }
}
