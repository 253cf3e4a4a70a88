//! The table: each operation, what to call it with, and what each caller gets.

use serde_json::{Value, json};

use super::estate::{Estate, Fresh, PASSWORD};
use crate::coupons::terms;

/// A row: an operation, called in one way, by each caller.
pub(crate) struct Row {
    /// As the document writes it.
    pub(crate) operation: &'static str,
    pub(crate) expected: Expected,
    /// What stands in the place of the parameter of the path.
    pub(crate) name: fn(&Estate) -> String,
    pub(crate) body: Option<fn(&Estate, &Fresh) -> Value>,
    /// Whether it is about whoever calls, so that nobody but the owner sees what the owner has.
    pub(crate) own: bool,
    /// Whether the body is signed by the payment gateway.
    pub(crate) signed: bool,
}

/// The status for each caller.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) nobody: u16,
    pub(crate) other: u16,
    pub(crate) owner: u16,
    pub(crate) admin: u16,
}

impl Row {
    /// Tells whether it changes nothing.
    pub(crate) fn reads(&self) -> bool {
        self.operation.starts_with("GET ")
    }

    fn of(mut self, name: fn(&Estate) -> String) -> Self {
        self.name = name;
        self
    }

    fn body(mut self, body: fn(&Estate, &Fresh) -> Value) -> Self {
        self.body = Some(body);
        self
    }

    fn own(mut self) -> Self {
        self.own = true;
        self
    }

    fn signed(mut self) -> Self {
        self.signed = true;
        self
    }
}

/// A row with the status for nobody, another user, the owner and an administrator.
fn row(operation: &'static str, [nobody, other, owner, admin]: [u16; 4]) -> Row {
    let expected = Expected { nobody, other, owner, admin };
    Row { operation, expected, name: |_| String::new(), body: None, own: false, signed: false }
}

fn user(estate: &Estate) -> String {
    estate.owner.to_string()
}

fn product(estate: &Estate) -> String {
    estate.product.to_string()
}

fn order(estate: &Estate) -> String {
    estate.order.clone()
}

fn pending(estate: &Estate) -> String {
    estate.pending.clone()
}

fn payment(estate: &Estate) -> String {
    estate.payment.clone()
}

fn charge(_: &Estate, _: &Fresh) -> Value {
    json!({"amount": 1_000})
}

fn token(_: &Estate, fresh: &Fresh) -> Value {
    json!({"refreshToken": fresh.refresh})
}

fn refund(_: &Estate, _: &Fresh) -> Value {
    json!({"reason": "too small"})
}

fn new_product(_: &Estate, fresh: &Fresh) -> Value {
    json!({"name": fresh.name, "price": 1_000, "stock": 1})
}

fn notice(_: &Estate, _: &Fresh) -> Value {
    json!({"type": "payout.made", "timestamp": "2026-01-01T00:00:00Z", "data": {}})
}

/// Returns all rows. An operation may have several.
pub(crate) fn table() -> Vec<Row> {
    [open(), administrators(), own(), owners()].into_iter().flatten().collect()
}

/// What everybody may do.
fn open() -> Vec<Row> {
    const ALL: [u16; 4] = [200; 4];
    vec![
        row("GET /actuator/health", ALL),
        row("GET /health/live", ALL),
        row("GET /health/ready", ALL),
        row("GET /metrics", ALL),
        row("GET /api/v1/coupons", ALL),
        row("GET /api/v1/coupons/{code}", ALL).of(|estate| estate.held.clone()),
        row("GET /api/v1/products", ALL),
        row("GET /api/v1/products/popular", ALL),
        row("GET /api/v1/products/popular/weekly", ALL),
        row("GET /api/v1/products/top", ALL),
        row("GET /api/v1/products/{id}", ALL).of(product),
        row("GET /api/v1/stats/popular-products", ALL),
        row("POST /api/v1/auth/login", ALL)
            .body(|estate, _| json!({"email": estate.email, "password": PASSWORD})),
        // Whoever has the token is its owner.
        row("POST /api/v1/auth/logout", [204; 4]).body(token),
        row("POST /api/v1/auth/refresh", ALL).body(token),
        row("POST /api/v1/users", [201; 4]).body(|_, fresh| {
            json!({"email": format!("{}@example.com", fresh.name), "name": "Lee", "password": PASSWORD})
        }),
        // The gateway is whoever signs, and nobody else, administrators included.
        row("POST /api/v1/webhooks/payment-gateway", [401; 4]).body(notice),
        row("POST /api/v1/webhooks/payment-gateway", [204; 4]).body(notice).signed(),
    ]
}

/// What is for administrators.
fn administrators() -> Vec<Row> {
    const READ: [u16; 4] = [401, 403, 403, 200];
    const MADE: [u16; 4] = [401, 403, 403, 201];
    vec![
        row("GET /api/v1/admin/audit", READ),
        row("GET /api/v1/admin/events", READ),
        row("GET /api/v1/admin/outbox", READ),
        row("POST /api/v1/admin/outbox/{id}/retry", [401, 403, 403, 202]).of(|estate| estate.event.clone()),
        row("POST /api/v1/admin/outbox:replay", READ)
            .body(|_, _| json!({"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})),
        row("POST /api/v1/coupons", MADE).body(|_, fresh| terms(&fresh.name, 1)),
        row("POST /api/v1/products", MADE).body(new_product),
        row("POST /api/v1/products:bulk", MADE)
            .body(|estate, fresh| json!({"products": [new_product(estate, fresh)]})),
        row("PATCH /api/v1/products/{id}", READ).of(product).body(|_, _| json!({"name": "better"})),
        row("POST /api/v1/products/{id}/stock", READ)
            .of(product)
            .body(|_, _| json!({"delta": 1, "reason": "delivery"})),
    ]
}

/// What is about whoever calls.
fn own() -> Vec<Row> {
    const READ: [u16; 4] = [401, 200, 200, 200];
    let wanted = |estate: &Estate| estate.wanted.to_string();
    vec![
        row("GET /api/v1/wallets", READ).own(),
        row("GET /api/v1/wallets/ledger", READ).own(),
        row("POST /api/v1/wallets/charge", READ).own().body(charge),
        row("GET /api/v1/cart", READ).own(),
        row("DELETE /api/v1/cart", READ).own(),
        row("PUT /api/v1/cart/items/{id}", READ).own().of(product).body(|_, _| json!({"qty": 3})),
        row("DELETE /api/v1/cart/items/{id}", READ).own().of(wanted),
        row("GET /api/v1/orders", READ).own(),
        row("POST /api/v1/orders", [401, 201, 201, 201]).own().body(
            |estate, _| json!({"items": [{"productId": estate.product, "qty": 1}], "payment": "LATER"}),
        ),
        // Another's cart and another's piece of a coupon cannot be ordered with, nor another's points.
        row("POST /api/v1/orders", [401, 400, 201, 400]).own().body(|_, _| json!({"fromCart": true})),
        row("POST /api/v1/orders", [401, 400, 201, 400]).own().body(|estate, _| {
            let items = json!([{"productId": estate.product, "qty": 1}]);
            json!({"items": items, "couponCode": estate.held, "payment": "LATER"})
        }),
        row("POST /api/v1/orders", [401, 409, 201, 409])
            .own()
            .body(|estate, _| json!({"items": [{"productId": estate.product, "qty": 1}]})),
        row("POST /api/v1/coupons/{code}/claim", READ).own().of(|estate| estate.free.clone()),
    ]
}

/// What is about something that has an owner: for another user it does not exist.
fn owners() -> Vec<Row> {
    const READ: [u16; 4] = [401, 404, 200, 200];
    const MADE: [u16; 4] = [401, 404, 201, 201];
    // Orders are paid by their buyers.
    const PAID: [u16; 4] = [401, 404, 201, 404];
    vec![
        row("GET /api/v1/orders/{id}", READ).of(order),
        row("GET /api/v1/orders/{id}/history", READ).of(order),
        row("GET /api/v1/orders/{id}/payments", READ).of(order),
        row("POST /api/v1/orders/{id}/cancel", READ).of(pending),
        row("POST /api/v1/payments", PAID)
            .body(|estate, _| json!({"orderId": estate.pending, "method": "POINT"})),
        row("POST /api/v1/payments", PAID)
            .body(|estate, _| json!({"orderId": estate.pending, "method": "CARD", "cardToken": "tok_ok"})),
        row("GET /api/v1/payments/{id}", READ).of(payment),
        row("GET /api/v1/payments/{id}/refunds", READ).of(payment),
        row("POST /api/v1/payments/{id}/refund", MADE).of(payment).body(refund),
        row("POST /api/v1/payments/{id}/refund:preview", READ).of(payment).body(refund),
        row("GET /api/v1/refunds/{id}", READ).of(|estate| estate.refund.clone()),
        row("GET /api/v1/users/{id}", READ).of(user),
        row("GET /api/v1/users/{id}/cart", READ).of(user),
        row("GET /api/v1/users/{id}/coupons", READ).of(user),
        row("GET /api/v1/users/{id}/payments", READ).of(user),
        row("GET /api/v1/users/{id}/points", READ).of(user),
        row("POST /api/v1/users/{id}/points/charge", READ).of(user).body(charge),
    ]
}
