//! Orders for the same products.

use std::sync::Arc;

use kernel::{DomainError, Money, ProductId, UserId};
use sea_orm::{ConnectionTrait, Statement};
use testkit::fixtures::{checkout_on, order};
use testkit::{Backend, Scenario, TestDatabase, scenarios};

use crate::instances::{Dice, Instances, RENDER, at_once, warm};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![fifty_pieces_go_to_fifty_of_a_hundred_buyers, crossing_orders_never_meet_an_error]
}

async fn fifty_pieces_go_to_fifty_of_a_hundred_buyers(database: Arc<TestDatabase>) {
    let instances = Instances::open(database).await;
    let product = instances.shop.product(1_000, 50).await;
    let mut buyers = Vec::new();
    for _ in 0..100 {
        buyers.push(instances.shop.buyer(1_000).await);
    }
    let outcomes = at_once(100, |caller| {
        let (instances, order) = (instances.clone(), order(buyers[caller], &[(product, 1)]));
        async move { instances.place(caller, &order).await }
    })
    .await;
    let mut left = Money::ZERO;
    for (buyer, outcome) in buyers.into_iter().zip(&outcomes) {
        let balance = instances.shop.balance(buyer).await;
        assert_eq!(balance, if outcome.is_ok() { Money::ZERO } else { Money::won(1_000) });
        left = left.checked_add(balance).unwrap();
    }
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(refused.iter().all(|rejection| rejection.code() == "OUT_OF_STOCK"), "{refused:?}");
    assert_eq!((refused.len(), left), (50, Money::won(50_000)));
    assert_eq!(instances.shop.stock(product).await, 0);
    instances.close().await;
}

/// A list of products that overlaps with those of others and names them in another order.
fn items(number: usize, dice: &mut Dice, products: &[ProductId]) -> Vec<(ProductId, u32)> {
    let mut items = match number % 4 {
        0 => vec![products[0], products[1]],
        1 => vec![products[1], products[0]],
        _ => {
            let mut shuffled = products.to_vec();
            for index in (1..shuffled.len()).rev() {
                shuffled.swap(index, usize::try_from(dice.roll(index as u64 + 1)).unwrap());
            }
            shuffled.truncate(6);
            shuffled
        }
    };
    items.dedup();
    items.into_iter().map(|product| (product, 1)).collect()
}

async fn crossing_orders_never_meet_an_error(database: Arc<TestDatabase>) {
    const CALLERS: usize = 32;
    const ORDERS: usize = 416;
    let instances = Instances::open(database.clone()).await;
    let account = Account::open(&database).await;
    // Their own pools, so that the server can tell the deadlocks of this test from those of others.
    let pools = [TestDatabase::open(&account.url, 16).await, TestDatabase::open(&account.url, 16).await];
    let checkouts = pools.clone().map(|pool| checkout_on(Arc::new(pool), instances.shop.clock.clone()));
    for pool in &pools {
        warm(pool).await;
    }
    let mut products = Vec::new();
    for _ in 0..12 {
        products.push(instances.shop.product(1_000, 1_000).await);
    }
    // Fewer wallets than callers: wallets cross too.
    let mut buyers: Vec<UserId> = Vec::new();
    for _ in 0..8 {
        buyers.push(instances.shop.buyer(1_000_000).await);
    }
    let (products, buyers) = (Arc::new(products), Arc::new(buyers));
    let pieces = at_once(CALLERS, |caller| {
        let (checkout, products, buyers) = (checkouts[caller % 2].clone(), products.clone(), buyers.clone());
        async move {
            let mut dice = Dice::new(caller as u64);
            let mut pieces = 0;
            for number in 0..ORDERS / CALLERS {
                let items = items(caller + number, &mut dice, &products);
                pieces += items.len();
                let order = order(dice.pick(&buyers), &items);
                checkout.place_order(order, RENDER).await.expect("every order is placed");
            }
            pieces
        }
    })
    .await;
    let mut left = 0;
    for product in products.iter() {
        left += instances.shop.stock(*product).await as usize;
    }
    assert_eq!(left + pieces.into_iter().sum::<usize>(), 12_000);
    assert_eq!(
        account.deadlocks().await,
        0,
        "orders lock in one order, so none waits for one that waits for it"
    );
    drop(checkouts);
    for pool in pools {
        pool.close().await.unwrap();
    }
    account.close().await;
    instances.close().await;
}

/// An account of its own on the MySQL server, whose errors the server counts apart; on SQLite, which has
/// one writer and no deadlocks, nothing but the address.
struct Account {
    database: Arc<TestDatabase>,
    url: String,
    name: Option<String>,
}

impl Account {
    async fn open(database: &Arc<TestDatabase>) -> Self {
        let database = database.clone();
        if database.backend == Backend::Sqlite {
            return Self { url: database.url.clone(), database, name: None };
        }
        let (_, schema) = database.url.rsplit_once('/').unwrap();
        let name = format!("t_{}", &schema[schema.len() - 12..]);
        database.execute(&format!("CREATE USER {name} IDENTIFIED BY ''")).await;
        database.execute(&format!("GRANT ALL ON {schema}.* TO {name}")).await;
        let url = database.url.replacen("root@", &format!("{name}@"), 1);
        Self { url, database, name: Some(name) }
    }

    async fn deadlocks(&self) -> u64 {
        let Some(name) = &self.name else { return 0 };
        let connection = self.database.connect().await.unwrap();
        let count = format!(
            "SELECT SUM_ERROR_RAISED AS raised FROM performance_schema.events_errors_summary_by_user_by_error \
             WHERE user = '{name}' AND error_number = 1213"
        );
        let count = Statement::from_string(connection.get_database_backend(), count);
        let row = connection.query_one_raw(count).await.unwrap().expect("the server counts errors");
        connection.close().await.unwrap();
        row.try_get("", "raised").unwrap()
    }

    async fn close(self) {
        if let Some(name) = self.name {
            self.database.execute(&format!("DROP USER {name}")).await;
        }
    }
}
