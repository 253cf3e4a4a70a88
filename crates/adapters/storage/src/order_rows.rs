//! Between the rows of orders and the aggregates.

use std::collections::HashMap;

use kernel::{OrderId, ProductId, StoreError, UserCouponId, UserId};
use order::{Actor, AppliedCoupon, Order, OrderLine, OrderState, OrderStatus, StatusChange};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::StorageError;
use crate::convert::Place;
use crate::entity::{order as row, order_item, order_status_history};
use crate::error::database;
use crate::id_lists::id_lists;

pub(crate) fn order_row(order: &Order) -> row::Model {
    row::Model {
        id: order.id.as_uuid(),
        user_id: order.user_id.as_uuid(),
        status: order.status.as_str().to_owned(),
        total: order.total.into(),
        discount: order.discount.into(),
        user_coupon_id: order.coupon.as_ref().map(|coupon| coupon.user_coupon_id.as_uuid()),
        coupon_code: order.coupon.as_ref().map(|coupon| coupon.code.as_bytes().to_vec()),
        paid: order.paid.into(),
        expires_at: order.expires_at,
        version: order.version.into(),
        created_at: order.created_at,
    }
}

pub(crate) fn item_rows(order: &Order) -> impl Iterator<Item = order_item::Model> {
    (1..).zip(&order.lines).map(|(line, item)| order_item::Model {
        order_id: order.id.as_uuid(),
        product_id: item.product_id.as_uuid(),
        line,
        name: item.name.clone(),
        unit_price: item.unit_price.into(),
        quantity: item.quantity.into(),
        subtotal: item.subtotal.into(),
        discount: item.discount.into(),
        refund_quantity: 0,
    })
}

pub(crate) fn history_row(change: &StatusChange) -> order_status_history::Model {
    order_status_history::Model {
        order_id: change.order_id.as_uuid(),
        sequence: change.sequence.into(),
        from_status: change.from.map(|status| status.as_str().to_owned()),
        to_status: change.to.as_str().to_owned(),
        changed_by: match change.changed_by {
            Actor::User(user) => Some(user.as_uuid()),
            Actor::System => None,
        },
        changed_at: change.changed_at,
    }
}

fn restore(row: &row::Model, mut items: Vec<order_item::Model>) -> Result<Order, StorageError> {
    let place = Place::new("orders", row.id);
    items.sort_by_key(|item| item.line);
    let state = OrderState {
        id: OrderId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        status: place.word("status", &row.status, OrderStatus::parse)?,
        lines: items.into_iter().map(OrderLine::try_from).collect::<Result<_, _>>()?,
        total: place.money("total", row.total)?,
        discount: place.money("discount", row.discount)?,
        coupon: applied_coupon(row, &place)?,
        paid: place.money("paid", row.paid)?,
        expires_at: row.expires_at,
        version: place.count("version", row.version)?,
        created_at: row.created_at,
    };
    Order::restore(state).map_err(|error| place.damaged("total", error))
}

fn applied_coupon(row: &row::Model, place: &Place) -> Result<Option<AppliedCoupon>, StorageError> {
    match (row.user_coupon_id, &row.coupon_code) {
        (None, None) => Ok(None),
        (Some(id), Some(code)) => {
            let code = std::str::from_utf8(code).map_err(|error| place.damaged("coupon_code", error))?;
            let user_coupon_id = UserCouponId::from_uuid(id);
            Ok(Some(AppliedCoupon { user_coupon_id, code: code.to_owned() }))
        }
        _ => Err(place.damaged("coupon_code", "a coupon has an id and a code")),
    }
}

impl TryFrom<order_item::Model> for OrderLine {
    type Error = StorageError;

    fn try_from(row: order_item::Model) -> Result<Self, StorageError> {
        let place = Place::new("order_items", format!("{}/{}", row.order_id, row.product_id));
        Ok(Self {
            product_id: ProductId::from_uuid(row.product_id),
            name: row.name,
            unit_price: place.money("unit_price", row.unit_price)?,
            quantity: place.count("quantity", row.quantity)?,
            subtotal: place.money("subtotal", row.subtotal)?,
            discount: place.money("discount", row.discount)?,
        })
    }
}

impl TryFrom<order_status_history::Model> for StatusChange {
    type Error = StorageError;

    fn try_from(row: order_status_history::Model) -> Result<Self, StorageError> {
        let place = Place::new("order_status_history", format!("{}/{}", row.order_id, row.sequence));
        let from =
            row.from_status.map(|from| place.word("from_status", &from, OrderStatus::parse)).transpose()?;
        Ok(Self {
            order_id: OrderId::from_uuid(row.order_id),
            sequence: place.count("sequence", row.sequence)?,
            from,
            to: place.word("to_status", &row.to_status, OrderStatus::parse)?,
            changed_by: row.changed_by.map_or(Actor::System, |user| Actor::User(UserId::from_uuid(user))),
            changed_at: row.changed_at,
        })
    }
}

/// Reads the lines of orders in one statement and puts each order together.
pub(crate) async fn with_lines(
    connection: &impl ConnectionTrait,
    rows: Vec<row::Model>,
) -> Result<Vec<Order>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines: HashMap<_, Vec<_>> = HashMap::new();
    for ids in id_lists(rows.iter().map(|row| row.id)) {
        let select = order_item::Entity::find().filter(order_item::Column::OrderId.is_in(ids));
        for item in select.all(connection).await.map_err(database)? {
            lines.entry(item.order_id).or_default().push(item);
        }
    }
    let orders = rows.into_iter().map(|row| {
        let items = lines.remove(&row.id).unwrap_or_default();
        restore(&row, items)
    });
    Ok(orders.collect::<Result<_, _>>()?)
}
