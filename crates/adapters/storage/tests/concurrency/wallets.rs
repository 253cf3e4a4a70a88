//! Charges of the same wallet.

use std::sync::Arc;

use checkout::ChargeWallet;
use kernel::{Money, UserId};
use point::ChargeAmount;
use testkit::fixtures::{no_reply, order};
use testkit::{Scenario, TestDatabase, scenarios};
use user::Role;

use crate::instances::{Instances, at_once, insist};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![a_hundred_charges_of_one_wallet_add_up, a_wallet_pays_for_what_it_holds_and_no_more]
}

async fn charge(instances: &Instances, caller: usize, user_id: UserId, won: i64) {
    let amount = ChargeAmount::new(Money::won(won)).unwrap();
    let charge = || {
        let charge = ChargeWallet { user_id, amount };
        instances.checkout(caller).charge_wallet(charge, None, |_| Ok(no_reply()))
    };
    insist(charge).await.expect("every charge is accepted");
}

/// Seen to fail with `lock_exclusive()` taken out of `Wallets::lock`: on MySQL callers were told of
/// `Contended(Stale { table: "wallets" })`. The balance was right even so, by the version guard.
async fn a_hundred_charges_of_one_wallet_add_up(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    // The wallet comes into being with the first charge, for which fifty compete.
    let user = instances.shop.user(Role::User).await;
    for wave in 1..=2 {
        at_once(50, |caller| {
            let instances = instances.clone();
            let won = 1_000 + i64::try_from(caller).unwrap();
            async move { charge(&instances, caller, user, won).await }
        })
        .await;
        assert_eq!(instances.shop.balance(user).await, Money::won(wave * (50_000 + 49 * 50 / 2)));
    }
    instances.close().await;
}

/// One buyer, whose orders share no product and meet in the wallet alone. Seen to fail with
/// `lock_exclusive()` taken out of `Wallets::lock`, as the test above.
async fn a_wallet_pays_for_what_it_holds_and_no_more(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    let buyer = instances.shop.buyer(20_000).await;
    let mut products = Vec::new();
    for _ in 0..40 {
        products.push(instances.shop.product(1_000, 1).await);
    }
    let outcomes = at_once(40, |caller| {
        let (instances, order) = (instances.clone(), order(buyer, &[(products[caller], 1)]));
        async move { instances.place(caller, &order).await }
    })
    .await;
    let placed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((placed, instances.shop.balance(buyer).await), (20, Money::ZERO));
    for rejection in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(kernel::DomainError::code(&rejection), "INSUFFICIENT_BALANCE");
    }
    instances.close().await;
}
