//! Everything at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use checkout::{AdjustStock, ChangeProduct, ChargeWallet, Rejection};
use kernel::{DomainError, Money, ProductId, UserId};
use point::ChargeAmount;
use product::{AdjustmentReason, ProductChange, ProductStatus};
use testkit::fixtures::{no_reply, order};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::instances::{Dice, Instances, at_once, insist, keyed, paid};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![orders_charges_and_changes_at_once_lose_nothing]
}

const CALLERS: usize = 16;
const STEPS: usize = 25;

/// What a caller was told, added up.
#[derive(Default)]
struct Told {
    money: i64,
    stock: BTreeMap<ProductId, i64>,
    refused: BTreeMap<&'static str, u32>,
    accepted: u32,
}

struct Caller {
    instances: Arc<Instances>,
    number: usize,
    dice: Dice,
    told: Told,
}

impl Caller {
    fn note<T>(&mut self, outcome: Result<T, Rejection>) -> Option<T> {
        match outcome {
            Ok(answer) => {
                self.told.accepted += 1;
                Some(answer)
            }
            Err(rejection) => {
                *self.told.refused.entry(rejection.code()).or_default() += 1;
                None
            }
        }
    }

    async fn order(&mut self, step: usize, buyers: &[UserId], products: &[ProductId]) {
        let mut items = BTreeMap::new();
        for _ in 0..=self.dice.roll(4) {
            let quantity = u32::try_from(self.dice.roll(3)).unwrap() + 1;
            items.insert(self.dice.pick(products), quantity);
        }
        let mut items: Vec<_> = items.into_iter().collect();
        if self.dice.roll(2) == 0 {
            items.reverse();
        }
        let mut order = order(self.dice.pick(buyers), &items);
        if self.dice.roll(2) == 0 {
            order = keyed(order, &format!("{} {step}", self.number));
        }
        let placed = self.instances.place(self.number, &order).await;
        let Some(answer) = self.note(placed) else { return };
        assert!(!answer.replayed);
        self.told.money -= paid(&answer).minor();
        for (product, quantity) in items {
            *self.told.stock.entry(product).or_default() -= i64::from(quantity);
        }
    }

    async fn charge(&mut self, buyers: &[UserId]) {
        let user_id = self.dice.pick(buyers);
        let amount = Money::won(1_000 + i64::try_from(self.dice.roll(9_000)).unwrap());
        let charged = insist(|| {
            let charge = ChargeWallet { user_id, amount: ChargeAmount::new(amount).unwrap() };
            self.instances.checkout(self.number).charge_wallet(charge, None, |_| Ok(no_reply()))
        })
        .await;
        if self.note(charged).is_some() {
            self.told.money += amount.minor();
        }
    }

    async fn adjust(&mut self, products: &[ProductId]) {
        let product_id = self.dice.pick(products);
        let delta = i64::try_from(self.dice.roll(41)).unwrap() - 20;
        let reason = AdjustmentReason::new("counted").unwrap();
        let adjusted = insist(|| {
            let adjustment = AdjustStock { product_id, delta, reason: reason.clone(), trace: None };
            self.instances.checkout(self.number).adjust_stock(adjustment, None, |_| Ok(no_reply()))
        })
        .await;
        if self.note(adjusted).is_some() {
            *self.told.stock.entry(product_id).or_default() += delta;
        }
    }

    async fn change(&mut self, products: &[ProductId]) {
        let product_id = self.dice.pick(products);
        let status = if self.dice.roll(4) == 0 { ProductStatus::Inactive } else { ProductStatus::Active };
        let price = Money::won(500 + i64::try_from(self.dice.roll(1_000)).unwrap());
        let changed = insist(|| {
            let change =
                ProductChange { price: Some(price), status: Some(status), ..ProductChange::default() };
            let precondition = Box::new(|_: &product::Product| true);
            self.instances.checkout(self.number).change_product(ChangeProduct {
                product_id,
                change,
                precondition,
            })
        })
        .await;
        self.note(changed);
    }
}

async fn orders_charges_and_changes_at_once_lose_nothing(database: Arc<TestDatabase>) {
    const STOCK: u32 = 60;
    let instances = Instances::open(database).await;
    let mut products = Vec::new();
    for _ in 0..6 {
        products.push(instances.shop.product(1_000, STOCK).await);
    }
    let mut buyers = Vec::new();
    for _ in 0..5 {
        buyers.push(instances.shop.buyer(30_000).await);
    }
    // One who never charged.
    buyers.push(instances.shop.user(user::Role::User).await);
    let all = at_once(CALLERS, |number| {
        let (instances, products, buyers) = (instances.clone(), products.clone(), buyers.clone());
        let mut caller = Caller { instances, number, dice: Dice::new(number as u64), told: Told::default() };
        async move {
            for step in 0..STEPS {
                match caller.dice.roll(10) {
                    0..6 => caller.order(step, &buyers, &products).await,
                    6..8 => caller.charge(&buyers).await,
                    8 => caller.adjust(&products).await,
                    _ => caller.change(&products).await,
                }
            }
            caller.told
        }
    })
    .await;
    let mut money = Money::won(150_000).minor();
    let mut stock: BTreeMap<ProductId, i64> = products.iter().map(|id| (*id, i64::from(STOCK))).collect();
    let mut refused = BTreeMap::new();
    let mut accepted = 0;
    for told in all {
        money += told.money;
        accepted += told.accepted;
        for (product, delta) in told.stock {
            *stock.get_mut(&product).unwrap() += delta;
        }
        for (code, times) in told.refused {
            *refused.entry(code).or_insert(0) += times;
        }
    }
    // What callers were told is what there is.
    for (product, expected) in stock {
        assert_eq!(i64::from(instances.shop.stock(product).await), expected);
    }
    let mut balances = 0;
    for buyer in buyers {
        balances += instances.shop.balance(buyer).await.minor();
    }
    assert_eq!(balances, money);
    // The storm was one: there was something to accept and something to refuse.
    assert!(accepted > 100 && refused.values().sum::<u32>() > 20, "{accepted} accepted, {refused:?} refused");
    instances.close().await;
}
