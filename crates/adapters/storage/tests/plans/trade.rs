//! What buyers, cashiers and administrators do: everything that is a transaction.

use std::time::Duration;

use checkout::{
    AdjustStock, CancelOrder, ChangeProduct, CreateProducts, IdempotencyKey, KeyedRequest, OnError,
    PlaceOrder, RegisterUser, UnitOfWork,
};
use kernel::{Clock, Money, ProductId, UserId};
use payment::Tender;
use product::{AdjustmentReason, NewProduct, ProductChange, ProductName};
use storage::Database;
use testkit::Turn;
use testkit::fixtures::{no_reply, order, user};
use testkit::till::Till;
use user::{LoginAttempt, Presented, Role, Session, SessionId, TokenDigest};

use crate::filled;

/// What was traded, to be looked at afterwards.
pub(crate) struct Traded {
    pub(crate) buyer: UserId,
    pub(crate) products: Vec<ProductId>,
}

/// Orders of every kind, and what becomes of them.
pub(crate) async fn orders(till: &Till) -> Traded {
    let shop = &till.shop;
    let mut products = Vec::new();
    for _ in 0..3 {
        products.push(shop.product(1_000, 100).await);
    }
    let (buyer, other) = (shop.buyer(100_000).await, shop.buyer(100_000).await);
    let items = [(products[0], 2), (products[1], 1)];

    let coupon = shop.coupon("PLANS10", 10).await;
    shop.claim(&coupon, buyer).await.unwrap();
    shop.claim(&coupon, other).await.unwrap();
    let cart = shop.put(buyer, products[2], 1).await.unwrap();
    shop.put(other, products[2], 1).await.unwrap();
    shop.put(other, products[1], 1).await.unwrap();

    // A set: one with a coupon and a key, one from a cart.
    let mut set = vec![order(buyer, &items), order(buyer, &[(products[2], 1)]), order(other, &items)];
    for (number, order) in set.iter_mut().enumerate() {
        order.request = Some(keyed(order.command.user_id, &format!("set-{number}")));
    }
    set[0].command.coupon_code = Some(coupon.terms.code.clone());
    set[1].command.cart = Some(cart.version);
    for outcome in shop.checkout.place_orders(set.clone(), |_| Ok(no_reply())).await {
        outcome.unwrap();
    }
    // The same once more: the keys are found.
    for outcome in shop.checkout.place_orders(set, |_| Ok(no_reply())).await {
        outcome.unwrap();
    }

    let [by_card, by_points, given_up, expiring] = {
        let mut ids = Vec::new();
        for _ in 0..4 {
            let PlaceOrder { command, .. } = order(other, &items);
            let mut placed = order(other, &items);
            placed.command.terms = checkout::PaymentTerms::Later;
            placed.command.order_id = command.order_id;
            if ids.len() == 3 {
                placed.command.coupon_code = Some(coupon.terms.code.clone());
            }
            shop.checkout.place_order(placed, |_| Ok(no_reply())).await.unwrap();
            ids.push(command.order_id);
        }
        ids.try_into().unwrap()
    };
    till.gateway.script([Turn::Lost]);
    till.pay_by_card(by_card, other, 500, Some("card")).await.unwrap();
    shop.clock.advance(Duration::from_mins(2));
    assert_eq!(till.resolver.run_once().await.unwrap(), 1, "the lost payment is asked for");
    till.pay(by_points, other, Tender::Points, Some("points")).await.unwrap();
    let payment = till.payments(by_card).await[0].clone();
    till.hear("notice-1", payment.id, till.gateway.capture(payment.id)).await.unwrap();
    till.gateway.script([Turn::Lost]);
    till.refund(payment.id, other, Some(vec![(products[0], 1)]), Some("refund")).await.unwrap();
    shop.clock.advance(Duration::from_mins(2));
    assert_eq!(till.refund_resolver.run_once().await.unwrap(), 1, "the lost refund is seen through");

    let cancel = CancelOrder { order_id: given_up, by: other, trace: None, precondition: Box::new(|_| true) };
    shop.checkout.cancel_order(cancel, Some(keyed(other, "cancel")), |_| Ok(no_reply())).await.unwrap();
    shop.clock.advance(Duration::from_hours(1));
    assert_eq!(shop.checkout.expire_orders().await.unwrap(), 1, "{expiring} has expired");
    Traded { buyer, products }
}

/// What administrators do to products.
pub(crate) async fn goods(till: &Till, products: &[ProductId]) {
    let checkout = &till.shop.checkout;
    let draft = NewProduct { name: ProductName::new("new").unwrap(), price: Money::won(1), stock: 1 };
    let drafts = CreateProducts { drafts: vec![Ok(draft)], on_error: OnError::Reject };
    checkout.create_products(drafts, None, |_| Ok(no_reply())).await.unwrap();
    let change = ProductChange { price: Some(Money::won(2_000)), ..ProductChange::default() };
    let change = ChangeProduct { product_id: products[0], change, precondition: Box::new(|_| true) };
    checkout.change_product(change).await.unwrap();
    let reason = AdjustmentReason::new("counted anew").unwrap();
    let adjustment = AdjustStock { product_id: products[0], delta: 1, reason, trace: None };
    checkout.adjust_stock(adjustment, None, |_| Ok(no_reply())).await.unwrap();
}

/// Users who register, log in, go on and log out.
pub(crate) async fn access(till: &Till, pool: &Database) {
    let now = till.shop.clock.now();
    let new = user(Role::User, now);
    let user::User { email, name, password_hash, .. } = new;
    let registered = RegisterUser { email: email.clone(), name, password_hash };
    let user_id = till.shop.checkout.register_user(registered).await.unwrap().id;

    let attempt = LoginAttempt { id: filled::new_id(), at: now };
    let mut tx = pool.begin().await.unwrap();
    let attempts = tx.login_attempts().lock(&email).await.unwrap();
    tx.login_attempts().put(&email, &attempts, 1, attempt).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let attempts = tx.login_attempts().lock(&email).await.unwrap();
    let again = LoginAttempt { id: filled::new_id(), ..attempt };
    tx.login_attempts().put(&email, &attempts, 1, again).await.unwrap();
    tx.login_attempts().remove(&email, again).await.unwrap();
    tx.login_attempts().clear(&email).await.unwrap();
    tx.commit().await.unwrap();

    let [first, second] = [1, 2].map(|byte| TokenDigest::from_bytes([byte; 32]));
    let session = Session::open(SessionId::from_uuid(filled::new_id()), user_id, first, now);
    let mut tx = pool.begin().await.unwrap();
    tx.sessions().insert(&session).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let found = tx.sessions().lock(&first).await.unwrap().unwrap();
    let Ok(Presented::Rotated(next)) = found.present(second, now) else { panic!("the token is good") };
    tx.sessions().rotate(&found, &next).await.unwrap();
    tx.sessions().revoke(found.id, now).await.unwrap();
    tx.commit().await.unwrap();
}

fn keyed(user: UserId, key: &str) -> KeyedRequest {
    KeyedRequest::new(user, IdempotencyKey::new(key).unwrap(), "POST", "/orders", "{}")
}
