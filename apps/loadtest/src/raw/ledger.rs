//! What the runner knows of stock and wallets, so that it has nothing to read while it writes.

use uuid::Uuid;

use super::connection::Connection;
use super::rows::{Line, Order};
use crate::load::random::Random;

/// A product as the next order meets it.
#[derive(Clone, Debug)]
struct Product {
    id: Uuid,
    name: String,
    /// In hundredths.
    price: i64,
    stock: i64,
    /// The number of its last movement.
    moves: i64,
}

/// A wallet as the next order meets it.
#[derive(Clone, Debug)]
struct Wallet {
    user: Uuid,
    /// In hundredths.
    balance: i64,
    /// The number of its last entry.
    entries: i64,
}

/// All products and wallets of the load test. The runner is the only one who writes to its database.
#[derive(Debug)]
pub(crate) struct Ledger {
    products: Vec<Product>,
    wallets: Vec<Wallet>,
}

const PRODUCTS: &str = "SELECT id AS a, name AS b, ROUND(price * 100) AS c, stock AS d, stock_version AS e \
    FROM products WHERE stock >= 500000";
const WALLETS: &str = "SELECT user_id AS a, '' AS b, ROUND(balance * 100) AS c, version AS d, version AS e \
    FROM wallets WHERE balance >= 5000000";

impl Ledger {
    /// Reads them.
    pub(crate) async fn read(connection: &mut Connection) -> Result<Self, sqlx::Error> {
        let products = connection.rows(PRODUCTS).await?.into_iter();
        let products = products
            .map(|(id, name, price, stock, moves)| Product { id, name, price, stock, moves })
            .collect();
        let wallets = connection.rows(WALLETS).await?.into_iter();
        let wallets =
            wallets.map(|(user, _, balance, entries, _)| Wallet { user, balance, entries }).collect();
        let ledger = Self { products, wallets };
        if ledger.products.len() < 2 || ledger.wallets.is_empty() {
            return Err(sqlx::Error::RowNotFound);
        }
        Ok(ledger)
    }

    /// Makes an order and takes its stock and its money.
    pub(crate) fn order(&mut self, random: &mut Random, flash: bool) -> Order {
        let products = if flash {
            vec![0]
        } else {
            let first = random.below(self.products.len());
            vec![first, (first + 1 + random.below(self.products.len() - 1)) % self.products.len()]
        };
        let lines: Vec<Line> = products.into_iter().map(|index| self.line(index)).collect();
        let total = lines.iter().map(|line| line.price).sum();
        let index = random.below(self.wallets.len());
        let wallet = &mut self.wallets[index];
        let before = wallet.balance;
        wallet.balance -= total;
        wallet.entries += 1;
        Order::new(wallet.user, lines, total, before, wallet.entries)
    }

    fn line(&mut self, index: usize) -> Line {
        let product = &mut self.products[index];
        product.stock -= 1;
        product.moves += 1;
        Line {
            product: product.id,
            name: product.name.clone(),
            price: product.price,
            stock_after: product.stock,
            movement: product.moves,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn ledger() -> Ledger {
        let product = |number| Product {
            id: Uuid::from_u128(number),
            name: format!("Product {number}"),
            price: 100_000,
            stock: 10,
            moves: 1,
        };
        let wallet = Wallet { user: Uuid::from_u128(9), balance: 10_000_000, entries: 3 };
        Ledger { products: (1..=3).map(product).collect(), wallets: vec![wallet] }
    }

    #[test]
    fn entries_continue_one_another() {
        let mut ledger = ledger();
        let orders = [0, 1].map(|seed| ledger.order(&mut Random::new(seed), true));
        assert_eq!(orders.each_ref().map(|order| order.lines[0].movement), [2, 3]);
        assert_eq!(orders.each_ref().map(|order| order.lines[0].stock_after), [9, 8]);
        assert_eq!(orders.each_ref().map(|order| order.entry), [4, 5]);
        assert_eq!(orders.each_ref().map(|order| order.balance_before), [10_000_000, 9_900_000]);
    }

    #[test]
    fn an_order_is_of_two_different_products() {
        let mut ledger = ledger();
        for seed in 0..9 {
            let order = ledger.order(&mut Random::new(seed), false);
            assert_ne!(order.lines[0].product, order.lines[1].product);
            assert_eq!(order.total, 200_000);
        }
    }
}
