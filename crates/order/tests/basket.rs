//! Properties of baskets: what is listed twice is added up, and no limit is passed.

use std::collections::BTreeMap;

use kernel::ProductId;
use order::{Basket, OrderError};
use proptest::prelude::*;
use uuid::Uuid;

fn product(number: u16) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number.into()))
}

fn basket(items: &[(u16, u32)]) -> Result<Basket, OrderError> {
    Basket::new(items.iter().map(|(number, quantity)| (product(*number), *quantity)))
}

proptest! {
    #[test]
    fn a_product_that_is_listed_twice_is_added_up(
        items in prop::collection::vec((0..20_u16, 1..=40_u32), 1..=25),
    ) {
        let basket = basket(&items).unwrap();
        let mut sums: BTreeMap<ProductId, u32> = BTreeMap::new();
        let mut first_named = Vec::new();
        for (number, quantity) in items {
            if !sums.contains_key(&product(number)) {
                first_named.push(product(number));
            }
            *sums.entry(product(number)).or_default() += quantity;
        }
        let merged: BTreeMap<_, _> = basket.items().iter().copied().collect();
        prop_assert_eq!(&merged, &sums);
        // Lines keep the order in which their products were first named.
        let named: Vec<_> = basket.items().iter().map(|(product, _)| *product).collect();
        prop_assert_eq!(named, first_named);
        prop_assert!(basket.product_ids().into_iter().eq(sums.into_keys()));
    }

    #[test]
    fn a_basket_is_within_its_limits_or_is_none(
        items in prop::collection::vec((0..120_u16, prop_oneof![8 => 1..=500_u32, 1 => any::<u32>()]), 0..=110),
    ) {
        let mut sums: BTreeMap<u16, u64> = BTreeMap::new();
        for (number, quantity) in &items {
            *sums.entry(*number).or_default() += u64::from(*quantity);
        }
        let count_fits = (1..=Basket::MAX_ITEMS).contains(&items.len());
        let quantities_fit = items.iter().all(|(_, quantity)| *quantity > 0)
            && sums.values().all(|sum| *sum <= u64::from(Basket::MAX_QUANTITY));
        match basket(&items) {
            Ok(basket) => {
                prop_assert!(count_fits && quantities_fit);
                prop_assert_eq!(basket.items().len(), sums.len());
            }
            Err(OrderError::InvalidItemCount) => prop_assert!(!count_fits),
            Err(OrderError::InvalidQuantity) => prop_assert!(!quantities_fit),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn the_limits_belong_to_a_basket_and_one_more_does_not() {
    let different = |count: u16| (0..count).map(|number| (number, 1)).collect::<Vec<_>>();
    assert_eq!(basket(&[]), Err(OrderError::InvalidItemCount));
    assert!(basket(&different(100)).is_ok());
    assert_eq!(basket(&different(101)), Err(OrderError::InvalidItemCount));
    // A hundred entries are a hundred entries, whatever they add up to.
    assert!(basket(&vec![(1, 10); 100]).is_ok());
    assert_eq!(basket(&vec![(1, 1); 101]), Err(OrderError::InvalidItemCount));
    assert_eq!(basket(&[(1, 0)]), Err(OrderError::InvalidQuantity));
    assert!(basket(&[(1, 1_000)]).is_ok());
    assert_eq!(basket(&[(1, 1_001)]), Err(OrderError::InvalidQuantity));
    assert!(basket(&[(1, 400), (2, 1_000), (1, 600)]).is_ok());
    assert_eq!(basket(&[(1, 400), (2, 1_000), (1, 601)]), Err(OrderError::InvalidQuantity));
    assert_eq!(basket(&[(1, 1_000), (1, u32::MAX)]), Err(OrderError::InvalidQuantity));
}
