//! Sets of orders that share a transaction, against other sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use checkout::{PlaceOrder, UseCaseError};
use kernel::{DomainError, Money, ProductId, UserId};
use testkit::fixtures::order;
use testkit::{Scenario, TestDatabase, scenarios};
use user::Role;

use crate::instances::{Instances, RENDER, at_once, keyed, paid};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![sets_of_good_and_bad_orders_do_not_harm_one_another]
}

const LANES: usize = 8;
const ROUNDS: usize = 5;

/// What all sets order from.
#[derive(Clone, Copy)]
struct Goods {
    plenty: ProductId,
    scarce: ProductId,
    gone: ProductId,
    poor: UserId,
    rich: [UserId; 3],
}

/// A set of which some orders are good and some are not, in an order that differs from set to set.
fn set(goods: &Goods, lane: usize, round: usize) -> Vec<PlaceOrder> {
    let rich = goods.rich[lane % 3];
    let mut set = vec![
        order(rich, &[(goods.plenty, 2), (goods.scarce, 1)]),
        order(goods.rich[(lane + 1) % 3], &[(goods.scarce, 1), (goods.plenty, 1)]),
        order(goods.poor, &[(goods.plenty, 1)]),
        order(rich, &[(goods.gone, 1), (goods.plenty, 1)]),
        keyed(order(goods.rich[0], &[(goods.plenty, 1)]), &format!("shared by all in round {round}")),
        keyed(order(rich, &[(goods.plenty, 1)]), &format!("of lane {lane} in round {round}")),
        keyed(order(rich, &[(goods.plenty, 1)]), &format!("of lane {lane} in round {round}")),
    ];
    let turns = (lane + round) % set.len();
    set.rotate_left(turns);
    set
}

async fn sets_of_good_and_bad_orders_do_not_harm_one_another(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    let shop = &instances.shop;
    let goods = Goods {
        plenty: shop.product(1_000, 10_000).await,
        scarce: shop.product(2_000, 25).await,
        gone: shop.product(500, 0).await,
        poor: shop.user(Role::User).await,
        rich: [shop.buyer(1_000_000).await, shop.buyer(1_000_000).await, shop.buyer(1_000_000).await],
    };
    let sets = at_once(LANES, |lane| {
        let instances = instances.clone();
        async move {
            let mut outcomes = Vec::new();
            for round in 0..ROUNDS {
                let set = set(&goods, lane, round);
                let answers = instances.checkout(lane).place_orders(set.clone(), RENDER).await;
                assert_eq!(answers.len(), set.len());
                outcomes.extend(set.into_iter().zip(answers));
            }
            outcomes
        }
    })
    .await;
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    let mut paid_in_all = Money::ZERO;
    let mut pieces: BTreeMap<ProductId, u32> = BTreeMap::new();
    for (order, outcome) in sets.into_iter().flatten() {
        let word = match outcome {
            Ok(answer) if answer.replayed => "replayed",
            Ok(answer) => {
                paid_in_all = paid_in_all.checked_add(paid(&answer)).unwrap();
                for (product, quantity) in order.command.basket.items() {
                    *pieces.entry(*product).or_default() += quantity;
                }
                "placed"
            }
            Err(UseCaseError::Rejected(rejection)) => rejection.code(),
            Err(UseCaseError::Failed(error)) => panic!("a caller was told of {error:?}"),
        };
        *words.entry(word).or_default() += 1;
    }
    // The poor never pay, what is gone stays gone, and of 80 orders for the 25 scarce pieces 55 are late.
    let count = |word: &str| words.get(word).copied().unwrap_or(0);
    assert_eq!(count("INSUFFICIENT_BALANCE"), LANES * ROUNDS, "{words:?}");
    assert_eq!(count("OUT_OF_STOCK"), LANES * ROUNDS + 2 * LANES * ROUNDS - 25, "{words:?}");
    // Of twins in a set one is placed. Of the key that all sets share one is placed a round.
    assert_eq!(count("placed"), 25 + LANES * ROUNDS + ROUNDS, "{words:?}");
    let kept_waiting = LANES * ROUNDS + (LANES - 1) * ROUNDS;
    assert_eq!(count("replayed") + count("REQUEST_IN_PROGRESS"), kept_waiting, "{words:?}");

    assert_eq!((shop.stock(goods.scarce).await, shop.stock(goods.gone).await), (0, 0));
    assert_eq!(shop.stock(goods.plenty).await, 10_000 - pieces[&goods.plenty]);
    let mut left = shop.balance(goods.poor).await;
    for rich in goods.rich {
        left = left.checked_add(shop.balance(rich).await).unwrap();
    }
    assert_eq!(left.checked_add(paid_in_all), Some(Money::won(3_000_000)));
    instances.close().await;
}
