//! The audit: silent where all is well, and finds each kind of damage.

use std::sync::Arc;

use checkout::{Auditor, IdempotencyKey, KeyedRequest, Reply, Resource};
use chrono::TimeDelta;
use kernel::{BusinessZone, OrderId, Timestamp};
use storage::Database;

use user::Role;

use crate::fixtures::{self, Shop, no_reply};
use crate::{Backend, Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![every_kind_of_damage_is_found, daily_sales_are_of_the_days_of_the_zone]
}

/// A rule, what breaks it, and what mends it again.
struct Damage {
    rule: &'static str,
    spoil: &'static str,
    mend: &'static str,
}

const fn damage(rule: &'static str, spoil: &'static str, mend: &'static str) -> Damage {
    Damage { rule, spoil, mend }
}

const DAMAGES: &[Damage] = &[
    damage(
        "events-will-be-sent",
        "UPDATE outbox SET next_attempt_at = NULL",
        "UPDATE outbox SET next_attempt_at = occurred_at",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE orders SET user_id = id",
        "UPDATE orders SET user_id = (SELECT user_id FROM wallets)",
    ),
    damage(
        "daily-sales-equal-orders",
        "INSERT INTO daily_sales (day, product_id, quantity, amount) SELECT day, x'00000000000000000000000000000001', 1, 1 FROM daily_sales LIMIT 1",
        "DELETE FROM daily_sales WHERE product_id = x'00000000000000000000000000000001'",
    ),
    damage(
        "stock-not-negative",
        "UPDATE products SET stock = stock - 1000",
        "UPDATE products SET stock = stock + 1000",
    ),
    damage(
        "stock-equals-ledger",
        "UPDATE products SET stock = stock + 1",
        "UPDATE products SET stock = stock - 1",
    ),
    damage(
        "stock-ledger-continues",
        "UPDATE stock_ledger SET sequence = sequence + 1 WHERE sequence = 2",
        "UPDATE stock_ledger SET sequence = sequence - 1 WHERE sequence = 3",
    ),
    damage(
        "stock-ledger-continues",
        "UPDATE products SET stock_version = stock_version + 1",
        "UPDATE products SET stock_version = stock_version - 1",
    ),
    damage(
        "stock-taken-by-orders",
        "UPDATE order_items SET quantity = quantity + 1",
        "UPDATE order_items SET quantity = quantity - 1",
    ),
    damage(
        "balance-not-negative",
        "UPDATE wallets SET balance = balance - 100000000",
        "UPDATE wallets SET balance = balance + 100000000",
    ),
    damage(
        "balance-equals-ledger",
        "UPDATE wallets SET balance = balance + 0.01",
        "UPDATE wallets SET balance = balance - 0.01",
    ),
    damage(
        "point-ledger-continues",
        "UPDATE point_ledger SET balance_before = balance_before + 1, balance_after = balance_after + 1 WHERE sequence = 2",
        "UPDATE point_ledger SET balance_before = balance_before - 1, balance_after = balance_after - 1 WHERE sequence = 2",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE orders SET total = total + 1, paid = paid + 1",
        "UPDATE orders SET total = total - 1, paid = paid - 1",
    ),
    damage(
        "order-paid-equals-tenders",
        "UPDATE payments SET point_amount = point_amount + 0.01",
        "UPDATE payments SET point_amount = point_amount - 0.01",
    ),
    damage(
        "order-paid-equals-tenders",
        "UPDATE orders SET paid = paid - 1",
        "UPDATE orders SET paid = paid + 1",
    ),
    damage(
        "one-payment-settles-an-order",
        "UPDATE payments SET status = 'FAILED'",
        "UPDATE payments SET status = 'SUCCESS'",
    ),
    damage("points-paid-equal-payments", "DELETE FROM point_ledger WHERE kind = 'PAYMENT'", ""),
    damage(
        "history-explains-status",
        "UPDATE order_status_history SET from_status = 'EXPIRED' WHERE sequence = 2",
        "UPDATE order_status_history SET from_status = 'PENDING' WHERE sequence = 2",
    ),
    damage(
        "history-explains-status",
        "UPDATE orders SET status = 'REFUNDED'",
        "UPDATE orders SET status = 'PAID'",
    ),
    damage(
        "every-change-has-its-event",
        "UPDATE outbox SET event_type = 'OrderCancelled' WHERE event_type = 'OrderPaid'",
        "UPDATE outbox SET event_type = 'OrderPaid' WHERE event_type = 'OrderCancelled'",
    ),
    damage(
        "events-without-gaps",
        "UPDATE outbox SET sequence = 3 WHERE sequence = 2",
        "UPDATE outbox SET sequence = 2 WHERE sequence = 3",
    ),
    damage(
        "events-without-gaps",
        "UPDATE products SET event_sequence = 1",
        "UPDATE products SET event_sequence = 0",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET resource_type = 'product'",
        "UPDATE idempotency_keys SET resource_type = 'order'",
    ),
    damage(
        "keys-point-to-what-they-made",
        "UPDATE idempotency_keys SET body = NULL",
        "UPDATE idempotency_keys SET body = '{}'",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE daily_sales SET quantity = quantity + 1",
        "UPDATE daily_sales SET quantity = quantity - 1",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE daily_sales SET amount = amount + 0.01",
        "UPDATE daily_sales SET amount = amount - 0.01",
    ),
    damage(
        "daily-sales-equal-orders",
        "UPDATE daily_sales SET day = '2026-03-02'",
        "UPDATE daily_sales SET day = '2026-03-01'",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE order_items SET discount = discount + 0.01 WHERE line = 1",
        "UPDATE order_items SET discount = discount - 0.01 WHERE line = 1",
    ),
    damage(
        "order-total-equals-lines",
        "UPDATE orders SET user_coupon_id = NULL",
        "UPDATE orders SET user_coupon_id = (SELECT id FROM user_coupons WHERE status = 'USED')",
    ),
    damage(
        "coupons-issued-equal-pieces",
        "UPDATE coupons SET issued = issued + 1",
        "UPDATE coupons SET issued = issued - 1",
    ),
    damage(
        "coupons-issued-equal-pieces",
        "UPDATE coupons SET quantity = 0",
        "UPDATE coupons SET quantity = 10",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE user_coupons SET order_id = id WHERE status = 'USED'",
        "UPDATE user_coupons SET order_id = (SELECT id FROM orders) WHERE status = 'USED'",
    ),
    damage(
        "used-coupons-have-one-live-order",
        "UPDATE user_coupons SET status = CASE status WHEN 'USED' THEN 'CLAIMED' ELSE 'USED' END",
        "UPDATE user_coupons SET status = CASE status WHEN 'USED' THEN 'CLAIMED' ELSE 'USED' END",
    ),
    damage(
        "claims-have-their-event",
        "UPDATE outbox SET event_type = 'StockAdjusted' WHERE event_type = 'CouponClaimed'",
        "UPDATE outbox SET event_type = 'CouponClaimed' WHERE event_type = 'StockAdjusted'",
    ),
    damage("no-orphans", "DELETE FROM users", ""),
];

async fn every_kind_of_damage_is_found(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let buyer = shop.buyer(100_000).await;
    let (first, second) = (shop.product(1_000, 50).await, shop.product(2_500, 50).await);
    let coupon = shop.coupon("AUDITED", 10).await;
    for holder in [buyer, shop.user(Role::User).await] {
        shop.claim(&coupon, holder).await.unwrap();
    }
    let mut placed = fixtures::order(buyer, &[(first, 2), (second, 1)]);
    placed.command.coupon_code = Some(coupon.terms.code.clone());
    let key = IdempotencyKey::new("audited").unwrap();
    placed.request = Some(KeyedRequest::new(buyer, key, "POST", "/orders", "{}"));
    let order: OrderId = placed.command.order_id;
    let answer = shop.checkout.place_order(placed, |receipt| {
        let resource = Some(Resource::Order(receipt.order.id.as_uuid()));
        Ok(Reply { status: 201, body: "{}".into(), resource })
    });
    answer.await.unwrap();
    shop.assert_audit_is_clean().await;

    let connection = shop.database.connect().await.unwrap();
    let database = &shop.database.database;
    lift_checks(&shop.database).await;
    let rules: Vec<_> = database.audit().await.unwrap().checks.into_iter().map(|check| check.name).collect();
    for damage in DAMAGES {
        spoil(&shop.database, damage.spoil).await;
        let report = database.audit().await.unwrap();
        let found =
            report.checks.iter().find(|check| check.name == damage.rule).expect("a rule of this name");
        assert!(found.violations > 0 && !found.offenders.is_empty(), "{}: {}", damage.rule, damage.spoil);
        if damage.mend.is_empty() {
            continue;
        }
        spoil(&shop.database, damage.mend).await;
    }
    for rule in rules {
        assert!(DAMAGES.iter().any(|damage| damage.rule == rule), "{rule} has no damage that shows it works");
    }
    let report = database.audit().await.unwrap();
    let named =
        report.checks.iter().find(|check| check.name == "points-paid-equal-payments").expect("a rule");
    assert_eq!(named.offenders, [order.to_string()], "offenders are named by id");
    connection.close().await.unwrap();
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
    if database.backend == Backend::MySql {
        for (table, count) in [
            ("products", 3),
            ("wallets", 2),
            ("point_ledger", 5),
            ("orders", 3),
            ("order_items", 3),
            ("payments", 3),
            ("coupons", 4),
            ("user_coupons", 3),
            ("daily_sales", 1),
        ] {
            for number in 1..=count {
                database
                    .execute(&format!("ALTER TABLE {table} ALTER CHECK {table}_chk_{number} NOT ENFORCED"))
                    .await;
            }
        }
    }
}

async fn spoil(database: &TestDatabase, sql: &str) {
    let lifted =
        if database.backend == Backend::Sqlite { "PRAGMA ignore_check_constraints = ON; " } else { "" };
    database.execute(&format!("{lifted}{sql}")).await;
}
