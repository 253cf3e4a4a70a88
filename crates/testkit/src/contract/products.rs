//! Products: repository and catalogue.

use std::sync::Arc;
use std::time::Duration;

use checkout::UnitOfWork;
use kernel::{Clock, IdGenerator, Money, OrderId, PageRequest, PageSize, ProductId, StoreError};
use local::SystemIds;
use product::{
    NewProduct, Product, ProductCatalog, ProductChange, ProductFilter, ProductName, ProductSort,
    ProductStatus,
};

use crate::fixtures::Shop;
use crate::{Scenario, TestDatabase, scenarios};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_product_is_found_as_it_was_created,
        amounts_survive_to_the_last_digit,
        locking_returns_products_by_id_and_leaves_out_missing_ones,
        a_locked_product_makes_others_wait_and_see_the_change,
        a_changed_product_is_not_saved_over,
        stock_moves_only_from_where_it_was_decided,
        the_repository_alone_cannot_oversell,
        a_large_set_is_stored_at_once,
        a_dropped_transaction_leaves_nothing,
        the_catalogue_filters_sorts_and_pages,
    ]
}

fn order_id() -> OrderId {
    OrderId::from_uuid(SystemIds.uuid())
}

async fn find(shop: &Shop, id: ProductId) -> product::Product {
    ProductCatalog::find(&shop.database.database, id).await.unwrap().unwrap()
}

async fn a_product_is_found_as_it_was_created(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let id = shop.product_named("주문 a%b_c", Money::won(19_900), 7).await;
    let found = find(&shop, id).await;
    assert_eq!(found.name.as_str(), "주문 a%b_c");
    assert_eq!((found.price, found.stock, found.status), (Money::won(19_900), 7, ProductStatus::Active));
    assert_eq!((found.created_at, found.stock_version, found.version), (shop.clock.now(), 1, 1));
    assert!(
        ProductCatalog::find(&shop.database.database, ProductId::from_uuid(SystemIds.uuid()))
            .await
            .unwrap()
            .is_none()
    );
}

async fn amounts_survive_to_the_last_digit(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    for minor in [0, 1, 99, 1_005, 123_456_789_012_345, 999_999_999_999_989, 999_999_999_999_999] {
        let price = Money::from_minor(minor).unwrap();
        let id = shop.product_named("precise", price, 0).await;
        assert_eq!(find(&shop, id).await.price, price);
    }
}

async fn locking_returns_products_by_id_and_leaves_out_missing_ones(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let first = shop.product(1_000, 1).await;
    let second = shop.product(2_000, 1).await;
    let missing = ProductId::from_uuid(SystemIds.uuid());
    let mut tx = shop.begin().await;
    let locked = tx.products().lock(&[second, missing, first].into()).await.unwrap();
    assert_eq!(locked.iter().map(|product| product.id).collect::<Vec<_>>(), [first, second]);
    assert!(tx.products().lock(&[].into()).await.unwrap().is_empty());
}

/// Seen to fail with `lock_exclusive()` taken out of `Products::lock`: on MySQL the second reader got
/// the stock of before and did not wait.
async fn a_locked_product_makes_others_wait_and_see_the_change(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let id = shop.product(1_000, 5).await;
    let mut tx = shop.begin().await;
    let mut product = tx.products().lock(&[id].into()).await.unwrap().remove(0);
    let movement = product.sell(2, order_id(), shop.clock.now()).unwrap();
    tx.products().move_stock(&[movement]).await.unwrap();
    let other = shop.database.database.clone();
    let mut reader = tokio::spawn(async move {
        let mut tx = other.begin().await.unwrap();
        tx.products().lock(&[id].into()).await.unwrap().remove(0).stock
    });
    tokio::select! {
        stock = &mut reader => panic!("did not wait, saw {stock:?}"),
        () = tokio::time::sleep(Duration::from_millis(150)) => {}
    }
    tx.commit().await.unwrap();
    assert_eq!(reader.await.unwrap(), 3);
}

/// Seen to fail with the version taken out of the guard in `row_set::change`: both changes were stored.
async fn a_changed_product_is_not_saved_over(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let id = shop.product(1_000, 1).await;
    let mut first = find(&shop, id).await;
    let mut second = first.clone();
    let price = |won| ProductChange { price: Some(Money::won(won)), ..ProductChange::default() };
    first.change(price(2_000), shop.clock.now()).unwrap();
    second.change(price(3_000), shop.clock.now()).unwrap();
    let mut tx = shop.begin().await;
    tx.products().save(&[first]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = shop.begin().await;
    assert!(matches!(tx.products().save(&[second]).await, Err(StoreError::Contended(_))));
    drop(tx);
    assert_eq!(find(&shop, id).await.price, Money::won(2_000));
}

async fn stock_moves_only_from_where_it_was_decided(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let id = shop.product(1_000, 5).await;
    let mut first = find(&shop, id).await;
    let mut second = first.clone();
    let taken = first.sell(1, order_id(), shop.clock.now()).unwrap();
    let again = first.sell(2, order_id(), shop.clock.now()).unwrap();
    let stale = second.sell(5, order_id(), shop.clock.now()).unwrap();
    let mut tx = shop.begin().await;
    tx.products().move_stock(&[taken, again]).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = shop.begin().await;
    assert!(matches!(tx.products().move_stock(&[stale]).await, Err(StoreError::Contended(_))));
    drop(tx);
    assert_eq!(shop.stock(id).await, 2);
}

/// Twenty sellers who read without a lock and never ask the use case. Two guards hold here: the version in
/// `row_set::change` and the primary key of the ledger. Seen to fail only with both taken out: more than
/// 30 pieces were sold.
async fn the_repository_alone_cannot_oversell(database: Arc<TestDatabase>) {
    let shop = Arc::new(Shop::open(database));
    let id = shop.product(1_000, 30).await;
    let mut sellers = Vec::new();
    for _ in 0..20 {
        let shop = shop.clone();
        sellers.push(tokio::spawn(async move {
            let mut sold = 0;
            loop {
                let mut product = find(&shop, id).await;
                let Ok(movement) = product.sell(1, order_id(), shop.clock.now()) else { return sold };
                let mut tx = shop.begin().await;
                let moved = tx.products().move_stock(&[movement]).await;
                match moved {
                    Ok(()) => {
                        tx.commit().await.unwrap();
                        sold += 1;
                    }
                    Err(StoreError::Contended(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }));
    }
    let mut sold = 0;
    for seller in sellers {
        sold += seller.await.unwrap();
    }
    assert_eq!((sold, shop.stock(id).await), (30, 0));
}

async fn a_large_set_is_stored_at_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let (mut products, mut movements) = (Vec::new(), Vec::new());
    for number in 0..1_100 {
        let new = NewProduct {
            name: ProductName::new("one of many").unwrap(),
            price: Money::won(1_000),
            stock: number,
        };
        let id = ProductId::from_uuid(SystemIds.uuid());
        let (product, movement) = Product::create(id, new, shop.clock.now()).unwrap();
        products.push(product);
        movements.push(movement);
    }
    let mut tx = shop.begin().await;
    tx.products().insert(&products).await.unwrap();
    tx.products().move_stock(&movements).await.unwrap();
    let ids = products.iter().map(|product| product.id).collect();
    assert_eq!(tx.products().lock(&ids).await.unwrap().len(), 1_100);
    tx.commit().await.unwrap();
    assert_eq!(shop.stock(products[1_099].id).await, 1_099);
    shop.assert_audit_is_clean().await;
}

async fn a_dropped_transaction_leaves_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    let id = shop.product(1_000, 5).await;
    let mut tx = shop.begin().await;
    let mut product = tx.products().lock(&[id].into()).await.unwrap().remove(0);
    let movement = product.sell(5, order_id(), shop.clock.now()).unwrap();
    tx.products().move_stock(&[movement]).await.unwrap();
    drop(tx);
    assert_eq!(shop.stock(id).await, 5);
}

async fn the_catalogue_filters_sorts_and_pages(database: Arc<TestDatabase>) {
    let shop = Shop::open(database);
    for (name, won, stock) in
        [("Apple", 300, 1), ("banana 100%", 100, 0), ("Cherry_pie", 200, 5), ("apple pie", 400, 2)]
    {
        shop.product_named(name, Money::won(won), stock).await;
        shop.clock.advance(Duration::from_secs(1));
    }
    let hidden = shop.product_named("hidden apple", Money::won(1), 1).await;
    let mut tx = shop.begin().await;
    let mut product = tx.products().lock(&[hidden].into()).await.unwrap().remove(0);
    let inactive = ProductChange { status: Some(ProductStatus::Inactive), ..ProductChange::default() };
    product.change(inactive, shop.clock.now()).unwrap();
    tx.products().save(&[product]).await.unwrap();
    tx.commit().await.unwrap();

    let database = &shop.database.database;
    let list = async |filter: ProductFilter, sort, page| {
        let page = PageRequest { page, size: PageSize::new(3).unwrap() };
        let names = database.list(&filter, sort, page).await.unwrap();
        let names: Vec<String> = names.iter().map(|product| product.name.to_string()).collect();
        (names.join(", "), ProductCatalog::count(database, &filter).await.unwrap())
    };
    let all = ProductFilter::default;
    let named = |text: &str| ProductFilter { name_contains: Some(text.into()), ..all() };
    let cases = [
        (all(), ProductSort::NewestFirst, 0, ("apple pie, Cherry_pie, banana 100%", 4)),
        (all(), ProductSort::NewestFirst, 1, ("Apple", 4)),
        (all(), ProductSort::OldestFirst, 0, ("Apple, banana 100%, Cherry_pie", 4)),
        (all(), ProductSort::PriceAscending, 0, ("banana 100%, Cherry_pie, Apple", 4)),
        (all(), ProductSort::PriceDescending, 0, ("apple pie, Apple, Cherry_pie", 4)),
        (named("APPLE"), ProductSort::PriceAscending, 0, ("Apple, apple pie", 2)),
        (named("100%"), ProductSort::PriceAscending, 0, ("banana 100%", 1)),
        (named("_pie"), ProductSort::PriceAscending, 0, ("Cherry_pie", 1)),
        (named("\\"), ProductSort::PriceAscending, 0, ("", 0)),
        (
            ProductFilter { min_price: Some(Money::won(200)), max_price: Some(Money::won(300)), ..all() },
            ProductSort::PriceAscending,
            0,
            ("Cherry_pie, Apple", 2),
        ),
        (ProductFilter { in_stock: Some(false), ..all() }, ProductSort::NewestFirst, 0, ("banana 100%", 1)),
        (
            ProductFilter { in_stock: Some(true), ..all() },
            ProductSort::PriceAscending,
            0,
            ("Cherry_pie, Apple, apple pie", 3),
        ),
    ];
    for (filter, sort, page, (names, total)) in cases {
        let context = format!("{filter:?} {sort:?} {page}");
        assert_eq!(list(filter, sort, page).await, (names.to_owned(), total), "{context}");
    }
}
