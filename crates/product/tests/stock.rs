//! Properties of stock: whatever is sold and adjusted, the ledger explains every piece.

#![cfg(test)]

use kernel::{Money, OrderId, ProductId, Timestamp};
use product::{
    AdjustmentReason, NewProduct, Product, ProductChange, ProductError, ProductName, ProductStatus,
    StockCause, StockMovement,
};
use proptest::prelude::*;
use uuid::Uuid;

#[derive(Clone, Debug)]
enum Step {
    Sell(u32),
    Adjust(i64),
    Change(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let limit = i64::from(Product::MAX_STOCK);
    prop_oneof![
        6 => (1..=40_u32).prop_map(Step::Sell),
        1 => any::<u32>().prop_map(Step::Sell),
        4 => (-60..=60_i64).prop_map(Step::Adjust),
        1 => prop_oneof![any::<i64>(), -limit..=limit].prop_map(Step::Adjust),
        2 => any::<bool>().prop_map(Step::Change),
    ]
}

const ORDER: OrderId = OrderId::from_uuid(Uuid::from_u128(2));
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn create(stock: u32) -> (Product, StockMovement) {
    let name = ProductName::new("a thing").unwrap();
    let new = NewProduct { name, price: Money::won(1_000), stock };
    Product::create(ProductId::from_uuid(Uuid::from_u128(1)), new, NOW).unwrap()
}

proptest! {
    #[test]
    fn stock_is_the_sum_of_its_ledger(stock in 0..=100_u32, steps in prop::collection::vec(step(), 0..=40)) {
        let (mut product, created) = create(stock);
        let mut ledger = vec![created];
        let mut changes = 1;
        let mut events = 0;
        for step in steps {
            let before = product.clone();
            let moved = match step {
                Step::Sell(quantity) => product.sell(quantity, ORDER, NOW),
                Step::Adjust(delta) => {
                    let reason = AdjustmentReason::new("counted").unwrap();
                    product.adjust(delta, reason, NOW).inspect(|_| events += 1)
                }
                Step::Change(for_sale) => {
                    let status = if for_sale { ProductStatus::Active } else { ProductStatus::Inactive };
                    let change = ProductChange { status: Some(status), ..ProductChange::default() };
                    product.change(change, NOW).unwrap();
                    changes += 1;
                    continue;
                }
            };
            match moved {
                Ok(movement) => ledger.push(movement),
                // A refusal changes nothing.
                Err(error) => {
                    prop_assert_eq!(&product, &before);
                    check_refusal(&error, &before, &step);
                }
            }
        }
        let mut balance = 0;
        for (sequence, movement) in (1..).zip(&ledger) {
            balance += movement.delta;
            prop_assert_eq!(movement.sequence, sequence);
            prop_assert_eq!(i64::from(movement.balance_after), balance);
            prop_assert_eq!(movement.product_id, product.id);
        }
        prop_assert_eq!(i64::from(product.stock), balance);
        prop_assert!(product.stock <= Product::MAX_STOCK);
        prop_assert_eq!(usize::try_from(product.stock_version).unwrap(), ledger.len());
        prop_assert_eq!((product.version, product.event_sequence), (changes + events, events));
        prop_assert_eq!(Product::restore((*product).clone()).unwrap(), product);
    }
}

fn check_refusal(error: &ProductError, before: &Product, step: &Step) {
    match (error, step) {
        (ProductError::NotFound(_), Step::Sell(_)) => assert_eq!(before.status, ProductStatus::Inactive),
        (ProductError::OutOfStock { requested, available, .. }, Step::Sell(quantity)) => {
            assert_eq!((requested, *available), (quantity, before.stock));
            assert!(quantity > available);
        }
        (ProductError::OutOfStock { available, .. }, Step::Adjust(delta)) => {
            assert_eq!(*available, before.stock);
            assert!(delta.checked_add(i64::from(before.stock)).is_none_or(|after| after < 0));
        }
        (ProductError::InvalidStock { max }, Step::Adjust(delta)) => {
            assert!(i64::from(before.stock).saturating_add(*delta) > i64::from(*max));
        }
        (ProductError::InvalidAdjustment, Step::Adjust(delta)) => assert_eq!(*delta, 0),
        other => panic!("{other:?} of {before:?}"),
    }
}

#[test]
fn a_product_begins_with_the_movement_that_explains_its_stock() {
    for stock in [0, 7, Product::MAX_STOCK] {
        let (product, created) = create(stock);
        assert_eq!((product.stock, product.stock_version, product.version), (stock, 1, 1));
        assert_eq!(created.cause, StockCause::Created);
        assert_eq!((created.sequence, created.delta, created.balance_after), (1, i64::from(stock), stock));
    }
    let name = ProductName::new("a thing").unwrap();
    let too_many = NewProduct { name, price: Money::ZERO, stock: Product::MAX_STOCK + 1 };
    let refused = Product::create(ProductId::from_uuid(Uuid::nil()), too_many, NOW);
    assert_eq!(refused, Err(ProductError::InvalidStock { max: Product::MAX_STOCK }));
}
