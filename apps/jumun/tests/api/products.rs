//! Products as everybody sees them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};

use crate::support::{NOBODY, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_list_shows_what_is_for_sale_newest_first,
        pages_hold_every_product_once,
        a_list_is_sorted_as_asked,
        a_list_is_filtered_as_asked,
        wrong_parameters_of_a_list_are_refused,
        stock_is_that_of_the_moment,
        many_callers_of_a_page_see_the_stock_of_the_moment,
        a_list_is_compressed_for_whom_accepts_it,
        a_representation_that_the_caller_has_is_not_sent_again,
        a_product_off_sale_is_hidden_from_all_but_administrators,
        what_is_no_product_is_not_found,
    ]
}

async fn a_list_shows_what_is_for_sale_newest_first(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let tea = shop.product_named("Oolong tea, 100 g", "19900.00", 42).await;
    let cup = shop.product_named("찻잔 \"백자\"", "0.5", 0).await;
    let gone = shop.product(1_000, 1).await;
    shop.withdraw(gone).await;

    let list = shop.get("/products").await.is(200);
    let shown = list.json();
    let created = |place: usize| shown["content"][place]["createdAt"].as_str().unwrap().to_owned();
    let expected = format!(
        r#"{{"content":[{{"id":"{cup}","name":"찻잔 \"백자\"","price":0.50,"stock":0,"soldOut":true,"status":"ACTIVE","createdAt":"{}"}},{{"id":"{tea}","name":"Oolong tea, 100 g","price":19900.00,"stock":42,"soldOut":false,"status":"ACTIVE","createdAt":"{}"}}],"page":0,"size":20,"totalElements":2,"totalPages":1}}"#,
        created(0),
        created(1),
    );
    assert_eq!(list.text, expected);
    for place in [0, 1] {
        let created = created(place);
        assert!(created.len() == 20 && created.ends_with('Z'), "{created}");
    }
}

async fn pages_hold_every_product_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let mut wanted = BTreeSet::new();
    for _ in 0..5 {
        wanted.insert(shop.product(1_000, 1).await.to_string());
    }
    let mut found = Vec::new();
    for page in 0..3 {
        let shown = shop.get(&format!("/products?page={page}&size=2")).await.ok();
        for (member, value) in [("page", page), ("size", 2), ("totalElements", 5), ("totalPages", 3)] {
            assert_eq!(shown[member], value, "{member}");
        }
        found.extend(ids(&shown));
    }
    assert_eq!(found.len(), 5);
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);

    for beyond in ["3", "4294967295"] {
        let shown = shop.get(&format!("/products?page={beyond}&size=100")).await.ok();
        assert_eq!(shown["content"], json!([]));
        assert_eq!(shown["totalElements"], 5);
    }
    assert_eq!(ids(&shop.get("/products?size=100").await.ok()).len(), 5);
}

async fn a_list_is_sorted_as_asked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (name, price) in [("b", "2000"), ("a", "3000"), ("c", "1000")] {
        shop.product_named(name, price, 1).await;
    }
    for (sort, expected) in [
        ("", "cab"),
        ("?sort=createdAt,desc", "cab"),
        ("?sort=createdAt,asc", "bac"),
        ("?sort=createdAt", "bac"),
        ("?sort=price,asc", "cba"),
        ("?sort=price", "cba"),
        ("?sort=price,desc", "abc"),
        ("?sort=name,asc", "abc"),
        ("?sort=name", "abc"),
        ("?sort=name,desc", "cba"),
    ] {
        let shown = shop.get(&format!("/products{sort}")).await.ok();
        assert_eq!(names(&shown).concat(), expected, "{sort}");
    }
}

async fn a_list_is_filtered_as_asked(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (name, price, stock) in [
        ("Green Tea", "1000.00", 0),
        ("black tea", "2000.00", 5),
        ("100% juice", "3000.00", 5),
        ("1000 cups", "4000.01", 0),
        ("snake_case", "5000.00", 5),
        ("back\\slash", "6000.00", 0),
    ] {
        shop.product_named(name, price, stock).await;
    }
    for (filter, expected) in [
        ("q=TEA", vec!["Green Tea", "black tea"]),
        ("q=100%25", vec!["100% juice"]),
        ("q=e_c", vec!["snake_case"]),
        ("q=K%5Cs", vec!["back\\slash"]),
        ("q=%5C", vec!["back\\slash"]),
        ("q=%5C%5C", vec![]),
        ("q=%FF", vec![]),
        ("q=%27%20OR%201%3D1%20--", vec![]),
        ("q=", vec!["Green Tea", "black tea", "100% juice", "1000 cups", "snake_case", "back\\slash"]),
        ("minPrice=4000.01", vec!["1000 cups", "snake_case", "back\\slash"]),
        ("maxPrice=2000", vec!["Green Tea", "black tea"]),
        ("minPrice=2000.00&maxPrice=4000", vec!["black tea", "100% juice"]),
        ("minPrice=6000.01", vec![]),
        ("inStock=true", vec!["black tea", "100% juice", "snake_case"]),
        ("inStock=false", vec!["Green Tea", "1000 cups", "back\\slash"]),
        ("q=tea&inStock=true&maxPrice=2000", vec!["black tea"]),
    ] {
        let shown = shop.get(&format!("/products?sort=createdAt,asc&{filter}")).await.ok();
        assert_eq!(names(&shown), expected, "{filter}");
        assert_eq!(shown["totalElements"], expected.len(), "{filter}");
    }
}

async fn wrong_parameters_of_a_list_are_refused(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for (query, pointer) in [
        ("size=0", "/size"),
        ("size=101", "/size"),
        ("sort=stock", "/sort"),
        ("sort=price,up", "/sort"),
        ("sort=", "/sort"),
        ("minPrice=cheap", "/minPrice"),
        ("minPrice=1.001", "/minPrice"),
        ("maxPrice=1e400", "/maxPrice"),
        ("unknown=1", "/unknown"),
        ("Size=1", "/Size"),
        ("size=-1", "/size"),
        ("size=ten", "/size"),
        ("page=-1", "/page"),
        ("page=4294967296", "/page"),
        ("size=1&size=2", "/size"),
        ("inStock=yes", "/inStock"),
        ("in_stock=true", "/in_stock"),
    ] {
        shop.get(&format!("/products?{query}")).await.invalid(&[pointer]);
    }
    let long = "x".repeat(201);
    shop.get(&format!("/products?q={long}")).await.invalid(&["/q"]);
}

async fn stock_is_that_of_the_moment(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 3).await;
    let buyer = shop.buyer(10_000).await;
    for left in [2, 1, 0] {
        shop.order(buyer, product, 1).await.is(201);
        let shown = shop.get("/products").await.ok()["content"][0].clone();
        assert_eq!((&shown["stock"], &shown["soldOut"]), (&json!(left), &json!(left == 0)));
        let shown = shop.get(&format!("/products/{product}")).await.ok();
        assert_eq!((&shown["stock"], &shown["soldOut"]), (&json!(left), &json!(left == 0)));
    }
    assert_eq!(names(&shop.get("/products?inStock=true").await.ok()).len(), 0);
}

async fn many_callers_of_a_page_see_the_stock_of_the_moment(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 30).await;
    let buyer = shop.buyer(100_000).await;
    // Readers keep asking for the same page while pieces are sold; none sees more than there were when it asked.
    let left = AtomicU64::new(30);
    let is_over = AtomicBool::new(false);
    let reader = async || {
        let mut pages = 0;
        while !is_over.load(Ordering::SeqCst) {
            let most = left.load(Ordering::SeqCst);
            let shown = shop.get("/products").await.ok()["content"][0]["stock"].as_u64().unwrap();
            assert!(shown <= most, "{shown} pieces shown to whom {most} were left");
            pages += 1;
        }
        assert!(pages > 0);
    };
    let seller = async {
        for sold in 1..=10 {
            shop.order(buyer, product, 1).await.is(201);
            left.store(30 - sold, Ordering::SeqCst);
        }
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(seller, join_all((0..16).map(|_| reader())));
}

async fn a_list_is_compressed_for_whom_accepts_it(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for _ in 0..20 {
        shop.product(1_000, 3).await;
    }
    for path in ["/products", "/products?minPrice=1"] {
        let plain = shop.get(path).await.is(200);
        assert_eq!(plain.header("vary"), Some("accept-encoding"));
        assert_eq!(plain.header("content-encoding"), None);
        assert!(plain.text.len() > 2_000, "worth it");
        let coded = shop.get(path).header("Accept-Encoding", "gzip").await.is(200);
        assert_eq!(coded.header("content-encoding"), Some("gzip"));
        assert_eq!(coded.header("vary"), Some("accept-encoding"));
        let length: usize = coded.header("content-length").unwrap().parse().unwrap();
        assert!(length < plain.text.len() / 2, "{length} bytes");
    }
    let short = shop.get("/products?size=1").header("Accept-Encoding", "gzip").await.is(200);
    assert_eq!((short.header("content-encoding"), short.header("vary")), (None, Some("accept-encoding")));
}

async fn a_representation_that_the_caller_has_is_not_sent_again(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 3).await;
    let path = format!("/products/{product}");
    let shown = shop.get(&path).await.is(200);
    let tag = shown.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");

    for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
        let answer = shop.get(&path).header("If-None-Match", &known).await.is(304);
        assert_eq!((answer.text.as_str(), answer.header("etag")), ("", Some(tag.as_str())), "{known}");
    }
    let answer = shop.get(&path).header("If-None-Match", "\"other\"").await.is(200);
    assert_eq!(answer.text, shown.text);

    // Stock is part of what is shown.
    let buyer = shop.buyer(1_000).await;
    shop.order(buyer, product, 1).await.is(201);
    let answer = shop.get(&path).header("If-None-Match", &tag).await.is(200);
    assert_eq!(answer.json()["stock"], 2);
    assert_ne!(answer.header("etag"), Some(tag.as_str()));
}

async fn a_product_off_sale_is_hidden_from_all_but_administrators(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let product = shop.product(1_000, 3).await;
    let buyer = shop.buyer(10_000).await;
    shop.withdraw(product).await;
    let path = format!("/products/{product}");

    shop.get(&path).await.problem(404, "NOT_FOUND");
    shop.get(&path).by(buyer).await.problem(404, "NOT_FOUND");
    assert_eq!(shop.get(&path).by(shop.admin).await.ok()["status"], "INACTIVE");
    for caller in [buyer, shop.admin] {
        let list = shop.get("/products").by(caller).await.ok();
        assert_eq!((&list["content"], &list["totalElements"]), (&json!([]), &json!(0)));
    }
    shop.order(buyer, product, 1).await.problem(404, "NOT_FOUND");

    shop.patch(&path).by(shop.admin).json(json!({"status": "ACTIVE"})).await.is(200);
    shop.get(&path).await.is(200);
    shop.order(buyer, product, 1).await.is(201);
}

async fn what_is_no_product_is_not_found(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    let problem = shop.get(&format!("/products/{NOBODY}")).await.problem(404, "NOT_FOUND");
    assert_eq!(problem["productId"], NOBODY);
    for id in ["1", "x", "00000000000070008000000000000101", "%7B00000000-0000-7000-8000-00000000dead%7D"] {
        shop.get(&format!("/products/{id}")).await.invalid(&["/id"]);
    }
    // Whoever says who it is must be somebody, at an open endpoint too.
    shop.get(&format!("/products/{NOBODY}")).header("X-User-Id", NOBODY).await.problem(401, "UNAUTHORIZED");
}

fn ids(page: &Value) -> Vec<String> {
    members(page, "id")
}

fn names(page: &Value) -> Vec<String> {
    members(page, "name")
}

fn members(page: &Value, name: &str) -> Vec<String> {
    let content = page["content"].as_array().unwrap();
    content.iter().map(|entry| entry[name].as_str().unwrap().to_owned()).collect()
}
