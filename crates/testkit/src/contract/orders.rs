//! Orders, payments and daily sales.

use std::sync::Arc;
use std::time::Duration;

use checkout::DailySale;
use kernel::{
    BusinessZone, Clock, IdGenerator, Money, OrderId, PageSize, PaymentId, ProductId, StoreError, Timestamp,
    UserId,
};
use local::SystemIds;
use order::{Actor, Order, OrderFilter, OrderLine, OrderReader, OrderStatus, StatusChange};
use payment::Payment;
use sea_orm::{ConnectionTrait, Statement};

use crate::fixtures::Shop;
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        an_order_is_found_with_its_lines_and_history,
        orders_are_listed_newest_first_by_cursor,
        an_order_is_settled_once,
        daily_sales_add_up,
    ]
}

fn paid_order(user: UserId, now: Timestamp) -> (Order, Vec<StatusChange>) {
    let line = |won, quantity| {
        OrderLine::new(ProductId::from_uuid(SystemIds.uuid()), "a thing", Money::won(won), quantity).unwrap()
    };
    // The later id comes first: lines keep the order in which they were named.
    let mut lines = vec![line(1_000, 2), line(500, 1), line(250, 4)];
    lines.reverse();
    let (mut order, placed) = Order::place(
        OrderId::from_uuid(SystemIds.uuid()),
        user,
        lines,
        None,
        now + crate::fixtures::PAYMENT_WINDOW,
        now,
    )
    .unwrap();
    let paid = order.pay(Actor::User(user), now).unwrap();
    (order, vec![placed, paid])
}

async fn store(shop: &Shop, orders: &[Order], history: &[StatusChange]) {
    let mut tx = shop.begin().await;
    tx.orders().insert(orders, history).await.unwrap();
    tx.commit().await.unwrap();
}

async fn an_order_is_found_with_its_lines_and_history(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = UserId::from_uuid(SystemIds.uuid());
    let (order, history) = paid_order(user, shop.clock.now());
    store(&shop, std::slice::from_ref(&order), &history).await;
    let database = &shop.database.database;
    assert_eq!(OrderReader::find(database, order.id).await.unwrap(), Some(order.clone()));
    assert_eq!(database.history(order.id).await.unwrap(), history);
    let missing = OrderId::from_uuid(SystemIds.uuid());
    assert!(OrderReader::find(database, missing).await.unwrap().is_none());
    let found = database.find_all(&[missing, order.id, order.id]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&order));
    assert!(database.history(missing).await.unwrap().is_empty());
}

async fn orders_are_listed_newest_first_by_cursor(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = UserId::from_uuid(SystemIds.uuid());
    let mut ids = Vec::new();
    for index in 0..7 {
        let (order, history) = paid_order(user, shop.clock.now());
        ids.push(order.id);
        store(&shop, &[order], &history).await;
        // Two orders share each moment, so that the cursor must tell them apart by id.
        if index % 2 == 1 {
            shop.clock.advance(Duration::from_micros(1));
        }
    }
    let (other, history) = paid_order(UserId::from_uuid(SystemIds.uuid()), shop.clock.now());
    store(&shop, &[other], &history).await;
    ids.reverse();
    let database = &shop.database.database;
    let all = OrderFilter { user_id: user, status: None, from: None, to: None };
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = OrderReader::list(database, &all, cursor, PageSize::new(3).unwrap()).await.unwrap();
        seen.extend(page.content.iter().map(|order| order.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let size = PageSize::new(100).unwrap();
    let half_open = OrderFilter {
        from: Some(crate::fixtures::noon() + Duration::from_micros(1)),
        to: Some(crate::fixtures::noon() + Duration::from_micros(2)),
        ..all.clone()
    };
    assert_eq!(OrderReader::list(database, &half_open, None, size).await.unwrap().content.len(), 2);
    let pending = OrderFilter { status: Some(OrderStatus::Pending), ..all };
    assert!(OrderReader::list(database, &pending, None, size).await.unwrap().content.is_empty());
}

/// Seen to fail with the index `ux_payments_live` dropped.
async fn an_order_is_settled_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = UserId::from_uuid(SystemIds.uuid());
    let order = OrderId::from_uuid(SystemIds.uuid());
    let attempt = || {
        let id = PaymentId::from_uuid(SystemIds.uuid());
        Payment::settled_with_points(id, order, user, Money::won(5_000), shop.clock.now())
    };
    let mut tx = shop.begin().await;
    tx.payments().insert(&[attempt()]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = shop.begin().await;
    let twice = tx.payments().insert(&[attempt()]).await;
    assert!(matches!(twice, Err(StoreError::Contended(_))), "{twice:?}");
}

async fn daily_sales_add_up(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let product_id = ProductId::from_uuid(SystemIds.uuid());
    let day = BusinessZone::default().day(shop.clock.now());
    for hundredths in [10, 20, 123_456_789] {
        let amount = Money::from_minor(hundredths).unwrap();
        let mut tx = shop.begin().await;
        tx.sales().add(&[DailySale { product_id, day, quantity: 2, amount }]).await.unwrap();
        tx.commit().await.unwrap();
    }
    let connection = shop.database.connect().await.unwrap();
    let sum = "SELECT quantity, CAST(ROUND(amount * 100) AS SIGNED) AS hundredths FROM daily_sales";
    let sum = sum
        .replace("SIGNED", if shop.database.backend == crate::Backend::MySql { "SIGNED" } else { "INTEGER" });
    let backend = connection.get_database_backend();
    let row = connection.query_one_raw(Statement::from_string(backend, sum)).await.unwrap().unwrap();
    let (quantity, hundredths): (i64, i64) =
        (row.try_get("", "quantity").unwrap(), row.try_get("", "hundredths").unwrap());
    assert_eq!((quantity, hundredths), (6, 123_456_819));
    connection.close().await.unwrap();
}
