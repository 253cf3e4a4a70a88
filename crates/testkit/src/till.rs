//! A shop with a till: orders that are paid later, by card or with points, and given back.

use std::sync::Arc;

use checkout::{
    Answer, IdempotencyKey, KeyedRequest, PayOrder, PaymentDesk, PaymentResolver, PaymentTerms, RefundDesk,
    RefundPayment, RefundResolver, Reply, Resource, UseCaseError,
};
use kernel::{IdGenerator, Money, OrderId, PaymentId, ProductId, RefundId, UserId};
use local::SystemIds;
use order::{Order, OrderReader, OrderStatus};
use payment::{CardToken, GatewayCharge, GatewayNotice, Payment, PaymentReader, PaymentStatus, Tender};
use refund::{Refund, RefundReader, RefundReason, RefundRequest, RefundStatus};
use storage::Database;

use crate::fixtures::{Shop, checkout_on, no_reply, order};
use crate::{ScriptedGateway, TestDatabase};

/// A shop with everything that takes and returns money.
pub struct Till {
    /// The shop.
    pub shop: Shop,
    /// The gateway.
    pub gateway: Arc<ScriptedGateway>,
    /// Takes payments.
    pub desk: PaymentDesk,
    /// Finds out what became of them.
    pub resolver: PaymentResolver,
    /// Gives payments back.
    pub refunds: RefundDesk,
    /// Sees refunds through.
    pub refund_resolver: RefundResolver,
}

impl Till {
    /// Opens a shop with a till.
    pub fn open(database: Arc<TestDatabase>) -> Self {
        let shop = Shop::open(database);
        let pool = shop.database.database.clone();
        Self::on(pool, shop, Arc::new(ScriptedGateway::default()))
    }

    /// Opens the till of another instance of the application, which has a pool of its own.
    #[must_use]
    pub fn beside(&self, pool: Database) -> Self {
        let Shop { database, clock, .. } = &self.shop;
        let checkout = checkout_on(Arc::new(pool.clone()), clock.clone());
        let shop = Shop { database: database.clone(), checkout, clock: clock.clone() };
        Self::on(pool, shop, self.gateway.clone())
    }

    fn on(pool: Database, shop: Shop, gateway: Arc<ScriptedGateway>) -> Self {
        let (store, checkout) = (Arc::new(pool), shop.checkout.clone());
        Self {
            desk: PaymentDesk::new(checkout.clone(), gateway.clone(), store.clone()),
            resolver: PaymentResolver::new(checkout.clone(), gateway.clone(), store.clone()),
            refunds: RefundDesk::new(checkout.clone(), gateway.clone(), store.clone()),
            refund_resolver: RefundResolver::new(
                checkout,
                gateway.clone(),
                store.clone(),
                store.clone(),
                store,
            ),
            shop,
            gateway,
        }
    }

    /// Places an order that waits for its payment.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn place(&self, user: UserId, items: &[(ProductId, u32)]) -> OrderId {
        let mut placed = order(user, items);
        placed.command.terms = PaymentTerms::Later;
        let id = placed.command.order_id;
        self.shop.checkout.place_order(placed, |_| Ok(no_reply())).await.expect("the order is placed");
        id
    }

    /// Pays an order by card, with so many won in points beside it. The reply's status is 201, 202, 402 or
    /// 409 as the attempt succeeded, is pending, was declined or came too late.
    ///
    /// # Errors
    /// Why there was no attempt.
    ///
    /// # Panics
    /// Never: the token can be.
    pub async fn pay_by_card(
        &self,
        order_id: OrderId,
        user_id: UserId,
        points: i64,
        key: Option<&str>,
    ) -> Result<Answer, UseCaseError> {
        let token = CardToken::new("tok_ok").expect("a token");
        let tender = Tender::Card { token, points: Money::won(points) };
        self.pay(order_id, user_id, tender, key).await
    }

    /// Pays an order.
    ///
    /// # Errors
    /// Why there was no attempt.
    pub async fn pay(
        &self,
        order_id: OrderId,
        user_id: UserId,
        tender: Tender,
        key: Option<&str>,
    ) -> Result<Answer, UseCaseError> {
        let payment_id = PaymentId::from_uuid(SystemIds.uuid());
        let pay = PayOrder { payment_id, order_id, user_id, tender, trace: None };
        let body = order_id.to_string();
        let request = key.map(|key| keyed(user_id, key, &body));
        self.desk.pay(pay, request, Arc::new(|payment| Ok(told(payment)))).await
    }

    /// Lets the gateway say what it knows of a payment.
    ///
    /// # Errors
    /// Why that cannot be.
    pub async fn hear(
        &self,
        id: &str,
        payment_id: PaymentId,
        charge: GatewayCharge,
    ) -> Result<(), UseCaseError> {
        let received_at = kernel::Clock::now(self.shop.clock.as_ref());
        let notice = GatewayNotice {
            id: id.to_owned(),
            payment_id,
            kind: "payment.succeeded".to_owned(),
            received_at,
        };
        self.desk.hear(notice, charge).await
    }

    /// Gives a payment back, or some of its items. The reply's status is 201, 202 or 409 as the refund is
    /// done, is pending or was refused by the gateway.
    ///
    /// # Errors
    /// Why there was no refund.
    ///
    /// # Panics
    /// When the items cannot be wanted.
    pub async fn refund(
        &self,
        payment_id: PaymentId,
        user: UserId,
        items: Option<Vec<(ProductId, u32)>>,
        key: Option<&str>,
    ) -> Result<Answer, UseCaseError> {
        let wanted = RefundPayment {
            refund_id: RefundId::from_uuid(SystemIds.uuid()),
            payment_id,
            wanted: RefundRequest::new(items).expect("what can be wanted"),
            reason: RefundReason::new("too small").expect("a reason"),
            requested_by: user,
            trace: None,
        };
        let request = key.map(|key| keyed(user, key, &payment_id.to_string()));
        self.refunds.refund(wanted, request, Arc::new(|refund| Ok(told_of_refund(refund)))).await
    }

    /// Returns an order as it is stored.
    ///
    /// # Panics
    /// When there is no such order.
    pub async fn order(&self, id: OrderId) -> Order {
        let found = OrderReader::find(&self.shop.database.database, id).await;
        found.expect("the database answers").expect("an order")
    }

    /// Returns the status of an order.
    pub async fn status(&self, id: OrderId) -> OrderStatus {
        self.order(id).await.status
    }

    /// Returns the attempts at an order, the oldest first.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn payments(&self, order: OrderId) -> Vec<Payment> {
        let found = PaymentReader::of_order(&self.shop.database.database, order).await;
        found.expect("the database answers")
    }

    /// Returns the refunds of a payment, the newest first.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn refunds_of(&self, payment: PaymentId) -> Vec<Refund> {
        let found = RefundReader::of_payment(&self.shop.database.database, payment).await;
        found.expect("the database answers")
    }
}

fn keyed(user: UserId, key: &str, body: &str) -> KeyedRequest {
    let key = IdempotencyKey::new(key).expect("a key");
    KeyedRequest::new(user, key, "POST", "/payments", body)
}

fn told(payment: &Payment) -> Reply {
    let status = match payment.status {
        PaymentStatus::Success => 201,
        PaymentStatus::Pending => 202,
        PaymentStatus::Failed => 402,
        PaymentStatus::Reversed => 409,
    };
    let resource = Some(Resource::Payment(payment.id.as_uuid()));
    Reply { status, body: payment.id.to_string(), resource }
}

fn told_of_refund(refund: &Refund) -> Reply {
    let status = match refund.status {
        RefundStatus::Success => 201,
        RefundStatus::Pending => 202,
        RefundStatus::Failed => 409,
    };
    let resource = Some(Resource::Refund(refund.id.as_uuid()));
    Reply { status, body: refund.id.to_string(), resource }
}
