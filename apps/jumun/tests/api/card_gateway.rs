//! Cards on their whole way: from a request, through the real client, to a gateway that stands in for the
//! real one, and back by its answers, its notices and its answers to questions.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use jumun::stand_ins::data_platform::DataPlatform;
use jumun::stand_ins::payment_gateway::PaymentGateway;
use jumun::stand_ins::{self, StandIns};
use kernel::{ProductId, UserId};
use local::{SystemClock, SystemIds};
use payment_gateway::{PaymentGatewayClient, TimeLimits};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, eventually, scenarios};

use crate::support::{Client, NOTICE_SECRET, Setup, Shop, id_in};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![every_card_ends_in_what_the_gateway_knows]
}

/// A shop and a gateway that know of each other.
struct Street {
    shop: Shop,
    gateway: Client,
    server: ServerHandle,
    buyer: UserId,
    tea: ProductId,
}

impl Drop for Street {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Street {
    async fn open(database: Arc<TestDatabase>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        // Short enough to wait for `tok_timeout`, and long enough for a busy machine.
        let limits = TimeLimits { total: Duration::from_secs(2), ..TimeLimits::default() };
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(SystemIds));
        let client = PaymentGatewayClient::new(base.parse().unwrap(), limits, ids.clone()).unwrap();
        let setup = Setup { gateway: Some(Arc::new(client)), ..Setup::default() };
        let shop = Shop::open_with(database, setup).await;
        let secret = SecretString::from(NOTICE_SECRET);
        let notices = format!("http://{}/api/v1/webhooks/payment-gateway", shop.addr).parse().unwrap();
        let payment_gateway = PaymentGateway::new(&secret, Some(notices), clock.clone(), ids.clone());
        let stand_ins = StandIns {
            data_platform: DataPlatform::new(Some(&secret), clock, ids).unwrap(),
            payment_gateway: payment_gateway.unwrap(),
        };
        let server = stand_ins::start(listener, stand_ins).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let (buyer, tea) = (shop.buyer(100_000).await, shop.product(10_000, 20).await);
        Self { shop, gateway: Client::new(&base), server: handle, buyer, tea }
    }

    /// Pays an order of 10,000.00 with a card and 1,000 points, and returns the order and the attempt.
    async fn pay(&self, token: &str, status: u16) -> (String, String) {
        let order = self.shop.waiting(self.buyer, self.tea, 1).await;
        let with = json!({"method": "CARD", "cardToken": token, "usePoint": 1_000});
        let payment = self.shop.paid(self.buyer, &order, with, status).await;
        (order, payment)
    }

    /// Returns what the gateway knows of an attempt.
    async fn known(&self, payment: &str) -> Value {
        self.gateway.call(Method::GET, &format!("/v1/payments?key={payment}")).await.ok()
    }

    async fn assert_is(&self, (order, payment): &(String, String), expected: [&str; 3]) {
        let shown = self.shop.payment(payment).await;
        let order = self.shop.status_of(order).await;
        let code = shown["declineCode"].as_str().unwrap_or_default();
        assert_eq!([shown["status"].as_str().unwrap(), code, &order], expected, "{shown:#}");
    }
}

async fn every_card_ends_in_what_the_gateway_knows(database: Arc<TestDatabase>) {
    let street = Street::open(database).await;
    let (shop, buyer) = (&street.shop, street.buyer);
    let fine = street.pay("tok_ok", 201).await;
    street.assert_is(&fine, ["SUCCESS", "", "PAID"]).await;
    for (token, code) in [("tok_declined", "insufficient_funds"), ("tok_stolen", "invalid_card")] {
        let declined = street.pay(token, 402).await;
        street.assert_is(&declined, ["FAILED", code, "PENDING"]).await;
    }

    // Nobody asks: the notice alone settles it.
    let late = street.pay("tok_late", 202).await;
    street.assert_is(&late, ["PENDING", "", "PENDING"]).await;
    let path = format!("/payments/{}", late.1);
    let settled =
        || async { Some(shop.get(&path).by(buyer).await.ok()).filter(|it| it["status"] != "PENDING") };
    eventually("the gateway tells of the charge", settled).await;
    street.assert_is(&late, ["SUCCESS", "", "PAID"]).await;

    // Nobody tells: the questions alone settle them.
    let silent = street.pay("tok_timeout", 202).await;
    let failing = street.pay("tok_error", 202).await;
    for open in [&silent, &failing] {
        street.assert_is(open, ["PENDING", "", "PENDING"]).await;
    }
    shop.assert_audit_is_clean().await;
    let mut asked = 0;
    while asked < 2 {
        asked += shop.settlement.payments.run_once().await.unwrap();
    }
    street.assert_is(&silent, ["SUCCESS", "", "PAID"]).await;
    street.assert_is(&failing, ["FAILED", "processing_error", "PENDING"]).await;
    assert_eq!(shop.balance(buyer).await, "97000.00");
    shop.assert_audit_is_clean().await;

    for (_, payment) in [&fine, &late, &silent] {
        let known = street.known(payment).await;
        assert_eq!((&known["status"], &known["amount"]), (&json!("SUCCEEDED"), &json!(9_000.0)));
        let refund = shop.give_back(buyer, payment, "refund", json!({"reason": "x"})).await.is(201);
        assert_eq!(
            (refund.raw("pointAmount"), refund.raw("cardAmount")),
            ("1000.00".into(), "9000.00".into())
        );
        let path = format!("/v1/payments/{}/refunds", id_in(&known, "id"));
        let refunds = street.gateway.call(Method::GET, &path).await.ok();
        assert_eq!(refunds["content"].as_array().unwrap().len(), 1);
        assert_eq!(refunds["content"][0]["key"], refund.json()["refundId"]);
        assert_eq!(street.known(payment).await["refundedAmount"], 9_000.0);
    }
    assert_eq!((shop.balance(buyer).await, shop.stock(street.tea).await), ("100000.00".into(), 17));
    shop.assert_audit_is_clean().await;
}
