//! What callers are told when a product refuses, and which texts are taken.

#![cfg(test)]

use kernel::ErrorKind::{self, Conflict, Invalid, NotFound, PreconditionFailed};
use kernel::{DomainError, Money, OrderId, ProductId, Timestamp};
use product::{AdjustmentReason, NewProduct, Product, ProductError, ProductName, ProductStatus};
use uuid::Uuid;

const PRODUCT: ProductId = ProductId::from_uuid(Uuid::nil());

#[test]
fn every_refusal_has_its_kind_its_code_and_its_facts() {
    let sold_out = ProductError::OutOfStock { product_id: PRODUCT, requested: 3, available: 2 };
    let table: [(ProductError, ErrorKind, &str, usize); 8] = [
        (ProductError::NotFound(PRODUCT), NotFound, "NOT_FOUND", 1),
        (sold_out.clone(), Conflict, "OUT_OF_STOCK", 3),
        (ProductError::InvalidName, Invalid, "VALIDATION_ERROR", 0),
        (ProductError::InvalidPrice, Invalid, "VALIDATION_ERROR", 0),
        (ProductError::InvalidStock { max: 1 }, Invalid, "VALIDATION_ERROR", 0),
        (ProductError::InvalidAdjustment, Invalid, "VALIDATION_ERROR", 0),
        (ProductError::Malformed("no object".to_owned()), Invalid, "VALIDATION_ERROR", 0),
        (ProductError::Changed, PreconditionFailed, "PRECONDITION_FAILED", 0),
    ];
    let id = format!("\"{PRODUCT}\"");
    for (error, kind, code, facts) in table {
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        let details = error.details();
        assert_eq!(details.get("productId"), Some(id.as_str()).filter(|_| facts > 0), "{error}");
        assert_eq!(details.into_iter().count(), facts, "{error}");
    }
    let details = sold_out.details();
    assert_eq!((details.get("requested"), details.get("available")), (Some("3"), Some("2")));
}

#[test]
fn names_and_reasons_are_kept_without_the_white_space_around_them() {
    let longest = "각".repeat(200);
    for (text, kept) in [(" 우롱차, 100 g\n", "우롱차, 100 g"), ("A", "A"), (&longest, &longest)] {
        let name = ProductName::new(text).unwrap();
        assert_eq!((name.as_str(), name.to_string().as_str()), (kept, kept));
        assert_eq!(AdjustmentReason::new(text).unwrap().as_str(), kept);
    }
    for text in ["", " \t", "a\u{0}b", "a\nb", &"각".repeat(201)] {
        assert_eq!(ProductName::new(text), Err(ProductError::InvalidName), "{text:?}");
        assert_eq!(AdjustmentReason::new(text), Err(ProductError::InvalidAdjustment), "{text:?}");
    }
}

#[test]
fn a_status_is_read_as_it_was_written() {
    for (status, name) in [(ProductStatus::Active, "ACTIVE"), (ProductStatus::Inactive, "INACTIVE")] {
        assert_eq!((status.as_str(), ProductStatus::parse(name)), (name, Some(status)));
    }
    assert_eq!(ProductStatus::parse("active"), None);
}

#[test]
fn what_orders_gave_back_beyond_the_limit_can_be_sold() {
    let now = Timestamp::UNIX_EPOCH;
    let name = ProductName::new("a thing").unwrap();
    let new = NewProduct { name, price: Money::ZERO, stock: Product::MAX_STOCK };
    let (mut product, _) = Product::create(PRODUCT, new, now).unwrap();
    let order = OrderId::from_uuid(Uuid::nil());
    let movements = [product.take_back(5, order, now), product.sell(1, order, now)];
    let balances = movements.map(|movement| movement.unwrap().balance_after);
    assert_eq!(balances, [Product::MAX_STOCK + 5, Product::MAX_STOCK + 4]);
}
