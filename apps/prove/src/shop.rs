//! Who buys and what there is: made over the API, as everything that clients do.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Failure;
use crate::client::{Client, Request};

/// The administrator of the demonstration's data.
pub(crate) const ADMIN: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);
/// How many buy.
const BUYERS: usize = 36;
/// How many pieces each coupon has: fewer than there are buyers.
pub(crate) const PIECES: usize = 20;
/// Products that never run out, and some that do.
const STOCKS: [u32; 8] = [1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 500, 300, 100];

/// The shop.
pub(crate) struct Shop {
    /// Those who buy, each by one request after the other.
    pub(crate) buyers: Vec<Uuid>,
    /// What they buy.
    pub(crate) products: Vec<Uuid>,
    /// The codes of the coupons, the newest last.
    coupons: Mutex<Vec<String>>,
}

impl Shop {
    /// Makes users with money, and products with stock.
    pub(crate) async fn open(client: &Client, addr: SocketAddr) -> Result<Self, Failure> {
        let buyers = try_join_all((0..BUYERS).map(async |number| {
            let user = json!({"email": format!("buyer-{number}@drill.example"), "name": format!("Buyer {number}"),
                "password": "a long password"});
            let user = made(client, addr, &Request::post("/users", Uuid::nil(), &user), "userId").await?;
            let charge = Request::post("/wallets/charge", user, &json!({"amount": 500_000}));
            ask(client, addr, &charge).await?;
            Ok::<_, Failure>(user)
        }));
        let products = try_join_all(STOCKS.iter().enumerate().map(async |(number, stock)| {
            let product = json!({"name": format!("Product {number}"), "price": 1_000, "stock": stock});
            made(client, addr, &Request::post("/products", ADMIN, &product), "id").await
        }));
        let (buyers, products) = futures_util::future::try_join(buyers, products).await?;
        let shop = Self { buyers, products, coupons: Mutex::default() };
        shop.new_coupon(client, addr).await?;
        Ok(shop)
    }

    /// Makes a coupon that everybody wants from now on.
    pub(crate) async fn new_coupon(&self, client: &Client, addr: SocketAddr) -> Result<(), Failure> {
        let code = format!("RUSH{}", self.coupons().len() + 1);
        let coupon = json!({"code": code, "name": "For the first", "type": "PERCENT", "value": 10,
            "quantity": PIECES, "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2120-01-01T00:00:00Z"});
        ask(client, addr, &Request::post("/coupons", ADMIN, &coupon)).await?;
        self.coupons.lock().unwrap_or_else(PoisonError::into_inner).push(code);
        Ok(())
    }

    /// Returns the codes of all coupons.
    pub(crate) fn coupons(&self) -> Vec<String> {
        self.coupons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the code of the newest coupon.
    pub(crate) fn coupon(&self) -> String {
        self.coupons().pop().unwrap_or_default()
    }
}

/// Sends a request that has to succeed.
pub(crate) async fn ask(client: &Client, addr: SocketAddr, request: &Request) -> Result<Value, Failure> {
    let answer = client.send_to(addr, request).await;
    match answer.status() {
        Some(200..300) => Ok(answer.json()),
        _ => Err(Failure::Process { what: request.path.clone(), said: format!("{answer:?}") }),
    }
}

async fn made(client: &Client, addr: SocketAddr, request: &Request, member: &str) -> Result<Uuid, Failure> {
    let answer = ask(client, addr, request).await?;
    let id = answer[member].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Failure::Process { what: request.path.clone(), said: answer.to_string() })
}
