//! Refunds: what was paid goes back the way it came, once, and never more than was paid.

use std::sync::Arc;
use std::time::Duration;

use kernel::{DomainError, Money, OrderId, PaymentId, ProductId, UserId};
use order::OrderStatus;
use refund::RefundStatus;

use crate::till::Till;
use crate::{Scenario, TestDatabase, Turn, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        parts_add_up_to_what_was_paid,
        a_full_refund_gives_the_coupon_back_while_it_is_valid,
        a_refund_that_the_gateway_does_not_answer_changes_nothing_until_it_does,
        a_refund_that_the_gateway_refuses_reserves_nothing,
        what_is_reserved_cannot_be_refunded_twice,
        the_same_request_is_refunded_once,
        a_payment_is_refunded_within_seven_days,
        the_store_itself_bounds_the_sums,
    ]
}

/// An order of three pieces for 10,000 and one for 1, paid by card and with points.
async fn paid(till: &Till, points: i64) -> (UserId, [ProductId; 2], OrderId, PaymentId) {
    let user = till.shop.buyer(points.max(1_000)).await;
    let products = [till.shop.product(10_000, 5).await, till.shop.product(1, 5).await];
    let order = till.place(user, &[(products[0], 3), (products[1], 1)]).await;
    assert_eq!(till.pay_by_card(order, user, points, None).await.unwrap().reply.status, 201);
    let payment = till.payments(order).await[0].id;
    (user, products, order, payment)
}

async fn parts_add_up_to_what_was_paid(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, [dear, cheap], order, payment) = paid(&till, 7_777).await;
    for (items, status) in [
        (vec![(dear, 1)], OrderStatus::PartiallyRefunded),
        (vec![(cheap, 1), (dear, 1)], OrderStatus::PartiallyRefunded),
        (vec![(dear, 1)], OrderStatus::Refunded),
    ] {
        assert_eq!(till.refund(payment, user, Some(items), None).await.unwrap().reply.status, 201);
        assert_eq!(till.status(order).await, status);
        till.shop.assert_audit_is_clean().await;
    }
    assert_eq!((till.gateway.kept(), till.shop.balance(user).await), (Money::ZERO, Money::won(7_777)));
    assert_eq!((till.shop.stock(dear).await, till.shop.stock(cheap).await), (5, 5));
    let again = till.refund(payment, user, None, None).await.unwrap_err();
    assert!(matches!(again, checkout::UseCaseError::Rejected(no) if no.code() == "ALREADY_REFUNDED"));
}

async fn a_full_refund_gives_the_coupon_back_while_it_is_valid(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let user = till.shop.buyer(100_000).await;
    let product = till.shop.product(10_000, 9).await;
    let coupon = till.shop.coupon("BACK", 1).await;
    till.shop.claim(&coupon, user).await.unwrap();
    for valid in [true, false] {
        let mut placed = crate::fixtures::order(user, &[(product, 2)]);
        placed.command.coupon_code = Some(coupon.terms.code.clone());
        let order = placed.command.order_id;
        let ordered = till.shop.checkout.place_order(placed, |_| Ok(crate::fixtures::no_reply()));
        ordered.await.unwrap();
        let payment = till.payments(order).await[0].id;
        till.refund(payment, user, Some(vec![(product, 1)]), None).await.unwrap();
        till.shop.assert_audit_is_clean().await;
        if !valid {
            till.shop.clock.set(coupon.terms.period.ends_at());
        }
        till.refund(payment, user, None, None).await.unwrap();
        assert_eq!(
            (till.status(order).await, till.shop.balance(user).await),
            (OrderStatus::Refunded, Money::won(100_000))
        );
        let held = coupon::CouponReader::held_by(&till.shop.database.database, user).await.unwrap();
        assert_eq!(held[0].piece.status.as_str(), if valid { "CLAIMED" } else { "USED" });
        till.shop.assert_audit_is_clean().await;
    }
}

async fn a_refund_that_the_gateway_does_not_answer_changes_nothing_until_it_does(
    database: Arc<TestDatabase>,
) {
    let till = Till::open(database);
    let (user, [dear, _], order, payment) = paid(&till, 5_000).await;
    let before = (till.shop.stock(dear).await, till.shop.balance(user).await, OrderStatus::Paid);
    till.gateway.script([Turn::Unreachable, Turn::Lost]);
    assert_eq!(till.refund(payment, user, None, None).await.unwrap().reply.status, 202);
    for rounds in [1, 1, 0] {
        let now = (till.shop.stock(dear).await, till.shop.balance(user).await, till.status(order).await);
        assert_eq!(now == before, till.refunds_of(payment).await[0].status == RefundStatus::Pending);
        till.shop.assert_audit_is_clean().await;
        assert_eq!(till.refund_resolver.run_once().await.unwrap(), rounds);
        till.shop.clock.advance(Duration::from_mins(1));
    }
    assert_eq!((till.status(order).await, till.gateway.kept()), (OrderStatus::Refunded, Money::ZERO));
    assert_eq!((till.shop.stock(dear).await, till.shop.balance(user).await), (5, Money::won(5_000)));
    assert_eq!(till.refunds_of(payment).await.len(), 1);
    till.shop.assert_audit_is_clean().await;
}

async fn a_refund_that_the_gateway_refuses_reserves_nothing(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, [dear, _], order, payment) = paid(&till, 5_000).await;
    till.gateway.script([Turn::Declined]);
    assert_eq!(till.refund(payment, user, Some(vec![(dear, 3)]), None).await.unwrap().reply.status, 409);
    assert_eq!((till.status(order).await, till.shop.stock(dear).await), (OrderStatus::Paid, 2));
    till.shop.assert_audit_is_clean().await;
    assert_eq!(till.refund(payment, user, None, None).await.unwrap().reply.status, 201);
    assert_eq!((till.status(order).await, till.gateway.kept()), (OrderStatus::Refunded, Money::ZERO));
    till.shop.assert_audit_is_clean().await;
}

async fn what_is_reserved_cannot_be_refunded_twice(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, [dear, cheap], order, payment) = paid(&till, 5_000).await;
    till.gateway.script([Turn::Silent]);
    assert_eq!(till.refund(payment, user, Some(vec![(dear, 3)]), None).await.unwrap().reply.status, 202);
    let more = till.refund(payment, user, Some(vec![(dear, 1)]), None).await.unwrap_err();
    assert!(matches!(more, checkout::UseCaseError::Rejected(no) if no.code() == "ALREADY_REFUNDED"));
    // What is left can be, and the first is seen through afterwards.
    assert_eq!(till.refund(payment, user, None, None).await.unwrap().reply.status, 201);
    assert_eq!((till.status(order).await, till.shop.stock(cheap).await), (OrderStatus::PartiallyRefunded, 5));
    assert_eq!(till.refund_resolver.run_once().await.unwrap(), 1);
    assert_eq!((till.status(order).await, till.gateway.kept()), (OrderStatus::Refunded, Money::ZERO));
    till.shop.assert_audit_is_clean().await;
}

async fn the_same_request_is_refunded_once(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, [dear, _], _, payment) = paid(&till, 5_000).await;
    let items = || Some(vec![(dear, 1)]);
    let first = till.refund(payment, user, items(), Some("back")).await.unwrap();
    let again = till.refund(payment, user, items(), Some("back")).await.unwrap();
    assert_eq!((first.reply.status, first.replayed), (201, false));
    assert_eq!((&again.reply, again.replayed), (&first.reply, true));
    assert_eq!((till.refunds_of(payment).await.len(), till.shop.stock(dear).await), (1, 3));
    till.shop.assert_audit_is_clean().await;
}

async fn a_payment_is_refunded_within_seven_days(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, [dear, _], _, payment) = paid(&till, 5_000).await;
    till.shop.clock.advance(Duration::from_hours(7 * 24));
    assert_eq!(till.refund(payment, user, Some(vec![(dear, 1)]), None).await.unwrap().reply.status, 201);
    till.shop.clock.advance(Duration::from_secs(1));
    let late = till.refund(payment, user, None, None).await.unwrap_err();
    assert!(matches!(late, checkout::UseCaseError::Rejected(no) if no.code() == "REFUND_WINDOW_CLOSED"));
    till.shop.assert_audit_is_clean().await;
}

/// Past every lock and every decision: a second reservation of the same pieces and money is refused.
///
/// Seen to fail with the conditions of `Refunds::reserve` taken out: the CHECK of the table was next.
async fn the_store_itself_bounds_the_sums(database: Arc<TestDatabase>) {
    let till = Till::open(database);
    let (user, _, _, payment) = paid(&till, 5_000).await;
    till.gateway.script([Turn::Silent]);
    till.refund(payment, user, None, None).await.unwrap();
    let first = till.refunds_of(payment).await.remove(0);
    let id = kernel::RefundId::from_uuid(payment.as_uuid());
    let twin = refund::Refund::restore(refund::RefundState { id, ..(*first).clone() }).unwrap();
    let mut tx = till.shop.begin().await;
    let refused = tx.refunds().insert(&[twin]).await;
    assert!(matches!(refused, Err(kernel::StoreError::Contended(_))), "{refused:?}");
    drop(tx);
    till.shop.assert_audit_is_clean().await;
}
