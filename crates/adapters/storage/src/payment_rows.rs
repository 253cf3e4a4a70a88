//! Between the rows of payments and the aggregates.

use kernel::{OrderId, PaymentId, StoreError, UserId};
use payment::{FailureReason, Payment, PaymentState, PaymentStatus};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::StorageError;
use crate::convert::Place;
use crate::entity::payment as row;
use crate::error::database;

/// A payment as it is stored. Nobody asks what became of it while whoever began it may be at work.
pub(crate) fn payment_row(payment: &Payment) -> row::Model {
    let pending = payment.status == PaymentStatus::Pending;
    row::Model {
        id: payment.id.as_uuid(),
        order_id: payment.order_id.as_uuid(),
        user_id: payment.user_id.as_uuid(),
        status: payment.status.as_str().to_owned(),
        point_amount: payment.point_amount.into(),
        card_amount: payment.card_amount.into(),
        created_at: payment.created_at,
        charge_id: payment.charge_id.as_ref().map(|id| id.as_bytes().to_vec()),
        failure: payment.failure.map(|failure| failure.as_str().to_owned()),
        decline_code: payment.decline_code.clone(),
        settled_at: payment.settled_at,
        check_after: pending.then(|| payment.created_at + Payment::PATIENCE),
        checks: 0,
        point_refunds: Decimal::ZERO,
        card_refunds: Decimal::ZERO,
    }
}

impl TryFrom<row::Model> for Payment {
    type Error = StorageError;

    fn try_from(row: row::Model) -> Result<Self, StorageError> {
        let place = Place::new("payments", row.id);
        let charge_id = row.charge_id.map(String::from_utf8).transpose();
        let state = PaymentState {
            id: PaymentId::from_uuid(row.id),
            order_id: OrderId::from_uuid(row.order_id),
            user_id: UserId::from_uuid(row.user_id),
            status: place.word("status", &row.status, PaymentStatus::parse)?,
            point_amount: place.money("point_amount", row.point_amount)?,
            card_amount: place.money("card_amount", row.card_amount)?,
            charge_id: charge_id.map_err(|error| place.damaged("charge_id", error))?,
            failure: row
                .failure
                .map(|failure| place.word("failure", &failure, FailureReason::parse))
                .transpose()?,
            decline_code: row.decline_code,
            created_at: row.created_at,
            settled_at: row.settled_at,
        };
        Self::restore(state).map_err(|error| place.damaged("status", error))
    }
}

/// Returns the attempts at paying an order, the oldest first.
pub(crate) async fn attempts_of<C: ConnectionTrait>(
    db: &C,
    order: OrderId,
) -> Result<Vec<Payment>, StoreError> {
    let rows = row::Entity::find()
        .filter(row::Column::OrderId.eq(order.as_uuid()))
        .order_by_asc(row::Column::CreatedAt)
        .order_by_asc(row::Column::Id)
        .all(db)
        .await
        .map_err(database)?;
    Ok(rows.into_iter().map(Payment::try_from).collect::<Result<_, _>>()?)
}
