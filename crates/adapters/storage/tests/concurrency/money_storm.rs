//! Orders that are placed, paid, cancelled, overdue and refunded, all at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checkout::{Answer, Rejection, UseCaseError};
use kernel::{DomainError, OrderId, PaymentId, ProductId, StoreError, UserId};
use payment::{PaymentStatus, Tender};
use testkit::fixtures::{no_reply, order};
use testkit::till::Till;
use testkit::{Scenario, TestDatabase, Turn, scenarios};

use crate::account::Account;
use crate::instances::{Dice, Instances, at_once, insist};
use crate::tills::Tills;

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![orders_payments_and_refunds_at_once_never_meet_an_error]
}

const CALLERS: usize = 12;
const STEPS: usize = 50;

struct Caller {
    tills: Arc<Tills>,
    number: usize,
    dice: Dice,
    buyers: Vec<UserId>,
    products: Vec<ProductId>,
    /// Orders that it placed to be paid later.
    waiting: Vec<(OrderId, UserId)>,
    told: BTreeMap<&'static str, u32>,
}

impl Caller {
    fn till(&self) -> &Till {
        self.tills.at(self.number)
    }

    fn note<T>(&mut self, what: &'static str, outcome: Result<T, Rejection>) {
        *self.told.entry(outcome.map_or_else(|rejection| rejection.code(), |_| what)).or_default() += 1;
    }

    /// Products of which others name the same in another order.
    fn items(&mut self) -> Vec<(ProductId, u32)> {
        let mut items = BTreeMap::new();
        for _ in 0..=self.dice.roll(4) {
            items.insert(self.dice.pick(&self.products), u32::try_from(self.dice.roll(3)).unwrap() + 1);
        }
        let mut items: Vec<_> = items.into_iter().collect();
        if self.dice.roll(2) == 0 {
            items.reverse();
        }
        items
    }

    async fn order_at_once(&mut self) {
        let order = order(self.dice.pick(&self.buyers), &self.items());
        let checkout = &self.till().shop.checkout;
        let placed = insist(|| checkout.place_order(order.clone(), |_| Ok(no_reply()))).await;
        self.note("ordered", placed);
    }

    async fn order_for_later(&mut self) {
        let buyer = self.dice.pick(&self.buyers);
        let mut placed = order(buyer, &self.items());
        placed.command.terms = checkout::PaymentTerms::Later;
        let id = placed.command.order_id;
        let checkout = &self.till().shop.checkout;
        let outcome = insist(|| checkout.place_order(placed.clone(), |_| Ok(no_reply()))).await;
        if outcome.is_ok() {
            self.waiting.push((id, buyer));
        }
        self.note("ordered for later", outcome);
    }

    async fn order_from_cart(&mut self) {
        let buyer = self.dice.pick(&self.buyers);
        let product = self.dice.pick(&self.products);
        let filled = insist(|| self.till().shop.put(buyer, product, 2)).await;
        let Ok(cart) = filled else { return self.note("put", filled) };
        let mut placed = order(buyer, &cart.pieces().collect::<Vec<_>>());
        placed.command.cart = Some(cart.version);
        let checkout = &self.till().shop.checkout;
        let outcome = insist(|| checkout.place_order(placed.clone(), |_| Ok(no_reply()))).await;
        self.note("ordered from a cart", outcome);
    }

    async fn pay(&mut self) {
        let Some((order, buyer)) = self.one_of_mine() else { return };
        let points = i64::try_from(self.dice.roll(2)).unwrap() * 100;
        let with_points = self.dice.roll(4) == 0;
        let turn = self.dice.pick(&[Turn::Answered, Turn::Answered, Turn::Lost, Turn::Declined]);
        let till = self.till();
        let paid = if with_points {
            insist(|| till.pay(order, buyer, Tender::Points, None)).await
        } else {
            till.gateway.script([turn]);
            insist(|| till.pay_by_card(order, buyer, points, None)).await
        };
        self.note("paid", paid);
    }

    async fn cancel(&mut self) {
        let Some((order, buyer)) = self.waiting.pop() else { return };
        let cancelled = insist(|| self.tills.cancel(self.number, order, buyer)).await;
        self.note("cancelled", cancelled);
    }

    fn one_of_mine(&mut self) -> Option<(OrderId, UserId)> {
        (!self.waiting.is_empty()).then(|| self.dice.pick(&self.waiting))
    }

    /// Gives back a piece of something that somebody has paid.
    async fn refund(&mut self) {
        let Some((order, buyer)) = self.one_of_mine() else { return };
        let payments = self.till().payments(order).await;
        let paid = payments.into_iter().find(|payment| payment.status == PaymentStatus::Success);
        let Some(payment) = paid.map(|payment| payment.id) else { return };
        let items = self.till().order(order).await.lines[0].product_id;
        let items = (self.dice.roll(3) > 0).then(|| vec![(items, 1)]);
        let refunded = self.give_back(payment, buyer, items).await;
        self.note("refunded", refunded);
    }

    async fn give_back(
        &self,
        payment: PaymentId,
        buyer: UserId,
        items: Option<Vec<(ProductId, u32)>>,
    ) -> Result<Answer, Rejection> {
        insist(|| self.till().refund(payment, buyer, items.clone(), None)).await
    }

    /// What happens in the background, as time goes by.
    async fn background(&mut self) {
        self.till().shop.clock.advance(Duration::from_mins(1));
        let till = self.till();
        let store = |error: StoreError| UseCaseError::Failed(error);
        let expired = insist(|| till.shop.checkout.expire_orders()).await;
        let settled = insist(|| async { till.resolver.run_once().await.map_err(store) }).await;
        let refunded = insist(|| async { till.refund_resolver.run_once().await.map_err(store) }).await;
        assert!(settled.is_ok() && refunded.is_ok());
        self.note("expired", expired);
    }
}

async fn orders_payments_and_refunds_at_once_never_meet_an_error(database: Arc<TestDatabase>) {
    let instances = Instances::open(database.clone()).await;
    let account = Account::open(database.clone(), &instances).await;
    let tills = Tills::on(database, account.pools()).await;
    let (mut products, mut buyers) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        products.push(instances.shop.product(1_000, 1_000).await);
    }
    for _ in 0..5 {
        buyers.push(instances.shop.buyer(200_000).await);
    }
    let told = at_once(CALLERS, |number| {
        let (tills, products, buyers) = (tills.clone(), products.clone(), buyers.clone());
        let dice = Dice::new(number as u64 + 100);
        let (waiting, told) = (Vec::new(), BTreeMap::new());
        let mut caller = Caller { tills, number, dice, buyers, products, waiting, told };
        async move {
            for _ in 0..STEPS {
                match caller.dice.roll(14) {
                    0..2 => caller.order_at_once().await,
                    2..5 => caller.order_for_later().await,
                    5..7 => caller.order_from_cart().await,
                    7..10 => caller.pay().await,
                    10 => caller.cancel().await,
                    11..13 => caller.refund().await,
                    _ => caller.background().await,
                }
            }
            caller.told
        }
    })
    .await;
    let mut all = BTreeMap::new();
    for (what, times) in told.into_iter().flatten() {
        *all.entry(what).or_insert(0) += times;
    }
    // The storm was one: everything was done, and something was refused.
    for what in ["ordered", "ordered for later", "ordered from a cart", "paid", "cancelled", "refunded"] {
        assert!(all.get(what).is_some_and(|times| *times > 2), "{what}: {all:?}");
    }
    tills.settle_all().await;
    drop(tills);
    account.close_without_deadlocks().await;
    instances.close().await;
}
