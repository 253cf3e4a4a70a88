//! A till: orders that are paid later, payments, refunds, and what the payment gateway says.

use std::time::Duration;

use kernel::{Clock, ProductId, UserId};
use local::SystemClock;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use webhooks::WebhookKey;

use super::shop::NOTICE_SECRET;
use super::{Call, Shop};

/// Returns the member of a body that is an id.
#[track_caller]
pub(crate) fn id_in(body: &Value, member: &str) -> String {
    body[member].as_str().unwrap_or_else(|| panic!("no {member} in {body:#}")).to_owned()
}

/// Returns what pays by a card, with so many points beside it.
pub(crate) fn card(points: i64) -> Value {
    json!({"method": "CARD", "cardToken": "tok_ok", "usePoint": points})
}

impl Shop {
    /// Orders so many pieces of a product, to be paid later.
    pub(crate) fn order_later(&self, buyer: UserId, product: ProductId, qty: u32) -> Call {
        let items = json!([{"productId": product, "qty": qty}]);
        self.post("/orders").by(buyer).json(json!({"items": items, "payment": "LATER"}))
    }

    /// Places an order that waits for its payment, and returns its id.
    pub(crate) async fn waiting(&self, buyer: UserId, product: ProductId, qty: u32) -> String {
        id_in(&self.order_later(buyer, product, qty).await.is(201).json(), "orderId")
    }

    /// Pays an order; `with` has the members beside its id.
    pub(crate) fn pay(&self, buyer: UserId, order: &str, mut with: Value) -> Call {
        with["orderId"] = json!(order);
        self.post("/payments").by(buyer).json(with)
    }

    /// Pays an order that is answered with this status, and returns the id of the attempt.
    pub(crate) async fn paid(&self, buyer: UserId, order: &str, with: Value, status: u16) -> String {
        let answer = self.pay(buyer, order, with).await.is(status);
        let body: Value = serde_json::from_str(&answer.text).unwrap();
        id_in(&body, "paymentId")
    }

    /// Shows a payment to the administrator.
    pub(crate) async fn payment(&self, id: &str) -> Value {
        self.get(&format!("/payments/{id}")).by(self.admin).await.ok()
    }

    /// Returns the status of an order.
    pub(crate) async fn status_of(&self, order: &str) -> String {
        let shown = self.get(&format!("/orders/{order}")).by(self.admin).await.ok();
        id_in(&shown, "status")
    }

    /// Returns the statuses that an order went through, and who changed each.
    pub(crate) async fn history(&self, order: &str) -> Vec<(String, String)> {
        let shown = self.get(&format!("/orders/{order}/history")).by(self.admin).await.ok();
        let changes = shown["history"].as_array().unwrap().iter();
        changes.map(|change| (id_in(change, "status"), id_in(change, "changedBy"))).collect()
    }

    /// Lets the time to pay end for all orders that wait.
    pub(crate) async fn let_time_pass(&self) {
        let sql = "UPDATE orders SET expires_at = created_at WHERE status = 'PENDING'";
        self.database().execute(sql).await;
    }

    /// Asks for a refund, or for its preview (`refund:preview`).
    pub(crate) fn give_back(&self, caller: UserId, payment: &str, what: &str, body: Value) -> Call {
        self.post(&format!("/payments/{payment}/{what}")).by(caller).json(body)
    }

    /// Returns the kinds and amounts of a wallet's entries, the newest first, and the orders they are for.
    pub(crate) async fn ledger(&self, user: UserId) -> Vec<(String, f64, Value)> {
        let page = self.get("/wallets/ledger?size=100").by(user).await.ok();
        let entries = page["content"].as_array().unwrap().iter();
        let entry = |entry: &Value| {
            (id_in(entry, "kind"), entry["delta"].as_f64().unwrap(), entry["orderId"].clone())
        };
        entries.map(entry).collect()
    }

    /// Returns how many pieces of a product were sold in so many days. A ranking stays in the cache for a
    /// while: whoever looks again asks for other days.
    pub(crate) async fn sold(&self, product: ProductId, days: u32) -> u64 {
        let top = self.get(&format!("/stats/popular-products?days={days}&limit=50")).await.ok();
        let mut products = top["products"].as_array().unwrap().iter();
        let found = products.find(|seller| seller["productId"] == json!(product));
        found.map_or(0, |seller| seller["soldQty"].as_u64().unwrap())
    }

    /// Lets the gateway say what has become of a charge.
    pub(crate) fn notice(&self, id: &str, kind: &str, charge: &Value) -> Call {
        let at = kernel::seconds::format(SystemClock.now());
        let body = json!({"type": kind, "timestamp": at, "data": charge}).to_string();
        self.signed(id, Duration::ZERO, body)
    }

    /// Sends something to where notices arrive, signed so long ago.
    pub(crate) fn signed(&self, id: &str, ago: Duration, body: String) -> Call {
        let (at, signature) = sign(id, ago, &body);
        let call = self.call(Method::POST, "/api/v1/webhooks/payment-gateway").body(body);
        let call = call.header("webhook-id", id).header("webhook-timestamp", at);
        call.header("webhook-signature", signature)
    }
}

/// Returns the time and the signature of a message that the gateway sent so long ago.
pub(crate) fn sign(id: &str, ago: Duration, body: &str) -> (String, String) {
    let at = SystemClock.now() - ago;
    let key = WebhookKey::new(&SecretString::from(NOTICE_SECRET)).unwrap();
    (at.timestamp().to_string(), key.sign(id, at, body.as_bytes()).unwrap())
}

/// Returns a charge as the gateway writes it.
pub(crate) fn charge(key: &str, status: &str, amount: i64) -> Value {
    json!({"id": format!("charge-{key}"), "key": key, "status": status, "amount": amount})
}
