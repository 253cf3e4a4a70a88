//! What buyers do: each one thing after the other, forgetful, impatient, and sometimes gone.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Failure;
use crate::client::{Client, Request};
use crate::history::{Attempt, Effect, Entry, History, is_success};
use crate::shop::Shop;

/// How often a buyer who was not told what happened asks again at once.
const AGAIN: usize = 2;

/// What all buyers share.
pub(crate) struct Load {
    /// Where they buy.
    pub(crate) shop: Arc<Shop>,
    /// The instances.
    pub(crate) addrs: Vec<SocketAddr>,
    /// How they ask.
    pub(crate) client: Client,
    /// What becomes of it.
    pub(crate) history: Arc<History>,
    /// When the drill began.
    pub(crate) begun: Instant,
    /// What chance begins with.
    pub(crate) seed: u64,
    /// How many charges there were, so that each has an amount of its own.
    charges: AtomicU64,
}

impl Load {
    /// Prepares it.
    pub(crate) fn new(shop: Arc<Shop>, addrs: Vec<SocketAddr>, client: Client, seed: u64) -> Self {
        let charges = AtomicU64::new(1);
        Self { shop, addrs, client, history: Arc::default(), begun: Instant::now(), seed, charges }
    }

    /// Lets all buyers begin; they end when `stop` says so.
    pub(crate) fn start(self: &Arc<Self>, stop: &CancellationToken) -> JoinSet<()> {
        let mut buyers = JoinSet::new();
        for (number, user) in self.shop.buyers.iter().enumerate() {
            let rng = Rng::with_seed(self.seed.wrapping_add(number as u64 * 1_000_003));
            buyers.spawn(Buyer::new(self.clone(), *user, rng).buy_until(stop.clone()));
        }
        buyers
    }

    /// Returns an amount that nobody has charged before.
    pub(crate) fn next_charge(&self) -> u64 {
        1_000 + self.charges.fetch_add(1, Ordering::Relaxed) % 900_000
    }

    /// Asks for an effect beside the buyers, remembers it, and returns its body; it has to succeed.
    pub(crate) async fn obtain(
        &self,
        addr: SocketAddr,
        effect: Effect,
        request: Request,
    ) -> Result<Value, Failure> {
        let at = self.now();
        let answer = self.client.send_to(addr, &request).await;
        let (is_done, body) = (answer.status().is_some_and(is_success), answer.json());
        let (what, said) = (request.path.clone(), format!("{answer:?}"));
        let attempts = vec![Attempt { at, took: self.now().saturating_sub(at), answer }];
        self.history.record(Entry { effect, request, attempts });
        if is_done { Ok(body) } else { Err(Failure::Process { what, said }) }
    }

    /// Tells how long the drill has been under way.
    pub(crate) fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// A buyer, and what they remember.
struct Buyer {
    load: Arc<Load>,
    user: Uuid,
    rng: Rng,
    requests: u64,
    /// Orders to be paid.
    unpaid: Vec<Uuid>,
    /// Payments that may be taken back.
    paid: Vec<Uuid>,
    /// Coupons to be used.
    coupons: Vec<String>,
    /// Coupons that were asked for.
    asked: HashSet<String>,
}

impl Buyer {
    fn new(load: Arc<Load>, user: Uuid, rng: Rng) -> Self {
        let (unpaid, paid, coupons, asked) = (Vec::new(), Vec::new(), Vec::new(), HashSet::new());
        Self { load, user, rng, requests: 0, unpaid, paid, coupons, asked }
    }

    async fn buy_until(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.do_something().await;
            // Buyers look at what they got before they go on.
            tokio::time::sleep(Duration::from_millis(self.rng.u64(5..60))).await;
        }
    }

    async fn do_something(&mut self) {
        let coupon = self.load.shop.coupon();
        if self.asked.insert(coupon.clone()) {
            return self.claim(coupon).await;
        }
        match self.rng.u32(..100) {
            0..35 => self.order().await,
            35..50 => self.charge().await,
            50..65 => self.pay().await,
            65..70 => self.cancel().await,
            70..78 => self.refund().await,
            _ => self.read().await,
        }
    }

    async fn claim(&mut self, code: String) {
        let request = Request::post(format!("/coupons/{code}/claim"), self.user, &Value::Null);
        let request = Request { body: None, ..request };
        if self.ask(Effect::Claim(code.clone()), request).await.is_some() {
            self.coupons.push(code);
        }
    }

    async fn order(&mut self) {
        let mut products = self.load.shop.products.clone();
        self.rng.shuffle(&mut products);
        let items: Vec<_> = products[..self.rng.usize(1..=3)]
            .iter()
            .map(|product| json!({"productId": product, "qty": self.rng.u32(1..=3)}))
            .collect();
        let is_later = self.rng.u32(..3) == 0;
        let mut order = json!({"items": items, "payment": if is_later { "LATER" } else { "POINT" }});
        if self.rng.bool()
            && let Some(code) = self.coupons.pop()
        {
            order["couponCode"] = code.into();
        }
        let Some(placed) = self.ask(Effect::Order, Request::post("/orders", self.user, &order)).await else {
            return;
        };
        if let Some(id) = id(&placed, "orderId")
            && is_later
        {
            self.unpaid.push(id);
        }
    }

    async fn charge(&mut self) {
        let amount = self.load.next_charge();
        let request = Request::post("/wallets/charge", self.user, &json!({ "amount": amount }));
        self.ask(Effect::Charge(amount), request).await;
    }

    async fn pay(&mut self) {
        let Some(order) = self.unpaid.pop() else { return self.order().await };
        // So few are not answered that no five in a row make the gateway look as if it were away.
        let token = match self.rng.u32(..40) {
            0 => "tok_timeout",
            1 => "tok_error",
            2..5 => "tok_late",
            5..10 => "tok_declined",
            _ => "tok_ok",
        };
        let payment = match self.rng.u32(..4) {
            0 => json!({"orderId": order, "method": "POINT"}),
            1 => json!({"orderId": order, "method": "CARD", "cardToken": token, "usePoint": 500}),
            _ => json!({"orderId": order, "method": "CARD", "cardToken": token}),
        };
        let request = Request::post("/payments", self.user, &payment);
        let paid = self.ask(Effect::Payment(order), request).await;
        self.paid.extend(paid.and_then(|paid| id(&paid, "paymentId")));
    }

    async fn cancel(&mut self) {
        let Some(order) = self.unpaid.pop() else { return self.read().await };
        let request = Request::post(format!("/orders/{order}/cancel"), self.user, &json!({}));
        let request = Request { body: None, ..request };
        self.ask(Effect::Cancellation(order), request).await;
    }

    async fn refund(&mut self) {
        let Some(payment) = self.paid.pop() else { return self.read().await };
        let reason = json!({"reason": "changed their mind"});
        let request = Request::post(format!("/payments/{payment}/refund"), self.user, &reason);
        self.ask(Effect::Refund(payment), request).await;
    }

    async fn read(&mut self) {
        let paths = ["/products?size=20", "/wallets", "/orders?size=5", "/products/top", "/cart"];
        let request = Request::get(paths[self.rng.usize(..paths.len())], self.user);
        let at = self.load.now();
        let addrs = self.instances();
        let (_, answer, took) = self.load.client.send(&addrs, &request).await;
        let attempts = vec![Attempt { at, took, answer }];
        self.load.history.record(Entry { effect: Effect::Read, request, attempts });
    }

    /// Asks for an effect under a new key, again when nobody told what happened, and remembers all of it.
    /// Returns the body of a success.
    async fn ask(&mut self, effect: Effect, request: Request) -> Option<Value> {
        self.requests += 1;
        let request = request.keyed(format!("{}-{}", effect.kind(), self.requests));
        let mut attempts = Vec::new();
        // Some give up at once, and whether it took effect shows at the end only.
        let patience = if self.rng.bool() { AGAIN } else { 0 };
        let mut found = None;
        for _ in 0..=patience {
            let at = self.load.now();
            let addrs = self.instances();
            let (answer, took) = if self.rng.u32(..25) == 0 {
                let after = Duration::from_millis(self.rng.u64(..50));
                (Client::abandon(&addrs, &request, after).await, after)
            } else {
                let (_, answer, took) = self.load.client.send(&addrs, &request).await;
                (answer, took)
            };
            let status = answer.status();
            let is_settled = status.is_some_and(|status| status < 500)
                && answer.code().as_deref() != Some("REQUEST_IN_PROGRESS");
            if status.is_some_and(is_success) {
                found = Some(answer.json());
            }
            attempts.push(Attempt { at, took, answer });
            if is_settled {
                break;
            }
            tokio::time::sleep(Duration::from_millis(self.rng.u64(50..300))).await;
        }
        self.load.history.record(Entry { effect, request, attempts });
        found
    }

    /// Returns the instances in the order in which a balancer tries them this time.
    fn instances(&mut self) -> Vec<SocketAddr> {
        let mut addrs = self.load.addrs.clone();
        self.rng.shuffle(&mut addrs);
        addrs
    }
}

fn id(answer: &Value, member: &str) -> Option<Uuid> {
    answer[member].as_str()?.parse().ok()
}
