//! Wallets: repository and reader.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{Clock, IdGenerator, Money, OrderId, PageSize, PaymentId, StoreError, UserId};
use local::SystemIds;
use point::{ChargeAmount, PointKind, Wallet, WalletLookup, WalletReader};

use crate::fixtures::Shop;
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_user_who_never_charged_has_an_empty_wallet,
        entries_change_the_balance_and_are_listed_newest_first,
        a_balance_moves_only_from_where_it_was_decided,
        the_first_charge_happens_once,
        a_payment_takes_points_once_and_gives_them_back_once,
    ]
}

fn charge(won: i64) -> ChargeAmount {
    ChargeAmount::new(Money::won(won)).unwrap()
}

async fn a_user_who_never_charged_has_an_empty_wallet(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = UserId::from_uuid(SystemIds.uuid());
    assert_eq!(shop.database.database.wallet(user).await.unwrap(), Wallet::empty(user));
    let charged = shop.buyer(3_000).await;
    let found = shop.database.database.wallets(&[user, charged, charged]).await.unwrap();
    let expected = shop.database.database.wallet(charged).await.unwrap();
    assert_eq!(found, HashMap::from([(charged, expected)]));
    assert_eq!(shop.database.database.wallets(&[]).await.unwrap(), HashMap::new());
    let mut tx = shop.begin().await;
    assert_eq!(tx.wallets().lock(&[user].into()).await.unwrap(), [Wallet::empty(user)]);
}

async fn entries_change_the_balance_and_are_listed_newest_first(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let rich = shop.buyer(5_000).await;
    let poor = shop.buyer(1_000).await;
    let order = OrderId::from_uuid(SystemIds.uuid());
    let mut tx = shop.begin().await;
    let mut wallets = tx.wallets().lock(&[rich, poor].into()).await.unwrap();
    let mut entries = Vec::new();
    for wallet in &mut wallets {
        entries.push(wallet.charge(charge(2_000), shop.clock.now()).unwrap());
        if wallet.user_id() == rich {
            entries.push(
                wallet
                    .pay(
                        Money::from_minor(123_456).unwrap(),
                        order,
                        PaymentId::from_uuid(SystemIds.uuid()),
                        shop.clock.now(),
                    )
                    .unwrap(),
            );
        }
    }
    tx.wallets().record(&entries).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shop.balance(poor).await, Money::won(3_000));
    assert_eq!(shop.balance(rich).await.to_string(), "5765.44");
    let database = &shop.database.database;
    let first = database.ledger(rich, None, PageSize::new(2).unwrap()).await.unwrap();
    let second = database.ledger(rich, first.next, PageSize::new(2).unwrap()).await.unwrap();
    let kinds: Vec<_> = first
        .content
        .iter()
        .chain(&second.content)
        .map(|entry| (entry.cause.kind(), entry.sequence))
        .collect();
    assert_eq!(kinds, [(PointKind::Payment, 3), (PointKind::Charge, 2), (PointKind::Charge, 1)]);
    assert_eq!((first.content[0].cause.order_id(), second.next), (Some(order), None));
}

/// Two guards hold here: the version in `row_set::change` and the primary key of the ledger, which has no
/// room for a second entry of the same number. What the version alone catches, the concurrency tests show.
async fn a_balance_moves_only_from_where_it_was_decided(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = shop.buyer(1_000).await;
    let mut first = shop.database.database.wallet(user).await.unwrap();
    let mut second = first.clone();
    let entry = first.charge(charge(2_000), shop.clock.now()).unwrap();
    let stale = second.charge(charge(5_000), shop.clock.now()).unwrap();
    let mut tx = shop.begin().await;
    tx.wallets().record(&[entry]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = shop.begin().await;
    assert!(matches!(tx.wallets().record(&[stale]).await, Err(StoreError::Contended(_))));
    drop(tx);
    assert_eq!(shop.balance(user).await, Money::won(3_000));
    shop.assert_audit_is_clean().await;
}

async fn the_first_charge_happens_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = UserId::from_uuid(SystemIds.uuid());
    for expected_ok in [true, false] {
        let entry = Wallet::empty(user).charge(charge(1_000), shop.clock.now()).unwrap();
        let mut tx = shop.begin().await;
        let recorded = tx.wallets().record(&[entry]).await;
        if expected_ok {
            recorded.unwrap();
            tx.commit().await.unwrap();
        } else {
            assert!(matches!(recorded, Err(StoreError::Contended(_))), "{recorded:?}");
        }
    }
    assert_eq!(shop.balance(user).await, Money::won(1_000));
}

/// Seen to fail with the index `ux_point_ledger_payment` dropped.
async fn a_payment_takes_points_once_and_gives_them_back_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let user = shop.buyer(10_000).await;
    let order = OrderId::from_uuid(SystemIds.uuid());
    let mut tx = shop.begin().await;
    let mut wallet = tx.wallets().lock(&[user].into()).await.unwrap().remove(0);
    let payment = PaymentId::from_uuid(SystemIds.uuid());
    let first = wallet.pay(Money::won(1_000), order, payment, shop.clock.now()).unwrap();
    let twice = wallet.pay(Money::won(1_000), order, payment, shop.clock.now()).unwrap();
    assert!(tx.wallets().record(&[first.clone(), twice]).await.is_err());
    drop(tx);
    assert_eq!(shop.balance(user).await, Money::won(10_000));
    let mut tx = shop.begin().await;
    let mut wallet = tx.wallets().lock(&[user].into()).await.unwrap().remove(0);
    let first = wallet.pay(Money::won(1_000), order, payment, shop.clock.now()).unwrap();
    let back = wallet.release(Money::won(1_000), order, payment, shop.clock.now()).unwrap();
    tx.wallets().record(&[first, back]).await.unwrap();
    let twice = wallet.release(Money::won(1_000), order, payment, shop.clock.now()).unwrap();
    assert!(tx.wallets().record(&[twice]).await.is_err());
    drop(tx);
    assert_eq!(shop.balance(user).await, Money::won(10_000));
}
