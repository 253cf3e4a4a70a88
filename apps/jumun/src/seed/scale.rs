//! A large shop for load tests, made by the same decisions as any other.

use std::sync::Arc;

use async_trait::async_trait;
use checkout::{OrderCommand, PaymentTerms, PlaceOrder, Reply, Transaction, TransactionScript, UseCaseError};
use kernel::{Clock, IdGenerator, Money, OrderId, PaymentId, ProductId, UserId};
use order::Basket;
use point::ChargeAmount;
use product::{NewProduct, Product, ProductName};
use user::{Email, HashCost, Password, PasswordHash, Role, User, UserName};

use crate::cli::Scale;
use crate::wiring::Wiring;

/// How many users or products share a transaction.
const ROWS: u32 = 1_000;
/// How many orders share a transaction.
const ORDERS: usize = 200;

/// Adds users, products and orders. It adds them anew each time.
///
/// # Errors
/// When the database refuses.
pub async fn load(wiring: &Wiring, scale: &Scale) -> Result<(), UseCaseError> {
    let mut users = Vec::new();
    let password = Password::new("load-test".to_owned()).map_err(UseCaseError::rejected)?;
    // One hash for all: these users are there to order, not to log in.
    let hash = password.hash([0; 16], HashCost::Minimal).map_err(UseCaseError::rejected)?;
    for count in batches(scale.users, ROWS) {
        let script =
            AddUsers { count, hash: hash.clone(), clock: wiring.clock.clone(), ids: wiring.ids.clone() };
        users.extend(wiring.runner.run(script).await?);
        tracing::info!(users = users.len(), "users added");
    }
    let mut products = Vec::new();
    for count in batches(scale.products, ROWS) {
        let script = AddProducts { count, clock: wiring.clock.clone(), ids: wiring.ids.clone() };
        products.extend(wiring.runner.run(script).await?);
        tracing::info!(products = products.len(), "products added");
    }
    if users.is_empty() || products.is_empty() {
        return Ok(());
    }
    let mut placed = 0;
    while placed < scale.orders {
        let count = ORDERS.min((scale.orders - placed) as usize);
        let orders =
            (0..count).map(|_| order(wiring.ids.as_ref(), &users, &products)).collect::<Result<_, _>>()?;
        let outcomes = wiring.checkout.place_orders(orders, |_| Ok(no_reply())).await;
        for outcome in outcomes {
            match outcome {
                // A buyer whose wallet is empty or a product that is sold out is no failure here.
                Ok(_) | Err(UseCaseError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        placed += u32::try_from(count).unwrap_or(u32::MAX);
        if placed.is_multiple_of(10_000) {
            tracing::info!(orders = placed, "orders placed");
        }
    }
    Ok(())
}

fn batches(total: u32, size: u32) -> impl Iterator<Item = u32> {
    (0..total).step_by(size as usize).map(move |from| size.min(total - from))
}

fn no_reply() -> Reply {
    Reply { status: 201, body: String::new(), resource: None }
}

fn order(
    ids: &dyn IdGenerator,
    users: &[UserId],
    products: &[ProductId],
) -> Result<PlaceOrder, UseCaseError> {
    let items = [pick(ids, products), pick(ids, products)].map(|product| (product, 1));
    let command = OrderCommand {
        order_id: OrderId::from_uuid(ids.uuid()),
        payment_id: PaymentId::from_uuid(ids.uuid()),
        user_id: pick(ids, users),
        basket: Basket::new(items).map_err(UseCaseError::rejected)?,
        terms: PaymentTerms::Points,
        cart: None,
        expected_amount: None,
        coupon_code: None,
        trace: None,
    };
    Ok(PlaceOrder { command, request: None })
}

fn pick<T: Copy>(ids: &dyn IdGenerator, from: &[T]) -> T {
    let index = ids.random() % from.len() as u64;
    from[usize::try_from(index).unwrap_or_default()]
}

struct AddUsers {
    count: u32,
    hash: PasswordHash,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for AddUsers {
    type Output = Vec<UserId>;

    const NAME: &'static str = "seed_users";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Vec<UserId>, UseCaseError> {
        let now = self.clock.now();
        let mut users = Vec::new();
        for _ in 0..self.count {
            let id = self.ids.uuid();
            users.push(User {
                id: UserId::from_uuid(id),
                email: Email::new(&format!("{}@example.com", id.simple())).map_err(UseCaseError::rejected)?,
                name: UserName::new("Load Test").map_err(UseCaseError::rejected)?,
                role: Role::User,
                password_hash: self.hash.clone(),
                created_at: now,
            });
        }
        let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
        let mut entries = Vec::new();
        for mut wallet in tx.wallets().lock(&ids.iter().copied().collect()).await? {
            for _ in 0..10 {
                let amount = ChargeAmount::new(ChargeAmount::MAX).map_err(UseCaseError::rejected)?;
                entries.push(wallet.charge(amount, now).map_err(UseCaseError::rejected)?);
            }
        }
        tx.users().insert(&users).await?;
        tx.wallets().record(&entries).await?;
        Ok(ids)
    }
}

struct AddProducts {
    count: u32,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

#[async_trait]
impl TransactionScript for AddProducts {
    type Output = Vec<ProductId>;

    const NAME: &'static str = "seed_products";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Vec<ProductId>, UseCaseError> {
        let now = self.clock.now();
        let mut products = Vec::new();
        let mut movements = Vec::new();
        for number in 0..self.count {
            let id = self.ids.uuid();
            let new = NewProduct {
                name: ProductName::new(&format!("Product {}", id.simple()))
                    .map_err(UseCaseError::rejected)?,
                price: Money::won(1_000 + i64::from(number % 50) * 100),
                stock: 1_000_000,
            };
            let created = Product::create(ProductId::from_uuid(id), new, now);
            let (product, movement) = created.map_err(UseCaseError::rejected)?;
            products.push(product);
            movements.push(movement);
        }
        tx.products().insert(&products).await?;
        tx.products().move_stock(&movements).await?;
        Ok(products.iter().map(|product| product.id).collect())
    }
}
