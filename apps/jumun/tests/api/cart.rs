//! The cart: what it shows, what two tabs do to it, and orders from it.

use std::sync::Arc;

use kernel::{ProductId, UserId};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{Answer, Call, NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_cart_is_filled_changed_and_emptied,
        a_cart_shows_what_is_sold_out_withdrawn_and_priced_anew,
        what_cannot_be_put_is_refused,
        a_cart_holds_100_products,
        two_tabs_that_change_a_cart_at_once_lose_nothing,
        a_change_of_a_cart_that_has_changed_since_is_refused,
        a_tag_tells_of_prices_and_stock_as_well,
        nobody_sees_the_cart_of_another,
        an_order_from_the_cart_empties_it,
        an_order_that_is_refused_leaves_the_cart,
        an_order_has_either_items_or_the_cart,
        an_order_from_a_cart_that_is_not_as_seen_is_refused,
        an_order_that_is_repeated_finds_its_answer_though_the_cart_is_empty,
        of_two_orders_of_one_cart_at_once_one_is_placed,
    ]
}

fn put(shop: &Shop, user: UserId, product: ProductId, qty: u32) -> Call {
    shop.api(Method::PUT, &format!("/cart/items/{product}")).by(user).json(json!({"qty": qty}))
}

fn remove(shop: &Shop, user: UserId, product: ProductId) -> Call {
    shop.api(Method::DELETE, &format!("/cart/items/{product}")).by(user)
}

async fn cart(shop: &Shop, user: UserId) -> Value {
    shop.get("/cart").by(user).await.ok()
}

fn order(shop: &Shop, user: UserId) -> Call {
    shop.post("/orders").by(user).json(json!({"fromCart": true}))
}

#[track_caller]
fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

/// Returns each product with its number of pieces.
fn pieces(cart: &Value) -> Vec<(Value, Value)> {
    let items = cart["items"].as_array().unwrap();
    items.iter().map(|item| (item["productId"].clone(), item["qty"].clone())).collect()
}

async fn a_cart_is_filled_changed_and_emptied(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let (tea, cup) = (shop.product_named("tea", "1500.50", 10).await, shop.product(200, 3).await);
    let empty = json!({"items": [], "itemCount": 0, "totalQty": 0, "totalAmount": 0.0, "orderable": false});
    assert_eq!(cart(&shop, user).await, empty);
    put(&shop, user, cup, 1).await.is(200);
    let answer = put(&shop, user, tea, 2).await.is(200);
    assert_eq!(answer.raw("totalAmount"), "3201.00");
    let shown = answer.json();
    assert_eq!(
        pieces(&shown),
        [(json!(cup), json!(1)), (json!(tea), json!(2))],
        "in the order in which they came"
    );
    let line = json!({"productId": tea, "name": "tea", "unitPrice": 1500.5, "qty": 2, "subtotal": 3001.0,
        "stock": 10, "soldOut": false, "available": true, "priceChanged": false});
    assert_eq!(shown["items"][1], line);
    assert_eq!(
        (&shown["itemCount"], &shown["totalQty"], &shown["orderable"]),
        (&json!(2), &json!(3), &json!(true))
    );
    let read = shop.get("/cart").by(user).await.is(200);
    assert_eq!((tag(&read), &read.text), (tag(&answer), &answer.text));

    // Setting is not adding, and taking out what is not there is no mistake.
    assert_eq!(
        pieces(&put(&shop, user, cup, 3).await.ok()),
        [(json!(cup), json!(3)), (json!(tea), json!(2))]
    );
    for _ in 0..2 {
        assert_eq!(pieces(&remove(&shop, user, cup).await.ok()), [(json!(tea), json!(2))]);
    }
    for _ in 0..2 {
        assert_eq!(shop.api(Method::DELETE, "/cart").by(user).await.ok(), empty);
    }
    assert_eq!(cart(&shop, user).await, empty);
    assert_eq!((shop.stock(tea).await, shop.stock(cup).await), (10, 3), "a cart reserves nothing");
    shop.assert_audit_is_clean().await;
}

async fn a_cart_shows_what_is_sold_out_withdrawn_and_priced_anew(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let few = shop.product(1_000, 2).await;
    // Stock is not asked for when something is put.
    let line = put(&shop, user, few, 3).await.ok()["items"][0].clone();
    assert_eq!(
        (&line["available"], &line["soldOut"], &line["stock"]),
        (&json!(false), &json!(false), &json!(2))
    );
    let change = |product: ProductId, change: Value| {
        shop.patch(&format!("/products/{product}")).by(shop.admin).json(change)
    };
    change(few, json!({"price": 1_200, "name": "new"})).await.is(200);
    let taken = json!({"delta": -2, "reason": "counted"});
    shop.post(&format!("/products/{few}/stock")).by(shop.admin).json(taken).await.is(200);
    let shown = cart(&shop, user).await;
    let line = &shown["items"][0];
    assert_eq!(
        (&line["name"], &line["unitPrice"], &line["subtotal"]),
        (&json!("new"), &json!(1200.0), &json!(3600.0))
    );
    assert_eq!((&line["priceChanged"], &line["previousPrice"]), (&json!(true), &json!(1000.0)));
    assert_eq!(
        (&line["soldOut"], &line["stock"], &shown["orderable"]),
        (&json!(true), &json!(0), &json!(false))
    );
    // Whoever sets the quantity again has seen the price.
    let line = put(&shop, user, few, 3).await.ok()["items"][0].clone();
    assert_eq!((&line["priceChanged"], line.get("previousPrice")), (&json!(false), None));

    shop.withdraw(few).await;
    let line = cart(&shop, user).await["items"][0].clone();
    assert_eq!((&line["name"], &line["unitPrice"]), (&json!("new"), &json!(1200.0)), "as it was last seen");
    assert_eq!((&line["available"], &line["soldOut"]), (&json!(false), &json!(true)));
}

async fn what_cannot_be_put_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let product = shop.product(1_000, 5).await;
    for qty in ["0", "-1", "1001", "1.5", "null", "\"1\""] {
        let body = format!(r#"{{"qty":{qty}}}"#);
        let path = format!("/cart/items/{product}");
        shop.api(Method::PUT, &path).by(user).body(body).await.invalid(&["/qty"]);
    }
    let path = format!("/cart/items/{NOBODY}");
    shop.api(Method::PUT, &path).by(user).json(json!({"qty": 1})).await.problem(404, "NOT_FOUND");
    shop.withdraw(product).await;
    put(&shop, user, product, 1).await.problem(404, "NOT_FOUND");
    shop.api(Method::PUT, "/cart/items/tea").by(user).json(json!({"qty": 1})).await.invalid(&["/id"]);
    shop.get("/cart?page=1").by(user).await.invalid(&["/page"]);
    shop.api(Method::DELETE, "/cart").by(user).json(json!({"all": true})).await.invalid(&["/all"]);
    assert_eq!(cart(&shop, user).await["items"], json!([]));
}

async fn a_cart_holds_100_products(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.buyer(200_000).await;
    let new = |number: usize| json!({"name": format!("product {number}"), "price": 1_000, "stock": 5});
    let body = json!({"products": (0..101).map(new).collect::<Vec<_>>()});
    let created = shop.post("/products:bulk").by(shop.admin).json(body).await.is(201).json();
    let ids: Vec<ProductId> = created["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| serde_json::from_value(result["product"]["id"].clone()).unwrap())
        .collect();
    for id in &ids[..100] {
        put(&shop, user, *id, 1).await.is(200);
    }
    put(&shop, user, ids[100], 1).await.problem(409, "CONFLICT");
    let placed = order(&shop, user).await.is(201);
    assert_eq!((placed.raw("totalAmount"), pieces(&placed.json()).len()), ("100000.00".into(), 100));
    shop.assert_audit_is_clean().await;
}

/// Seen to lose products, on MySQL, without the lock and the version in the guard of `Carts::save`.
async fn two_tabs_that_change_a_cart_at_once_lose_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let mut put_at_once = Vec::new();
    for qty in 1..=8 {
        let product = shop.product(1_000, 5).await;
        put_at_once.push((product, qty, tokio::spawn(put(&shop, user, product, qty).into_future())));
    }
    let mut expected = Vec::new();
    for (product, qty, tab) in put_at_once {
        tab.await.unwrap().is(200);
        expected.push((json!(product), json!(qty)));
    }
    let mut found = pieces(&cart(&shop, user).await);
    found.sort_by_key(|(_, qty)| qty.as_u64());
    assert_eq!(found, expected);
}

async fn a_change_of_a_cart_that_has_changed_since_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let product = shop.product(1_000, 5).await;
    let first = tag(&shop.get("/cart").by(user).await.is(200));
    let second = tag(&put(&shop, user, product, 1).header("If-Match", &first).await.is(200));
    assert_ne!(first, second);
    let weak = format!("W/{second}");
    for stale in [first.as_str(), weak.as_str(), "\"1\"", "1", "\"x\""] {
        for call in [
            put(&shop, user, product, 2),
            remove(&shop, user, product),
            shop.api(Method::DELETE, "/cart").by(user),
        ] {
            call.header("If-Match", stale).await.problem(412, "PRECONDITION_FAILED");
        }
    }
    let list = format!("{first}, {second}");
    put(&shop, user, product, 2).header("If-Match", &list).await.is(200);
    put(&shop, user, product, 3).header("If-Match", "*").await.is(200);
    // Stock and prices are not what the caller changes: an order by somebody else is no reason to refuse.
    let seen = tag(&shop.get("/cart").by(user).await.is(200));
    let buyer = shop.buyer(10_000).await;
    shop.order(buyer, product, 1).await.is(201);
    let changed = remove(&shop, user, product).header("If-Match", &seen).await.ok();
    assert_eq!(changed["items"], json!([]));
}

async fn a_tag_tells_of_prices_and_stock_as_well(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let user = shop.user().await;
    let product = shop.product(1_000, 5).await;
    put(&shop, user, product, 1).await.is(200);
    let mut seen = tag(&shop.get("/cart").by(user).await.is(200));
    let again = |tag: &str| shop.get("/cart").by(user).header("If-None-Match", tag);
    let unchanged = again(&seen).await.is(304);
    assert_eq!((tag(&unchanged), unchanged.text.as_str()), (seen.clone(), ""));
    let buyer = shop.buyer(10_000).await;
    shop.order(buyer, product, 1).await.is(201);
    for change in [None, Some(json!({"price": 2_000})), Some(json!({"name": "x"}))] {
        if let Some(change) = change {
            shop.patch(&format!("/products/{product}")).by(shop.admin).json(change).await.is(200);
        }
        let answer = again(&seen).await.is(200);
        assert_ne!(tag(&answer), seen);
        seen = tag(&answer);
        again(&seen).await.is(304);
    }
}

async fn nobody_sees_the_cart_of_another(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let (user, other) = (shop.user().await, shop.user().await);
    let product = shop.product(1_000, 5).await;
    let own = put(&shop, user, product, 2).await.ok();
    assert_eq!(cart(&shop, other).await["items"], json!([]));
    shop.api(Method::DELETE, "/cart").by(other).await.is(200);
    remove(&shop, other, product).await.is(200);
    order(&shop, other).await.invalid(&["/fromCart"]);
    assert_eq!(cart(&shop, user).await, own);
    let path = format!("/users/{user}/cart");
    assert_eq!(shop.get(&path).by(user).await.ok(), own);
    assert_eq!(shop.get(&path).by(shop.admin).await.ok(), own);
    shop.get(&path).by(other).await.problem(404, "NOT_FOUND");
    shop.get(&format!("/users/{NOBODY}/cart")).by(shop.admin).await.problem(404, "NOT_FOUND");
}

async fn an_order_from_the_cart_empties_it(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let (tea, cup) = (shop.product(1_500, 10).await, shop.product(200, 3).await);
    put(&shop, buyer, tea, 2).await.is(200);
    put(&shop, buyer, cup, 3).await.is(200);
    // At the price of now, whatever it was when it was put.
    shop.patch(&format!("/products/{cup}")).by(shop.admin).json(json!({"price": 300})).await.is(200);
    let seen = shop.get("/cart").by(buyer).await.is(200);
    let body = format!(r#"{{"fromCart":true,"expectedAmount":{}}}"#, seen.raw("totalAmount"));
    let placed = shop.post("/orders").by(buyer).header("If-Match", tag(&seen)).body(body).await.is(201);
    assert_eq!(
        (placed.raw("totalAmount"), placed.raw("userPointBalance")),
        ("3900.00".into(), "6100.00".into())
    );
    assert_eq!(pieces(&placed.json()), [(json!(tea), json!(2)), (json!(cup), json!(3))]);
    assert_eq!((shop.stock(tea).await, shop.stock(cup).await), (8, 0));
    assert_eq!(cart(&shop, buyer).await["items"], json!([]));
    order(&shop, buyer).await.invalid(&["/fromCart"]);
    // Items of its own leave the cart alone.
    put(&shop, buyer, tea, 1).await.is(200);
    shop.order(buyer, tea, 1).await.is(201);
    assert_eq!(pieces(&cart(&shop, buyer).await), [(json!(tea), json!(1))]);
    shop.assert_audit_is_clean().await;
}

async fn an_order_that_is_refused_leaves_the_cart(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(1_000).await;
    let (tea, few) = (shop.product(1_500, 10).await, shop.product(200, 1).await);
    put(&shop, buyer, few, 2).await.is(200);
    let seen = put(&shop, buyer, tea, 1).await.is(200);
    let problem = order(&shop, buyer).await.problem(409, "OUT_OF_STOCK");
    assert_eq!(problem["productId"], json!(few));
    put(&shop, buyer, few, 1).await.is(200);
    order(&shop, buyer).await.problem(409, "INSUFFICIENT_BALANCE");
    let expecting = json!({"fromCart": true, "expectedAmount": 1});
    shop.post("/orders").by(buyer).json(expecting).await.problem(409, "CONFLICT");
    let left = shop.get("/cart").by(buyer).await.is(200);
    assert_eq!(pieces(&left.json()), [(json!(few), json!(1)), (json!(tea), json!(1))]);
    assert_ne!(tag(&left), tag(&seen));
    assert_eq!((shop.stock(tea).await, shop.stock(few).await), (10, 1));
    shop.charge(buyer, "1000").await.is(200);
    order(&shop, buyer).await.is(201);
    shop.assert_audit_is_clean().await;
}

async fn an_order_has_either_items_or_the_cart(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_500, 10).await;
    put(&shop, buyer, product, 1).await.is(200);
    let items = json!([{"productId": product, "qty": 1}]);
    for (body, pointer) in [
        (json!({}), "/items"),
        (json!({"fromCart": false}), "/items"),
        (json!({"fromCart": true, "items": items}), "/fromCart"),
    ] {
        shop.post("/orders").by(buyer).json(body).await.invalid(&[pointer]);
    }
    shop.post("/orders").by(buyer).json(json!({"fromCart": 1})).await.invalid(&["/fromCart"]);
    shop.post("/orders").by(buyer).json(json!({"fromCart": false, "items": items})).await.is(201);
    assert_eq!(pieces(&cart(&shop, buyer).await), [(json!(product), json!(1))]);
}

async fn an_order_from_a_cart_that_is_not_as_seen_is_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_500, 10).await;
    let seen = tag(&put(&shop, buyer, product, 1).await.is(200));
    // The other tab.
    put(&shop, buyer, product, 2).await.is(200);
    order(&shop, buyer).header("If-Match", &seen).await.problem(412, "PRECONDITION_FAILED");
    assert_eq!(pieces(&cart(&shop, buyer).await), [(json!(product), json!(2))]);
    assert_eq!(shop.orders(buyer).await, [""; 0]);
}

async fn an_order_that_is_repeated_finds_its_answer_though_the_cart_is_empty(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(10_000).await;
    let product = shop.product(1_500, 10).await;
    // A refusal leaves the key free.
    order(&shop, buyer).key("again").await.invalid(&["/fromCart"]);
    let seen = tag(&put(&shop, buyer, product, 1).await.is(200));
    let place = || order(&shop, buyer).key("again").header("If-Match", &seen);
    let placed = place().await.is(201);
    for _ in 0..2 {
        let again = place().await.is(201);
        assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &placed.text));
        // Also when something else is in it.
        put(&shop, buyer, product, 5).await.is(200);
    }
    assert_eq!(shop.stock(product).await, 9);
    assert_eq!(pieces(&cart(&shop, buyer).await), [(json!(product), json!(5))]);
    shop.assert_audit_is_clean().await;
}

async fn of_two_orders_of_one_cart_at_once_one_is_placed(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let buyer = shop.buyer(100_000).await;
    let product = shop.product(1_500, 100).await;
    for round in 1..=5 {
        put(&shop, buyer, product, 1).await.is(200);
        let at_once: Vec<_> = (0..4).map(|_| tokio::spawn(order(&shop, buyer).into_future())).collect();
        let mut placed = 0;
        for answer in at_once {
            let answer = answer.await.unwrap();
            match answer.status {
                201 => placed += 1,
                // It found the cart empty, or it was emptied under its hands.
                400 => answer.invalid(&["/fromCart"]),
                _ => drop(answer.problem(409, "CONFLICT")),
            }
        }
        assert_eq!((placed, shop.stock(product).await), (1, 100 - round));
    }
    shop.assert_audit_is_clean().await;
}
