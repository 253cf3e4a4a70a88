//! What others are told of an order.

use kernel::{EventPayload, Money, OrderId, PaymentId, ProductId, UserId};
use serde::Serialize;

use crate::{Order, OrderLine};

/// An order was placed and its stock taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
    /// The sum of its lines.
    pub total_amount: Money,
    /// What is taken off.
    pub discount_amount: Money,
    /// The code of the coupon that takes it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon_code: Option<String>,
    /// Its lines.
    pub items: Vec<OrderedLine>,
}

/// A line of a placed order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderedLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name at the time of the order.
    pub name: String,
    /// Its price at the time of the order.
    pub unit_price: Money,
    /// How many pieces.
    pub qty: u32,
    /// Price times pieces.
    pub subtotal: Money,
    /// What is taken off this line.
    pub discount: Money,
}

/// An order was paid in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPaid {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
    /// The payment that settled it.
    pub payment_id: PaymentId,
    /// What was paid.
    pub paid_amount: Money,
}

/// An order was given up before it was paid; its stock is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCancelled {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
}

/// An order was not paid in time; its stock is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderExpired {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
}

impl OrderPlaced {
    /// Tells of an order as it is.
    pub fn of(order: &Order) -> Self {
        Self {
            order_id: order.id,
            user_id: order.user_id,
            total_amount: order.total,
            discount_amount: order.discount,
            coupon_code: order.coupon.as_ref().map(|coupon| coupon.code.clone()),
            items: order.lines.iter().map(OrderedLine::of).collect(),
        }
    }
}

impl OrderedLine {
    fn of(line: &OrderLine) -> Self {
        Self {
            product_id: line.product_id,
            name: line.name.clone(),
            unit_price: line.unit_price,
            qty: line.quantity,
            subtotal: line.subtotal,
            discount: line.discount,
        }
    }
}

impl OrderPaid {
    /// Tells that `payment` settled the order.
    pub fn of(order: &Order, payment: PaymentId) -> Self {
        Self { order_id: order.id, user_id: order.user_id, payment_id: payment, paid_amount: order.paid }
    }
}

impl OrderCancelled {
    /// Tells of an order as it is.
    pub fn of(order: &Order) -> Self {
        Self { order_id: order.id, user_id: order.user_id }
    }
}

impl OrderExpired {
    /// Tells of an order as it is.
    pub fn of(order: &Order) -> Self {
        Self { order_id: order.id, user_id: order.user_id }
    }
}

impl EventPayload for OrderPlaced {
    const AGGREGATE: &'static str = "order";
    const TYPE: &'static str = "OrderPlaced";
}

impl EventPayload for OrderPaid {
    const AGGREGATE: &'static str = "order";
    const TYPE: &'static str = "OrderPaid";
}

impl EventPayload for OrderCancelled {
    const AGGREGATE: &'static str = "order";
    const TYPE: &'static str = "OrderCancelled";
}

impl EventPayload for OrderExpired {
    const AGGREGATE: &'static str = "order";
    const TYPE: &'static str = "OrderExpired";
}
