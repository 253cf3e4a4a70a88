//! Payments of orders that wait for them: whatever the gateway does, all ends in the truth that it knows.

use std::sync::Arc;
use std::time::Duration;

use kernel::{DomainError, Money, OrderId, ProductId, UserId};
use order::OrderStatus;
use payment::{FailureReason, Payment, PaymentStatus, Tender};

use crate::fixtures::PAYMENT_WINDOW;
use crate::till::Till;
use crate::{Scenario, TestDatabase, Turn, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        an_order_is_paid_by_card_and_points,
        an_order_is_paid_with_points_alone,
        a_declined_card_leaves_the_order_as_it_was,
        a_lost_answer_is_asked_for,
        a_charge_that_never_arrived_is_given_up,
        an_unreachable_gateway_is_no_attempt,
        an_attempt_that_was_given_up_meanwhile_is_begun_again,
        a_notice_settles_once_and_may_come_first,
        money_that_comes_too_late_goes_back,
        money_for_an_attempt_that_was_given_up_goes_back,
        what_the_gateway_says_and_cannot_be_settles_nothing,
        the_same_request_is_charged_once,
        an_overdue_order_is_not_paid_any_more,
        an_unpaid_order_gives_back_what_it_held,
        a_paid_order_does_not_expire,
        what_comes_back_fits_whatever_was_added_meanwhile,
    ]
}

async fn waiting(till: &Till, points: i64) -> (UserId, ProductId, OrderId) {
    let user = till.shop.buyer(points).await;
    let product = till.shop.product(10_000, 5).await;
    let order = till.place(user, &[(product, 2)]).await;
    assert_eq!((till.status(order).await, till.shop.stock(product).await), (OrderStatus::Pending, 3));
    (user, product, order)
}

async fn only_payment(till: &Till, order: OrderId) -> Payment {
    let mut payments = till.payments(order).await;
    assert_eq!(payments.len(), 1);
    payments.remove(0)
}

async fn an_order_is_paid_by_card_and_points(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    let answer = till.pay_by_card(order, user, 3_000, None).await.unwrap();
    assert_eq!((answer.reply.status, answer.replayed), (201, false));
    let payment = only_payment(&till, order).await;
    assert_eq!(payment.status, PaymentStatus::Success);
    assert_eq!((payment.point_amount, payment.card_amount), (Money::won(3_000), Money::won(17_000)));
    assert_eq!(payment.charge_id.as_deref(), Some(till.gateway.charge_of(payment.id).id.as_str()));
    let paid = till.order(order).await;
    assert_eq!((paid.status, paid.paid, paid.expires_at), (OrderStatus::Paid, Money::won(20_000), None));
    assert_eq!((till.shop.balance(user).await, till.gateway.kept()), (Money::won(2_000), Money::won(17_000)));
    let again = till.pay_by_card(order, user, 0, None).await.unwrap_err();
    assert!(matches!(again, checkout::UseCaseError::Rejected(no) if no.code() == "ALREADY_PAID"));
    till.shop.assert_audit_is_clean().await;
}

async fn an_order_is_paid_with_points_alone(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 20_000).await;
    assert_eq!(till.pay(order, user, Tender::Points, None).await.unwrap().reply.status, 201);
    assert_eq!((till.status(order).await, till.gateway.calls()), (OrderStatus::Paid, 0));
    assert_eq!(till.shop.balance(user).await, Money::ZERO);
    let (poor, _, other) = waiting(&till, 19_000).await;
    let refused = till.pay(other, poor, Tender::Points, None).await.unwrap_err();
    assert!(matches!(refused, checkout::UseCaseError::Rejected(no) if no.code() == "INSUFFICIENT_BALANCE"));
    assert!(till.payments(other).await.is_empty());
    till.shop.assert_audit_is_clean().await;
}

async fn a_declined_card_leaves_the_order_as_it_was(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, product, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Declined]);
    assert_eq!(till.pay_by_card(order, user, 3_000, None).await.unwrap().reply.status, 402);
    let payment = only_payment(&till, order).await;
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Failed, Some(FailureReason::Declined)));
    assert_eq!(payment.decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!((till.status(order).await, till.shop.stock(product).await), (OrderStatus::Pending, 3));
    assert_eq!(till.shop.balance(user).await, Money::won(5_000));
    till.shop.assert_audit_is_clean().await;
    // The next card will do.
    assert_eq!(till.pay_by_card(order, user, 3_000, None).await.unwrap().reply.status, 201);
    assert_eq!(till.payments(order).await.len(), 2);
    till.shop.assert_audit_is_clean().await;
}

/// The order is not paid twice meanwhile, and its points are held.
async fn a_lost_answer_is_asked_for(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Lost]);
    assert_eq!(till.pay_by_card(order, user, 5_000, None).await.unwrap().reply.status, 202);
    assert_eq!(only_payment(&till, order).await.status, PaymentStatus::Pending);
    assert_eq!(till.shop.balance(user).await, Money::ZERO);
    let second = till.pay_by_card(order, user, 0, None).await.unwrap_err();
    assert!(matches!(second, checkout::UseCaseError::Rejected(no) if no.code() == "CONFLICT"));
    till.shop.assert_audit_is_clean().await;
    assert_eq!(till.resolver.run_once().await.unwrap(), 1);
    assert_eq!(only_payment(&till, order).await.status, PaymentStatus::Success);
    assert_eq!((till.status(order).await, till.gateway.calls()), (OrderStatus::Paid, 1));
    assert_eq!(till.resolver.run_once().await.unwrap(), 0);
    till.shop.assert_audit_is_clean().await;
}

/// "Never heard of it" is not believed while the request may still be on its way.
async fn a_charge_that_never_arrived_is_given_up(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Silent]);
    assert_eq!(till.pay_by_card(order, user, 5_000, None).await.unwrap().reply.status, 202);
    assert_eq!(till.resolver.run_once().await.unwrap(), 1);
    assert_eq!(only_payment(&till, order).await.status, PaymentStatus::Pending);
    // Not again at once: the pauses grow.
    assert_eq!(till.resolver.run_once().await.unwrap(), 0);
    till.shop.clock.advance(Payment::UNHEARD_AFTER);
    assert_eq!(till.resolver.run_once().await.unwrap(), 1);
    let payment = only_payment(&till, order).await;
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Failed, Some(FailureReason::Unheard)));
    assert_eq!(
        (till.status(order).await, till.shop.balance(user).await),
        (OrderStatus::Pending, Money::won(5_000))
    );
    till.shop.assert_audit_is_clean().await;
}

async fn an_unreachable_gateway_is_no_attempt(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Unreachable]);
    let refused = till.pay_by_card(order, user, 5_000, Some("pay")).await.unwrap_err();
    assert!(matches!(refused, checkout::UseCaseError::Rejected(no) if no.code() == "SERVICE_UNAVAILABLE"));
    let payment = only_payment(&till, order).await;
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Failed, Some(FailureReason::Unreachable)));
    assert_eq!(till.shop.balance(user).await, Money::won(5_000));
    till.shop.assert_audit_is_clean().await;
    // The same key is a new attempt: nothing was stored under it.
    let again = till.pay_by_card(order, user, 5_000, Some("pay")).await.unwrap();
    assert_eq!((again.reply.status, again.replayed), (201, false));
    till.shop.assert_audit_is_clean().await;
}

/// Our own call takes longer than everybody's patience: its request is told to try again, and nothing is
/// stored under its key.
///
/// Seen to fail with the attempt's failure stored as the answer: the key said 503 for a day.
async fn an_attempt_that_was_given_up_meanwhile_is_begun_again(database: Arc<TestDatabase>) {
    let till = Arc::new(Till::open(database));
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Stalled]);
    let paying = tokio::spawn({
        let till = till.clone();
        async move { till.pay_by_card(order, user, 5_000, Some("pay")).await }
    });
    till.gateway.arrived.notified().await;
    till.shop.clock.advance(Payment::UNHEARD_AFTER);
    assert_eq!(till.resolver.run_once().await.unwrap(), 1);
    assert_eq!(only_payment(&till, order).await.failure, Some(FailureReason::Unheard));
    till.gateway.go_on();
    let refused = paying.await.unwrap().unwrap_err();
    assert!(matches!(refused, checkout::UseCaseError::Rejected(no) if no.code() == "SERVICE_UNAVAILABLE"));
    let again = till.pay_by_card(order, user, 5_000, Some("pay")).await.unwrap();
    assert_eq!((again.reply.status, again.replayed), (201, false));
    till.shop.assert_audit_is_clean().await;
    Arc::into_inner(till).expect("nobody else is at the till");
}

async fn a_notice_settles_once_and_may_come_first(database: Arc<TestDatabase>) {
    let till = Arc::new(Till::open(database));
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Slow]);
    let paying = tokio::spawn({
        let till = till.clone();
        async move { till.pay_by_card(order, user, 0, Some("pay")).await }
    });
    till.gateway.arrived.notified().await;
    let payment = only_payment(&till, order).await;
    let charge = till.gateway.charge_of(payment.id);
    // Before our own call has returned, and while a twin of the request is told to wait.
    let twin = till.pay_by_card(order, user, 0, Some("pay")).await.unwrap_err();
    assert!(matches!(twin, checkout::UseCaseError::Rejected(no) if no.code() == "REQUEST_IN_PROGRESS"));
    till.hear("notice-1", payment.id, charge.clone()).await.unwrap();
    assert_eq!(till.status(order).await, OrderStatus::Paid);
    till.gateway.go_on();
    assert_eq!(paying.await.unwrap().unwrap().reply.status, 201);
    // Again, and in other words.
    till.hear("notice-1", payment.id, charge.clone()).await.unwrap();
    till.hear("notice-2", payment.id, charge).await.unwrap();
    assert_eq!(only_payment(&till, order).await.status, PaymentStatus::Success);
    let replayed = till.pay_by_card(order, user, 0, Some("pay")).await.unwrap();
    assert_eq!((replayed.reply.status, replayed.replayed), (201, true));
    assert_eq!(till.gateway.calls(), 1);
    till.shop.assert_audit_is_clean().await;
    Arc::into_inner(till).expect("nobody else is at the till");
}

async fn money_that_comes_too_late_goes_back(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, product, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Pending]);
    assert_eq!(till.pay_by_card(order, user, 5_000, None).await.unwrap().reply.status, 202);
    till.shop.clock.advance(PAYMENT_WINDOW);
    assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 1);
    assert_eq!((till.status(order).await, till.shop.stock(product).await), (OrderStatus::Expired, 5));
    till.shop.assert_audit_is_clean().await;
    let payment = only_payment(&till, order).await;
    let charge = till.gateway.capture(payment.id);
    till.hear("late", payment.id, charge).await.unwrap();
    let payment = only_payment(&till, order).await;
    assert_eq!((payment.status, payment.failure), (PaymentStatus::Reversed, Some(FailureReason::TooLate)));
    assert_eq!(
        (till.status(order).await, till.shop.balance(user).await),
        (OrderStatus::Expired, Money::won(5_000))
    );
    till.shop.assert_audit_is_clean().await;
    // The gateway fails to give it back, then refuses, then does: it is asked until it has.
    till.gateway.script([Turn::Lost, Turn::Declined]);
    for _ in 0..3 {
        assert_eq!(till.refund_resolver.run_once().await.unwrap(), 1);
        till.shop.clock.advance(Duration::from_mins(1));
    }
    assert_eq!((till.refund_resolver.run_once().await.unwrap(), till.gateway.kept()), (0, Money::ZERO));
    let refunds = till.refunds_of(payment.id).await;
    assert_eq!((refunds.len(), refunds[0].status.as_str(), refunds[0].requested_by), (1, "SUCCESS", None));
    till.shop.assert_audit_is_clean().await;
}

async fn money_for_an_attempt_that_was_given_up_goes_back(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Silent]);
    assert_eq!(till.pay_by_card(order, user, 5_000, None).await.unwrap().reply.status, 202);
    till.shop.clock.advance(Payment::UNHEARD_AFTER);
    assert_eq!(till.resolver.run_once().await.unwrap(), 1);
    let given_up = only_payment(&till, order).await.id;
    assert_eq!(till.pay_by_card(order, user, 0, None).await.unwrap().reply.status, 201);
    let charge = till.gateway.capture_late(given_up, Money::won(15_000));
    till.hear("late", given_up, charge).await.unwrap();
    assert_eq!(till.refund_resolver.run_once().await.unwrap(), 1);
    assert_eq!((till.gateway.kept(), till.shop.balance(user).await), (Money::won(20_000), Money::won(5_000)));
    assert_eq!(till.status(order).await, OrderStatus::Paid);
    till.shop.assert_audit_is_clean().await;
}

async fn what_the_gateway_says_and_cannot_be_settles_nothing(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Pending]);
    assert_eq!(till.pay_by_card(order, user, 0, None).await.unwrap().reply.status, 202);
    let payment = only_payment(&till, order).await;
    let mut charge = till.gateway.capture(payment.id);
    charge.amount = Money::won(19_999);
    assert!(till.hear("wrong", payment.id, charge).await.is_err());
    assert_eq!(only_payment(&till, order).await.status, PaymentStatus::Pending);
    let unknown = kernel::PaymentId::from_uuid(order.as_uuid());
    let refused = till.hear("unknown", unknown, till.gateway.charge_of(payment.id)).await.unwrap_err();
    assert!(matches!(refused, checkout::UseCaseError::Rejected(no) if no.code() == "NOT_FOUND"));
    till.shop.assert_audit_is_clean().await;
}

async fn the_same_request_is_charged_once(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 5_000).await;
    till.gateway.script([Turn::Declined]);
    let declined = till.pay_by_card(order, user, 0, Some("pay")).await.unwrap();
    let replayed = till.pay_by_card(order, user, 0, Some("pay")).await.unwrap();
    assert_eq!((declined.reply.status, declined.replayed), (402, false));
    assert_eq!((&replayed.reply, replayed.replayed), (&declined.reply, true));
    assert_eq!((till.gateway.calls(), till.payments(order).await.len()), (1, 1));
    // What was pending when it was answered is told as pending, however it ends.
    till.gateway.script([Turn::Lost]);
    let pending = till.pay_by_card(order, user, 0, Some("other")).await.unwrap();
    assert_eq!(till.resolver.run_once().await.unwrap(), 1);
    let replayed = till.pay_by_card(order, user, 0, Some("other")).await.unwrap();
    assert_eq!((pending.reply.status, &replayed.reply), (202, &pending.reply));
    assert_eq!((till.status(order).await, till.gateway.calls()), (OrderStatus::Paid, 2));
    till.shop.assert_audit_is_clean().await;
}

async fn an_overdue_order_is_not_paid_any_more(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 20_000).await;
    till.shop.clock.advance(PAYMENT_WINDOW);
    for tender in
        [Tender::Points, Tender::Card { token: payment::CardToken::new("t").unwrap(), points: Money::ZERO }]
    {
        let refused = till.pay(order, user, tender, None).await.unwrap_err();
        assert!(matches!(refused, checkout::UseCaseError::Rejected(no) if no.code() == "CONFLICT"));
    }
    assert_eq!(till.gateway.calls(), 0);
    let stranger = till.shop.buyer(20_000).await;
    let refused = till.pay(order, stranger, Tender::Points, None).await.unwrap_err();
    assert!(matches!(refused, checkout::UseCaseError::Rejected(no) if no.code() == "NOT_FOUND"));
}

async fn an_unpaid_order_gives_back_what_it_held(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let user = till.shop.buyer(1_000).await;
    let product = till.shop.product(10_000, 5).await;
    let coupon = till.shop.coupon("LATER", 1).await;
    till.shop.claim(&coupon, user).await.unwrap();
    for expires in [false, true] {
        let mut placed = crate::fixtures::order(user, &[(product, 2)]);
        placed.command.terms = checkout::PaymentTerms::Later;
        placed.command.coupon_code = Some(coupon.terms.code.clone());
        let id = placed.command.order_id;
        till.shop.checkout.place_order(placed, |_| Ok(crate::fixtures::no_reply())).await.unwrap();
        assert_eq!((till.shop.stock(product).await, till.order(id).await.payable()), (3, Money::won(18_000)));
        till.shop.assert_audit_is_clean().await;
        if expires {
            till.shop.clock.advance(PAYMENT_WINDOW.saturating_sub(Duration::from_micros(1)));
            assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 0);
            till.shop.clock.advance(Duration::from_micros(1));
            assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 1);
            assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 0);
        } else {
            let cancel = || checkout::CancelOrder {
                order_id: id,
                by: user,
                precondition: Box::new(|_| true),
                trace: None,
            };
            let cancelled =
                till.shop.checkout.cancel_order(cancel(), None, |_| Ok(crate::fixtures::no_reply()));
            cancelled.await.unwrap();
            let again =
                till.shop.checkout.cancel_order(cancel(), None, |_| Ok(crate::fixtures::no_reply())).await;
            assert!(again.is_err());
        }
        let status = if expires { OrderStatus::Expired } else { OrderStatus::Cancelled };
        assert_eq!((till.status(id).await, till.shop.stock(product).await), (status, 5));
        // The coupon can be used again.
        till.shop.assert_audit_is_clean().await;
    }
}

async fn a_paid_order_does_not_expire(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, order) = waiting(&till, 20_000).await;
    assert_eq!(till.pay(order, user, Tender::Points, None).await.unwrap().reply.status, 201);
    till.shop.clock.advance(PAYMENT_WINDOW * 2);
    assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 0);
    assert_eq!(till.status(order).await, OrderStatus::Paid);
    till.shop.assert_audit_is_clean().await;
}

/// Or else an order would never be given up, and with it all that expire in the same transaction.
///
/// Seen to fail with the limit of what an administrator may add put on what orders give back.
async fn what_comes_back_fits_whatever_was_added_meanwhile(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let user = till.shop.buyer(100_000).await;
    let full = till.shop.product(1_000, product::Product::MAX_STOCK).await;
    let order = till.place(user, &[(full, 5)]).await;
    let reason = product::AdjustmentReason::new("delivered").unwrap();
    let more = checkout::AdjustStock { product_id: full, delta: 5, reason, trace: None };
    till.shop.checkout.adjust_stock(more, None, |_| Ok(crate::fixtures::no_reply())).await.unwrap();
    till.shop.clock.advance(PAYMENT_WINDOW);
    assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 1);
    assert_eq!(till.status(order).await, OrderStatus::Expired);
    assert_eq!(till.shop.stock(full).await, product::Product::MAX_STOCK + 5);
    till.shop.assert_audit_is_clean().await;
}
