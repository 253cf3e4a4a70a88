//! What holds even against callers who do not ask the use cases.

use std::sync::Arc;

use checkout::UnitOfWork;
use kernel::{Clock, Money, StoreError};
use order::{Actor, Order, OrderLine};
use payment::Payment;
use product::{AdjustmentReason, ProductCatalog, ProductChange};
use sea_orm::{ConnectionTrait, Statement};
use testkit::fixtures::order;
use testkit::{Scenario, TestDatabase, scenarios};

use crate::instances::{Instances, at_once};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        orders_and_sellers_who_do_not_lock_share_the_stock,
        changes_by_those_who_do_not_lock_all_count,
        an_order_is_settled_by_one_of_twenty,
    ]
}

/// Seen to fail with the version taken out of the guard in `row_set::change` and, at the same time, the
/// primary key out of `stock_ledger`: on both databases more was sold than there was. Either of the two
/// alone is enough: a movement that was decided on an old stock has the sequence number of another.
async fn orders_and_sellers_who_do_not_lock_share_the_stock(database: Arc<TestDatabase>) {
    const STOCK: u32 = 60;
    let instances = Instances::open(database).await;
    let product = instances.shop.product(1_000, STOCK).await;
    let buyer = instances.shop.buyer(1_000_000).await;
    let sold = at_once(16, |caller| {
        let instances = instances.clone();
        async move {
            let mut sold = 0;
            loop {
                let order = order(buyer, &[(product, 1)]);
                if caller % 4 > 0 {
                    let Ok(_) = instances.place(caller, &order).await else { return sold };
                    sold += 1;
                    continue;
                }
                // Takes pieces as an administrator would who has read the stock some time ago.
                let found = ProductCatalog::find(&instances.second, product).await.unwrap();
                let mut found = found.unwrap();
                let reason = AdjustmentReason::new("taken without a lock").unwrap();
                let Ok(movement) = found.adjust(-1, reason, instances.shop.clock.now()) else { return sold };
                let mut tx = instances.second.begin().await.unwrap();
                let moved = tx.products().move_stock(&[movement]).await;
                match moved {
                    Ok(()) => {
                        tx.commit().await.unwrap();
                        sold += 1;
                    }
                    Err(StoreError::Contended(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    })
    .await;
    assert_eq!((sold.into_iter().sum::<u32>(), instances.shop.stock(product).await), (STOCK, 0));
    instances.close().await;
}

/// Seen to fail with the version taken out of the guard in `row_set::change`: on both databases changes
/// were stored over one another, and the price was lower than the number of changes says.
async fn changes_by_those_who_do_not_lock_all_count(database: Arc<TestDatabase>) {
    const CALLERS: usize = 12;
    const CHANGES: i64 = 10;
    let instances = Instances::open(database).await;
    let product = instances.shop.product(1_000, 1).await;
    at_once(CALLERS, |caller| {
        let instances = instances.clone();
        async move {
            let database = instances.database(caller);
            let mut left = CHANGES;
            while left > 0 {
                let mut found = ProductCatalog::find(database, product).await.unwrap().unwrap();
                let price = found.price.checked_add(Money::won(1));
                let dearer = ProductChange { price, ..ProductChange::default() };
                found.change(dearer, instances.shop.clock.now()).unwrap();
                let mut tx = database.begin().await.unwrap();
                let saved = tx.products().save(&[found]).await;
                match saved {
                    Ok(()) => {
                        tx.commit().await.unwrap();
                        left -= 1;
                    }
                    Err(StoreError::Contended(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    })
    .await;
    let found = ProductCatalog::find(&instances.second, product).await.unwrap().unwrap();
    let changes = i64::try_from(CALLERS).unwrap() * CHANGES;
    assert_eq!((found.price, i64::from(found.version)), (Money::won(1_000 + changes), 1 + changes));
    instances.close().await;
}

/// Seen to fail with `ux_payments_live` made a plain index: on both databases all twenty were stored.
async fn an_order_is_settled_by_one_of_twenty(database: Arc<TestDatabase>) {
    let instances = Instances::open(database.clone()).await;
    let product = instances.shop.product(1_000, 1).await;
    let user = instances.shop.buyer(1_000).await;
    let now = instances.shop.clock.now();
    let id = order(user, &[(product, 1)]).command.order_id;
    let line = OrderLine::new(product, "a thing", Money::won(1_000), 1).unwrap();
    let (mut paid, placed) = Order::place(id, user, vec![line], None, now, now).unwrap();
    let settled = paid.pay(Actor::System, now).unwrap();
    let mut tx = instances.shop.begin().await;
    tx.orders().insert(&[paid], &[placed, settled]).await.unwrap();
    tx.commit().await.unwrap();
    let settled = at_once(20, |caller| {
        let instances = instances.clone();
        let payment_id = order(user, &[(product, 1)]).command.payment_id;
        let payment = Payment::settled_with_points(payment_id, id, user, Money::won(1_000), now);
        async move {
            let mut tx = instances.database(caller).begin().await.unwrap();
            let inserted = tx.payments().insert(&[payment]).await;
            match inserted {
                Ok(()) => tx.commit().await.map(|()| 1),
                Err(StoreError::Contended(_)) => Ok(0),
                Err(error) => Err(error),
            }
        }
    })
    .await;
    assert_eq!(settled.into_iter().map(Result::unwrap).sum::<u32>(), 1);
    let connection = database.connect().await.unwrap();
    let count = "SELECT COUNT(*) AS settled FROM payments WHERE status = 'SUCCESS'".to_owned();
    let count = Statement::from_string(connection.get_database_backend(), count);
    let row = connection.query_one_raw(count).await.unwrap().unwrap();
    assert_eq!(row.try_get::<i64>("", "settled").unwrap(), 1);
    connection.close().await.unwrap();
    // No audit: nobody took the money and the stock of this order.
    Arc::into_inner(instances).unwrap().second.close().await.unwrap();
}
