//! Who buys and what there is, and the requests of each scenario.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use uuid::Uuid;

use crate::Failure;
use crate::load::Source;
use crate::load::random::Random;
use crate::load::request::{Method, Request};

/// The administrator of the demo data.
pub(crate) const ADMIN: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001);

/// Buyers with full wallets and products with stock, as `seed --scale` makes them.
#[derive(Debug)]
pub(crate) struct Shop {
    users: Vec<Uuid>,
    products: Vec<Uuid>,
}

/// What was made for a load test, and not the demo data.
const USERS: &str = "SELECT u.id FROM users u JOIN wallets w ON w.user_id = u.id WHERE w.balance >= 5000000";
const PRODUCTS: &str = "SELECT id FROM products WHERE stock >= 500000";

impl Shop {
    /// Reads who and what there is.
    pub(crate) async fn load(database_url: &str) -> Result<Arc<Self>, Failure> {
        let (users, products) = if database_url.starts_with("mysql:") {
            let mut db = MySqlConnectOptions::from_str(database_url)?.connect().await?;
            let users = sqlx::query_scalar(USERS).fetch_all(&mut db).await?;
            (users, sqlx::query_scalar(PRODUCTS).fetch_all(&mut db).await?)
        } else {
            let mut db = SqliteConnection::connect(database_url).await?;
            let users = sqlx::query_scalar(USERS).fetch_all(&mut db).await?;
            (users, sqlx::query_scalar(PRODUCTS).fetch_all(&mut db).await?)
        };
        let ids = |rows: Vec<Vec<u8>>| rows.iter().filter_map(|row| Uuid::from_slice(row).ok()).collect();
        let shop = Self { users: ids(users), products: ids(products) };
        if shop.users.is_empty() || shop.products.len() < 2 {
            return Err(Failure::EmptyShop);
        }
        Ok(Arc::new(shop))
    }

    /// Returns the ids, one a line, as the script for wrk reads them: users, then products.
    pub(crate) fn lists(&self) -> [String; 2] {
        let list = |ids: &[Uuid]| ids.iter().map(|id| format!("{id}\n")).collect::<Vec<_>>().concat();
        [list(&self.users), list(&self.products)]
    }

    /// Returns one of them.
    pub(crate) fn user(&self, random: &mut Random) -> Uuid {
        self.users[random.below(self.users.len())]
    }

    fn product(&self, random: &mut Random) -> Uuid {
        self.products[random.below(self.products.len())]
    }

    fn order(&self, random: &mut Random) -> Request {
        let first = random.below(self.products.len());
        // Another one than the first.
        let second = (first + 1 + random.below(self.products.len() - 1)) % self.products.len();
        let [first, second] = [self.products[first], self.products[second]];
        let items =
            format!(r#"{{"items":[{{"productId":"{first}","qty":1}},{{"productId":"{second}","qty":1}}]}}"#);
        Request::post("/api/v1/orders", self.user(random), Some(items))
    }

    fn mixed(&self, random: &mut Random) -> Request {
        let user = self.user(random);
        match random.below(100) {
            0..40 => Request::get(format!("/api/v1/products?page={}", random.below(5))),
            40..65 => Request::get(format!("/api/v1/products/{}", self.product(random))),
            65..72 => Request::get("/api/v1/products/top"),
            72..80 => Request {
                method: Method::Put,
                body: Some(r#"{"qty":1}"#.into()),
                ..Request::get(format!("/api/v1/cart/items/{}", self.product(random))).by(user)
            },
            80..85 => Request::get("/api/v1/wallets").by(user),
            85..90 => Request::get("/api/v1/orders?size=10").by(user),
            _ => self.order(random),
        }
    }
}

/// Two different products at random, one piece of each, by a random user.
pub(crate) fn orders(shop: &Arc<Shop>) -> Source {
    let shop = shop.clone();
    Arc::new(move |random| shop.order(random))
}

/// One piece of the same product, by a random user.
pub(crate) fn flash(shop: &Arc<Shop>) -> Source {
    let shop = shop.clone();
    let hot = shop.products[0];
    one_piece(shop, hot)
}

/// One piece of a named product, by a random user.
pub(crate) fn one_piece(shop: Arc<Shop>, product: Uuid) -> Source {
    let items = format!(r#"{{"items":[{{"productId":"{product}","qty":1}}]}}"#);
    Arc::new(move |random| Request::post("/api/v1/orders", shop.user(random), Some(items.clone())))
}

/// The newest 20 products.
pub(crate) fn page() -> Source {
    Arc::new(|_| Request::get("/api/v1/products"))
}

/// What visitors of a shop do: two thirds look at products, a tenth orders.
pub(crate) fn mixed(shop: &Arc<Shop>) -> Source {
    let shop = shop.clone();
    Arc::new(move |random| shop.mixed(random))
}

/// Claims of a coupon, by one user after the other.
pub(crate) fn claims(shop: &Arc<Shop>, code: &str) -> Source {
    let (shop, path) = (shop.clone(), format!("/api/v1/coupons/{code}/claim"));
    let next = AtomicUsize::new(0);
    Arc::new(move |_| {
        let index = next.fetch_add(1, Ordering::Relaxed) % shop.users.len();
        Request::post(path.clone(), shop.users[index], None)
    })
}

/// The administrator's request for a coupon of so many pieces.
pub(crate) fn new_coupon(code: &str, quantity: u32) -> Request {
    let body = format!(
        r#"{{"code":"{code}","name":"Load test","type":"PERCENT","value":10,"quantity":{quantity},
        "startsAt":"2020-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"}}"#
    );
    Request::post("/api/v1/coupons", ADMIN, Some(body))
}

/// The administrator's request for a product of so many pieces.
pub(crate) fn new_product(stock: u32) -> Request {
    let body = format!(r#"{{"name":"Flash sale","price":1000,"stock":{stock}}}"#);
    Request::post("/api/v1/products", ADMIN, Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Arc<Shop> {
        let ids = |from: u128| (from..from + 3).map(Uuid::from_u128).collect();
        Arc::new(Shop { users: ids(1), products: ids(100) })
    }

    #[test]
    fn an_order_is_of_two_different_products() {
        let (shop, mut random) = (shop(), Random::new(1));
        for _ in 0..100 {
            let body = shop.order(&mut random).body.unwrap();
            let order: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_ne!(order["items"][0]["productId"], order["items"][1]["productId"]);
        }
    }

    #[test]
    fn users_claim_one_after_the_other() {
        let claims = claims(&shop(), "CODE");
        let users: Vec<_> = (0..4).map(|_| claims(&mut Random::new(0)).user.unwrap().as_u128()).collect();
        assert_eq!(users, [1, 2, 3, 1]);
    }

    #[test]
    fn a_tenth_of_a_mixed_shop_orders() {
        let (shop, mut random) = (shop(), Random::new(1));
        let orders = (0..10_000).filter(|_| shop.mixed(&mut random).path == "/api/v1/orders").count();
        assert!((900..1_100).contains(&orders), "{orders}");
    }
}
