//! The demo shop: ten users with a full wallet, twenty products and three coupons, always with the same ids.

use std::sync::Arc;

use async_trait::async_trait;
use checkout::{Transaction, TransactionScript, UseCaseError};
use chrono::TimeDelta;
use coupon::{Benefit, Coupon, CouponCode, CouponError, CouponName, CouponReader, NewCoupon, Period};
use kernel::{Clock, CouponId, IdGenerator, Money, ProductId, StoreError, Timestamp, UserId};
use point::ChargeAmount;
use product::{NewProduct, Product, ProductName};
use user::{Email, HashCost, Password, Role, User, UserDirectory, UserName};
use uuid::Uuid;

use crate::wiring::Wiring;

const USERS: u128 = 10;
const BALANCE: Money = Money::won(1_000_000);

/// Name, price in won, and stock; the third is sold out.
const PRODUCTS: [(&str, i64, u32); 20] = [
    ("Oolong tea, 100 g", 19_900, 100),
    ("Green tea, 50 g", 12_500, 250),
    ("First flush, limited", 89_000, 0),
    ("Roasted barley tea, 1 kg", 8_900, 500),
    ("Buckwheat tea, 300 g", 6_400, 300),
    ("Ginseng candy, 200 g", 4_500, 1_000),
    ("Honey, 500 g", 24_000, 80),
    ("Plum syrup, 1 l", 15_800, 120),
    ("Seaweed, 20 sheets", 3_900, 2_000),
    ("Sesame oil, 320 ml", 17_300, 150),
    ("Red pepper flakes, 500 g", 13_700, 220),
    ("Anchovies, 250 g", 9_800, 180),
    ("Rice, 10 kg", 38_500, 60),
    ("Glass noodles, 500 g", 5_200, 400),
    ("Celadon cup", 32_000, 40),
    ("Brass spoon and chopsticks", 27_500, 90),
    ("Stone bowl", 21_900, 70),
    ("Bamboo steamer", 18_600, 55),
    ("Linen wrapping cloth", 11_200, 130),
    ("Gift box, large", 2_300, 5_000),
];

/// Code, name, what it takes off, and how many pieces there are.
const COUPONS: [(&str, &str, (&str, Money), u32); 3] = [
    ("WELCOME10", "Welcome, 10 % off", ("PERCENT", Money::won(10)), 1_000),
    ("FIXED5000", "5,000 won off", ("FIXED", Money::won(5_000)), 1_000),
    ("FIRST100", "20 % off for the first hundred", ("PERCENT", Money::won(20)), 100),
];

/// For so long the coupons of the demo shop are valid.
const VALIDITY: TimeDelta = TimeDelta::days(3_650);

/// How often it is tried when other instances load the same at the same time.
const ATTEMPTS: u32 = 5;

/// Loads what is missing of the demo shop; what is there stays as it is. Several instances may do so at
/// once.
///
/// # Errors
/// When the database refuses.
pub async fn load(wiring: &Wiring) -> Result<(), UseCaseError> {
    for _ in 1..ATTEMPTS {
        match load_missing(wiring).await {
            // Another instance was faster: look again at what is missing.
            Err(UseCaseError::Failed(StoreError::Duplicate(_) | StoreError::Contended(_))) => {}
            done => return done,
        }
    }
    load_missing(wiring).await
}

async fn load_missing(wiring: &Wiring) -> Result<(), UseCaseError> {
    let database = &wiring.database;
    let mut missing = Vec::new();
    for number in 1..=USERS {
        if database.role(UserId::from_uuid(user_id(number))).await?.is_none() {
            missing.push(number);
        }
    }
    // Hashing takes its time on purpose; it happens off the runtime's threads and before the transaction.
    let (ids, now) = (wiring.ids.clone(), wiring.clock.now());
    let users = tokio::task::spawn_blocking(move || {
        missing.into_iter().map(|number| demo_user(number, ids.as_ref(), now)).collect::<Result<Vec<_>, _>>()
    });
    let users = users.await.map_err(|error| StoreError::Internal(Box::new(error)))??;
    let mut coupons = Vec::new();
    for coupon in demo_coupons(now)? {
        if CouponReader::find(database, &coupon.terms.code).await?.is_none() {
            coupons.push(coupon);
        }
    }
    wiring.runner.run(LoadDemo { users, coupons, clock: wiring.clock.clone() }).await
}

fn user_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 | number)
}

fn product_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0100 | number)
}

fn coupon_id(number: u128) -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0200 | number)
}

fn demo_coupons(now: Timestamp) -> Result<Vec<Coupon>, UseCaseError> {
    let made = (1..).zip(COUPONS).map(|(number, (code, name, (kind, value), quantity))| {
        let terms = NewCoupon {
            code: CouponCode::new(code)?,
            name: CouponName::new(name)?,
            benefit: Benefit::new(kind, value).unwrap_or(Err(CouponError::InvalidAmount))?,
            quantity,
            period: Period::new(now, now + VALIDITY)?,
            min_order_amount: None,
            max_discount: None,
            products: None,
        };
        Coupon::create(CouponId::from_uuid(coupon_id(number)), terms, now)
    });
    made.collect::<Result<_, _>>().map_err(UseCaseError::rejected)
}

fn demo_user(number: u128, ids: &dyn IdGenerator, now: Timestamp) -> Result<User, UseCaseError> {
    let mut salt = [0; 16];
    ids.fill_random(&mut salt);
    let password = Password::new(format!("demo-password-{number:x}")).map_err(UseCaseError::rejected)?;
    Ok(User {
        id: UserId::from_uuid(user_id(number)),
        email: Email::new(&format!("user{number:x}@example.com")).map_err(UseCaseError::rejected)?,
        name: UserName::new(&format!("User {number:x}")).map_err(UseCaseError::rejected)?,
        role: if number == 1 { Role::Admin } else { Role::User },
        password_hash: password.hash(salt, HashCost::Standard).map_err(UseCaseError::rejected)?,
        created_at: now,
    })
}

struct LoadDemo {
    users: Vec<User>,
    coupons: Vec<Coupon>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl TransactionScript for LoadDemo {
    type Output = ();

    const NAME: &'static str = "load_demo";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<(), UseCaseError> {
        let now = self.clock.now();
        let ids = (1..).take(PRODUCTS.len()).map(|number| ProductId::from_uuid(product_id(number)));
        let there: Vec<ProductId> = tx.products().lock(&ids.collect()).await?.iter().map(|p| p.id).collect();
        let mut products = Vec::new();
        let mut movements = Vec::new();
        for (number, (name, won, stock)) in (1..).zip(PRODUCTS) {
            let id = ProductId::from_uuid(product_id(number));
            if there.contains(&id) {
                continue;
            }
            let name = ProductName::new(name).map_err(UseCaseError::rejected)?;
            let new = NewProduct { name, price: Money::won(won), stock };
            let (product, movement) = Product::create(id, new, now).map_err(UseCaseError::rejected)?;
            products.push(product);
            movements.push(movement);
        }
        tx.products().insert(&products).await?;
        tx.products().move_stock(&movements).await?;
        tx.coupons().insert(&self.coupons).await?;
        let mut entries = Vec::new();
        let owners = self.users.iter().map(|user| user.id).collect();
        for mut wallet in tx.wallets().lock(&owners).await? {
            if wallet.version() == 0 {
                let amount = ChargeAmount::new(BALANCE).map_err(UseCaseError::rejected)?;
                entries.push(wallet.charge(amount, now).map_err(UseCaseError::rejected)?);
            }
        }
        tx.users().insert(&self.users).await?;
        tx.wallets().record(&entries).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_contract() {
        assert_eq!(user_id(10).to_string(), "00000000-0000-7000-8000-00000000000a");
        assert_eq!(product_id(20).to_string(), "00000000-0000-7000-8000-000000000114");
    }
}
