//! What an owner has, for others to reach for.

use kernel::{ProductId, UserId};
use serde_json::{Value, json};

use crate::coupons::terms;
use crate::support::{NOBODY, Shop};

/// The password of every owner.
pub(crate) const PASSWORD: &str = "correct horse";

/// What an owner has: a wallet, a cart, a coupon, an order that is paid and refunded in part, and one that
/// waits for its payment.
pub(crate) struct Estate {
    pub(crate) owner: UserId,
    pub(crate) email: String,
    /// What the orders are of.
    pub(crate) product: ProductId,
    /// What is in the cart and nowhere else.
    pub(crate) wanted: ProductId,
    pub(crate) order: String,
    pub(crate) payment: String,
    pub(crate) refund: String,
    pub(crate) pending: String,
    /// The code of the coupon that the owner has a piece of.
    pub(crate) held: String,
    /// The code of a coupon that nobody has a piece of.
    pub(crate) free: String,
    /// An event that could not be delivered.
    pub(crate) event: String,
}

/// What a body needs that must be new for each call.
pub(crate) struct Fresh {
    /// A text that nothing else has.
    pub(crate) name: String,
    /// A refresh token of the owner.
    pub(crate) refresh: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Returns a text that nothing else has, and that can be part of a code or an address.
fn unique() -> String {
    kernel::IdGenerator::uuid(&local::SystemIds).simple().to_string()
}

impl Estate {
    /// Makes one; the shop believes `X-User-Id`.
    pub(crate) async fn found(shop: &Shop) -> Self {
        let email = format!("{}@example.com", unique());
        let user = json!({"email": email, "name": "Kim", "password": PASSWORD});
        let user = shop.post("/users").json(user).await.is(201).json();
        let owner = UserId::from_uuid(text(&user["userId"]).parse().unwrap());
        shop.charge(owner, "100000").await.is(200);
        let (product, wanted) = (shop.product(1_000, 100).await, shop.product(2_000, 100).await);
        let cart = shop.api(reqwest::Method::PUT, &format!("/cart/items/{wanted}")).by(owner);
        cart.json(json!({"qty": 2})).await.is(200);
        let (held, free) = (unique(), unique());
        for code in [&held, &free] {
            shop.create_coupon(terms(code, 10)).await.is(201);
        }
        shop.claim(&held, owner).await.is(200);
        let order = text(&shop.order(owner, product, 3).await.is(201).json()["orderId"]);
        let attempts = shop.get(&format!("/orders/{order}/payments")).by(owner).await.ok();
        let payment = text(&attempts["content"][0]["paymentId"]);
        let part = json!({"reason": "broken", "items": [{"productId": product, "qty": 1}]});
        let refund = shop.post(&format!("/payments/{payment}/refund")).by(owner).json(part).await;
        let refund = text(&refund.is(201).json()["refundId"]);
        let later = json!({"items": [{"productId": product, "qty": 1}], "payment": "LATER"});
        let pending = text(&shop.post("/orders").by(owner).json(later).await.is(201).json()["orderId"]);
        let fail = "UPDATE outbox SET status = 'DEAD', attempts = 10, next_attempt_at = NULL";
        shop.database().execute(fail).await;
        let event = text(&shop.get("/admin/events?size=1").by(shop.admin).await.ok()["content"][0]["id"]);
        Self { owner, email, product, wanted, order, payment, refund, pending, held, free, event }
    }

    /// Returns what a call needs that must be new for it; a refresh token only if it is asked for.
    pub(crate) async fn fresh(&self, shop: &Shop, signed_in: bool) -> Fresh {
        let mut refresh = String::new();
        if signed_in {
            let login = json!({"email": self.email, "password": PASSWORD});
            refresh = text(&shop.post("/auth/login").json(login).await.ok()["refreshToken"]);
        }
        Fresh { name: unique(), refresh }
    }

    /// Everything by which another user would know that an answer is about the owner.
    pub(crate) fn secrets(&self) -> [String; 9] {
        let (owner, wanted) = (self.owner.to_string(), self.wanted.to_string());
        let email = self.email.clone();
        let [order, payment, refund] = [&self.order, &self.payment, &self.refund].map(String::clone);
        // A coupon is everybody's, that somebody has a piece of it is not.
        [
            owner,
            email,
            wanted,
            order,
            payment,
            refund,
            self.pending.clone(),
            self.event.clone(),
            PASSWORD.into(),
        ]
    }

    /// Returns a text with the name of nothing in the place of the name of everything the owner has.
    pub(crate) fn anonymous(&self, text: &str) -> String {
        let owner = self.owner.to_string();
        let things = [&owner, &self.order, &self.payment, &self.refund, &self.pending];
        things.into_iter().fold(text.to_owned(), |text, thing| text.replace(thing.as_str(), NOBODY))
    }

    /// Returns all that the owner can see of what the owner has, and the shelves of the shop.
    pub(crate) async fn seen(&self, shop: &Shop) -> Vec<String> {
        let Self { owner, order, payment, refund, pending, .. } = self;
        let mut seen = Vec::new();
        for path in [
            format!("/users/{owner}"),
            format!("/users/{owner}/coupons"),
            format!("/users/{owner}/payments"),
            "/wallets/ledger".into(),
            "/wallets".into(),
            "/cart".into(),
            "/orders".into(),
            format!("/orders/{order}"),
            format!("/orders/{order}/history"),
            format!("/orders/{order}/payments"),
            format!("/orders/{pending}"),
            format!("/orders/{pending}/history"),
            format!("/orders/{pending}/payments"),
            format!("/payments/{payment}/refunds"),
            format!("/refunds/{refund}"),
        ] {
            seen.push(shop.get(&path).by(*owner).await.is(200).text);
        }
        seen
    }

    /// Returns what is in the shop, whoever did it.
    pub(crate) async fn shop_seen(&self, shop: &Shop) -> Vec<String> {
        let mut seen = vec![shop.stock(self.product).await.to_string()];
        for path in ["/products", "/coupons?size=100", "/admin/outbox?size=100"] {
            seen.push(shop.get(path).by(shop.admin).await.is(200).text);
        }
        seen
    }
}
