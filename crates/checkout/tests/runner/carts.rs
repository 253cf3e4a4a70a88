//! Changes of carts.

use std::sync::Arc;

use cart::Cart;
use checkout::{CartChange, ChangeCart, Checkout, UseCaseError};
use kernel::{DomainError, Money, ProductId, UserId};
use product::{Product, ProductState, ProductStatus};
use uuid::Uuid;

use crate::memory::{CommitFault, Count, Memory, checkout};

const USER: UserId = UserId::from_uuid(Uuid::from_u128(9));

async fn change(checkout: &Checkout, change: CartChange, seen: Option<u32>) -> Result<Cart, UseCaseError> {
    let precondition = Box::new(move |cart: &Cart| seen.is_none_or(|seen| seen == cart.version));
    checkout.change_cart(ChangeCart { user_id: USER, change, precondition }).await
}

fn put(memory: &Memory, product_id: ProductId, quantity: u32) -> CartChange {
    CartChange::Put { product_id, product: memory.tables().products.get(&product_id).cloned(), quantity }
}

fn rejection(result: Result<Cart, UseCaseError>) -> &'static str {
    match result {
        Err(UseCaseError::Rejected(rejection)) => rejection.code(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_cart_is_changed_and_what_changes_nothing_is_not_stored() {
    let memory = Arc::new(Memory::default());
    let (first, second) = (memory.stock(1, Money::won(1_000), 1), memory.stock(2, Money::won(2_000), 0));
    let checkout = checkout(&memory);
    change(&checkout, put(&memory, first, 5), None).await.unwrap();
    let cart = change(&checkout, put(&memory, second, 1), None).await.unwrap();
    assert_eq!(cart.pieces().collect::<Vec<_>>(), [(first, 5), (second, 1)], "stock is not asked for");
    assert_eq!(memory.tables().carts[&USER], cart);
    for same in [put(&memory, first, 5), CartChange::Remove(ProductId::from_uuid(Uuid::nil()))] {
        assert_eq!(change(&checkout, same, None).await.unwrap(), cart);
    }
    let cart = change(&checkout, CartChange::Remove(first), None).await.unwrap();
    assert_eq!((cart.version, cart.pieces().collect::<Vec<_>>()), (3, vec![(second, 1)]));
    let cart = change(&checkout, CartChange::Clear, None).await.unwrap();
    assert_eq!((cart.version, cart.is_empty()), (4, true));
    assert_eq!(memory.tables().carts[&USER], cart);
}

#[tokio::test(start_paused = true)]
async fn only_what_is_for_sale_is_put() {
    let memory = Arc::new(Memory::default());
    let product_id = memory.stock(1, Money::won(1_000), 1);
    let checkout = checkout(&memory);
    let known = memory.tables().products[&product_id].clone();
    let withdrawn = ProductState { status: ProductStatus::Inactive, ..(*known).clone() };
    let withdrawn = Some(Product::restore(withdrawn).unwrap());
    for product in [None, withdrawn] {
        let put = CartChange::Put { product_id, product, quantity: 1 };
        assert_eq!(rejection(change(&checkout, put, None).await), "NOT_FOUND");
    }
    assert_eq!(rejection(change(&checkout, put(&memory, product_id, 0), None).await), "VALIDATION_ERROR");
    assert!(memory.tables().carts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cart_changes_only_from_the_state_that_the_caller_has_seen() {
    let memory = Arc::new(Memory::default());
    let product = memory.stock(1, Money::won(1_000), 1);
    let checkout = checkout(&memory);
    change(&checkout, put(&memory, product, 1), Some(0)).await.unwrap();
    for stale in [put(&memory, product, 2), CartChange::Remove(product), CartChange::Clear] {
        assert_eq!(rejection(change(&checkout, stale, Some(0)).await), "PRECONDITION_FAILED");
    }
    assert_eq!(memory.tables().carts[&USER].version, 1);
    assert_eq!(change(&checkout, CartChange::Clear, Some(1)).await.unwrap().version, 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_in_the_way_of_another_runs_again() {
    let memory = Arc::new(Memory::default());
    let product = memory.stock(1, Money::won(1_000), 1);
    memory.fail_to_commit([CommitFault::Refused, CommitFault::Refused]);
    let cart = change(&checkout(&memory), put(&memory, product, 2), None).await.unwrap();
    assert_eq!((cart.version, memory.tables().carts[&USER].version), (1, 1));
    assert_eq!(memory.count(), Count { begun: 3, committed: 3, rolled_back: 0 });
}
