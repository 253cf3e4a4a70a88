//! The audit: silent where all is well, and finds each kind of damage.

use std::sync::Arc;

use checkout::{Auditor, CancelOrder, IdempotencyKey, KeyedRequest, Reply, Resource};
use chrono::TimeDelta;
use kernel::{BusinessZone, OrderId, ProductId, Timestamp, UserId};
use order::OrderStatus;
use payment::PaymentStatus;
use refund::RefundStatus;
use sea_orm::{ConnectionTrait, Statement};
use storage::Database;
use user::Role;

use super::audit_damages::{Damage, LOSSES, damages};
use crate::fixtures::{self, PAYMENT_WINDOW, Shop, no_reply};
use crate::till::Till;
use crate::{Backend, Scenario, TestDatabase, Turn, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![every_kind_of_damage_is_found, daily_sales_are_of_the_days_of_the_zone]
}

/// A shop with an order of each status and a buyer who has everything that can be damaged.
struct Damageable {
    till: Till,
    buyer: UserId,
    /// The order that waits for its payment.
    waiting: OrderId,
}

impl Damageable {
    async fn open(database: Arc<TestDatabase>) -> Self {
        let till = Till::open(database);
        let (buyer, shop) = (till.shop.buyer(100_000).await, &till.shop);
        let products = [shop.product(1_000, 50).await, shop.product(2_500, 50).await];
        let expired = till.place(buyer, &[(products[0], 1)]).await;
        till.shop.clock.advance(PAYMENT_WINDOW);
        assert_eq!(till.shop.checkout.expire_orders().await.unwrap(), 1);
        assert_eq!(till.status(expired).await, OrderStatus::Expired);
        pay_too_late(&till, buyer, products[0]).await;
        buy_and_give_back_with_coupons(&till, buyer, products).await;
        give_back_in_parts(&till, buyer, products).await;
        let waiting = till.place(buyer, &[(products[0], 1)]).await;
        for (turn, status) in [(Turn::Declined, 402), (Turn::Pending, 202)] {
            till.gateway.script([turn]);
            let answer = till.pay_by_card(waiting, buyer, 200, None).await.unwrap();
            assert_eq!(answer.reply.status, status);
        }
        till.shop.put(buyer, products[1], 1).await.unwrap();
        Self { till, buyer, waiting }
    }

    async fn violations(&self, rule: &str) -> (u64, Vec<String>) {
        let report = self.till.shop.database.database.audit().await.unwrap();
        let found = report.checks.into_iter().find(|check| check.name == rule).expect("a rule of this name");
        (found.violations, found.offenders)
    }
}

/// Two orders with coupons, placed and paid at once: one under a key, the other refunded, so that its coupon
/// is back.
async fn buy_and_give_back_with_coupons(till: &Till, buyer: UserId, [first, second]: [ProductId; 2]) {
    for (code, key) in [("AUDITED", Some("audited")), ("GIVENBACK", None)] {
        let coupon = till.shop.coupon(code, 10).await;
        till.shop.claim(&coupon, buyer).await.unwrap();
        till.shop.claim(&coupon, till.shop.user(Role::User).await).await.unwrap();
        let mut placed = fixtures::order(buyer, &[(first, 2), (second, 1)]);
        placed.command.coupon_code = Some(coupon.terms.code.clone());
        let key = key.map(|key| IdempotencyKey::new(key).unwrap());
        placed.request = key.map(|key| KeyedRequest::new(buyer, key, "POST", "/orders", "{}"));
        let (order, payment, refunded) =
            (placed.command.order_id, placed.command.payment_id, placed.request.is_none());
        let answer = till.shop.checkout.place_order(placed, |receipt| {
            let resource = Some(Resource::Order(receipt.order.id.as_uuid()));
            Ok(Reply { status: 201, body: "{}".into(), resource })
        });
        answer.await.unwrap();
        if refunded {
            till.refund(payment, buyer, None, None).await.unwrap();
            assert_eq!(till.status(order).await, OrderStatus::Refunded);
        }
    }
}

/// An order that was paid by card and with points under a key, of which a piece is refunded under a key and
/// another is on its way back. A refund that the gateway refused has reserved nothing.
async fn give_back_in_parts(till: &Till, buyer: UserId, [first, second]: [ProductId; 2]) {
    let order = till.place(buyer, &[(first, 3), (second, 1)]).await;
    till.pay_by_card(order, buyer, 500, Some("paid")).await.unwrap();
    let payment = till.payments(order).await[0].id;
    till.refund(payment, buyer, Some(vec![(first, 1)]), Some("refunded")).await.unwrap();
    for (turn, status) in [(Turn::Declined, 409), (Turn::Lost, 202)] {
        till.gateway.script([turn]);
        let answer = till.refund(payment, buyer, Some(vec![(second, 1)]), None).await.unwrap();
        assert_eq!(answer.reply.status, status);
    }
    assert_eq!(till.status(order).await, OrderStatus::PartiallyRefunded);
}

/// A cancelled order whose money came afterwards, and went back.
async fn pay_too_late(till: &Till, buyer: UserId, product: ProductId) {
    let order = till.place(buyer, &[(product, 1)]).await;
    till.gateway.script([Turn::Pending]);
    till.pay_by_card(order, buyer, 100, None).await.unwrap();
    let precondition = Box::new(|_: &order::Order| true);
    let cancel = CancelOrder { order_id: order, by: buyer, precondition, trace: None };
    till.shop.checkout.cancel_order(cancel, None, |_| Ok(no_reply())).await.unwrap();
    let payment = till.payments(order).await[0].id;
    till.hear("late", payment, till.gateway.capture(payment)).await.unwrap();
    assert_eq!(till.refund_resolver.run_once().await.unwrap(), 1);
    assert_eq!(till.payments(order).await[0].status, PaymentStatus::Reversed);
    assert_eq!(till.refunds_of(payment).await[0].status, RefundStatus::Success);
}

async fn every_kind_of_damage_is_found(database: Arc<TestDatabase>) {
    let shop = Damageable::open(database).await;
    shop.till.shop.assert_audit_is_clean().await;
    let database = shop.till.shop.database.clone();
    lift_checks(&database).await;
    for Damage { rule, spoil: damage, mend } in damages() {
        spoil(&database, damage).await;
        let (violations, offenders) = shop.violations(rule).await;
        assert!(violations > 0 && !offenders.is_empty(), "{rule}: {damage}");
        spoil(&database, mend).await;
    }
    // Nothing is left of the damages that were mended.
    shop.till.shop.assert_audit_is_clean().await;
    for check in database.database.audit().await.unwrap().checks {
        let name = check.name;
        assert!(damages().any(|damage| damage.rule == name), "{name} has no damage that shows it works");
    }

    spoil(&database, "UPDATE orders SET expires_at = NULL").await;
    let named = (1, vec![shop.waiting.to_string()]);
    assert_eq!(shop.violations("pending-orders-expire").await, named, "offenders are named by id");
    for (rule, loss) in LOSSES {
        spoil(&database, loss).await;
        assert!(shop.violations(rule).await.0 > 0, "{rule}: {loss}");
    }
    assert!(shop.violations("balance-equals-ledger").await.1.contains(&shop.buyer.to_string()));
}

/// Orders around midnight and around the nights in which clocks are set; all days are those of Berlin.
async fn daily_sales_are_of_the_days_of_the_zone(database: Arc<TestDatabase>) {
    const SALES: &str = "daily-sales-equal-orders";
    let mut shop = Shop::open(database);
    let berlin = BusinessZone::new("Europe/Berlin".parse().unwrap());
    let there = TestDatabase::open_in(&shop.database.url, 2, berlin).await;
    shop.checkout = fixtures::checkout_in(berlin, Arc::new(there.clone()), shop.clock.clone());
    let (buyer, product) = (shop.buyer(500_000).await, shop.product(1_000, 1_000).await);
    for midnight in
        ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]
    {
        let midnight: Timestamp = midnight.parse().unwrap();
        for microseconds in [-3_600_000_000, -1, 0, 3_600_000_000] {
            shop.clock.set(midnight + TimeDelta::microseconds(microseconds));
            let placed =
                shop.checkout.place_order(fixtures::order(buyer, &[(product, 1)]), |_| Ok(no_reply()));
            placed.await.unwrap();
        }
    }
    let broken = async |database: &Database| {
        let report = database.audit().await.unwrap();
        let check = report.checks.into_iter().find(|check| check.name == SALES).expect("a rule of this name");
        (check.violations, check.offenders)
    };
    assert_eq!(broken(&there).await, (0, Vec::new()));
    // For a business in Seoul the same orders are of other days.
    assert_eq!(broken(&shop.database.database).await, (1, vec![product.to_string()]));
    there.close().await.unwrap();
}

/// Takes the database's own last line of defence away, so that the audit's can be seen.
async fn lift_checks(database: &TestDatabase) {
    if database.backend != Backend::MySql {
        return;
    }
    let connection = database.connect().await.unwrap();
    let checks = "SELECT TABLE_NAME AS owner, CONSTRAINT_NAME AS name FROM information_schema.TABLE_CONSTRAINTS \
        WHERE CONSTRAINT_SCHEMA = DATABASE() AND CONSTRAINT_TYPE = 'CHECK'";
    let checks = Statement::from_string(connection.get_database_backend(), checks);
    let checks = connection.query_all_raw(checks).await.unwrap();
    assert!(checks.len() > 30, "{} checks", checks.len());
    for check in checks {
        let name = |column| check.try_get::<String>("", column).unwrap();
        let (table, name) = (name("owner"), name("name"));
        let lift = format!("ALTER TABLE {table} ALTER CHECK {name} NOT ENFORCED");
        connection.execute_unprepared(&lift).await.unwrap();
    }
    connection.close().await.unwrap();
}

async fn spoil(database: &TestDatabase, sql: &str) {
    let lifted =
        if database.backend == Backend::Sqlite { "PRAGMA ignore_check_constraints = ON; " } else { "" };
    database.execute(&format!("{lifted}{sql}")).await;
}
