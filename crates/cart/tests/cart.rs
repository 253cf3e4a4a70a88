//! A cart: what its methods do, and what any sequence of them leaves.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::BTreeMap;

use cart::{Cart, CartError, CartState, Offer};
use kernel::{DomainError, ErrorKind, Money, ProductId, Timestamp, UserId};
use proptest::prelude::*;
use uuid::Uuid;

const USER: UserId = UserId::from_uuid(Uuid::from_u128(1));

fn product(number: u32) -> ProductId {
    ProductId::from_uuid(Uuid::from_u128(number.into()))
}

fn offer(number: u32, won: i64, stock: u32) -> Offer {
    let name = format!("thing {number}");
    Offer { product_id: product(number), name, unit_price: Money::won(won), stock }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(second, 0).unwrap()
}

fn cart(items: &[(u32, u32)]) -> Cart {
    let mut cart = Cart::empty(USER);
    for (number, quantity) in items {
        cart.put(&offer(*number, 100, 10), *quantity, at(1)).unwrap();
    }
    cart
}

#[test]
fn what_changes_nothing_leaves_the_version_alone() {
    let mut cart = Cart::empty(USER);
    assert_eq!((cart.version, cart.is_empty()), (0, true));
    assert!(!cart.clear(at(1)) && !cart.remove(product(1), at(1)));
    assert_eq!(cart, Cart::empty(USER));
    assert_eq!(cart.put(&offer(1, 100, 5), 2, at(1)), Ok(true));
    let before = cart.clone();
    assert_eq!(cart.put(&offer(1, 100, 0), 2, at(9)), Ok(false), "stock is not the cart's");
    assert!(!cart.remove(product(2), at(9)));
    assert_eq!(cart, before);
    // Another number, another price, another name: each is a change.
    for (offer, quantity) in [(offer(1, 100, 5), 3), (offer(1, 200, 5), 3)] {
        assert_eq!(cart.put(&offer, quantity, at(9)), Ok(true));
    }
    let renamed = Offer { name: "other".into(), ..offer(1, 200, 5) };
    assert_eq!(cart.put(&renamed, 3, at(9)), Ok(true));
    assert_eq!((cart.version, cart.lines[0].added_at, cart.updated_at), (4, at(1), at(9)));
    assert!(cart.remove(product(1), at(10)));
    assert_eq!((cart.version, cart.is_empty()), (5, true));
}

#[test]
fn a_cart_has_its_limits() {
    let mut full = cart(&(1..=100).map(|number| (number, 1)).collect::<Vec<_>>());
    for quantity in [0, 1_001, u32::MAX] {
        assert_eq!(full.put(&offer(1, 100, 1), quantity, at(2)), Err(CartError::InvalidQuantity));
    }
    let before = full.clone();
    assert_eq!(full.put(&offer(101, 100, 1), 1, at(2)), Err(CartError::Full));
    assert_eq!(full, before);
    assert_eq!(full.put(&offer(100, 100, 1), 1_000, at(2)), Ok(true), "what is there can change");
    assert!(full.remove(product(7), at(2)));
    assert_eq!(full.put(&offer(101, 100, 1), 1, at(3)), Ok(true));
}

#[test]
fn only_the_version_that_was_ordered_is_checked_out() {
    let mut cart = cart(&[(1, 2), (2, 1)]);
    assert_eq!(cart.version, 2);
    for other in [0, 1, 3] {
        assert_eq!(cart.check_out(other, at(2)), Err(CartError::Changed));
    }
    assert_eq!(cart.pieces().collect::<Vec<_>>(), [(product(1), 2), (product(2), 1)]);
    assert_eq!(cart.check_out(2, at(2)), Ok(()));
    assert_eq!((cart.version, cart.is_empty()), (3, true));
    assert_eq!(cart.check_out(2, at(2)), Err(CartError::Changed), "it has been ordered");
    assert_eq!(cart.check_out(3, at(2)), Err(CartError::Empty));
    let kinds = [CartError::Changed, CartError::Empty, CartError::NotAsSeen, CartError::Full]
        .map(|error| (error.kind(), error.code()));
    let expected = [
        (ErrorKind::Conflict, "CONFLICT"),
        (ErrorKind::Invalid, "VALIDATION_ERROR"),
        (ErrorKind::PreconditionFailed, "PRECONDITION_FAILED"),
        (ErrorKind::Conflict, "CONFLICT"),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_cart_shows_what_the_shop_says_now() {
    let cart = cart(&[(1, 2), (2, 3), (3, 1), (4, 1)]);
    let offers: BTreeMap<ProductId, Offer> = [offer(1, 100, 2), offer(2, 150, 2), offer(3, 100, 0)]
        .map(|offer| (offer.product_id, offer))
        .into_iter()
        .collect();
    let shown = cart.shown(&offers);
    let seen: Vec<_> = shown
        .lines
        .iter()
        .map(|line| {
            (line.unit_price, line.subtotal, line.stock, line.available, line.sold_out(), line.previous_price)
        })
        .collect();
    let won = Money::won;
    let expected = [
        (won(100), won(200), 2, true, false, None),
        (won(150), won(450), 2, false, false, Some(won(100))),
        (won(100), won(100), 0, false, true, None),
        // It is not for sale any more.
        (won(100), won(100), 0, false, true, None),
    ];
    assert_eq!(seen, expected);
    assert_eq!((shown.total, shown.quantity(), shown.is_orderable()), (won(850), 7, false));
    assert!(!Cart::empty(USER).shown(&offers).is_orderable());
    let mut dear = cart.clone();
    let most = Offer { unit_price: Money::MAX, ..offer(1, 1, 1_000) };
    dear.put(&most, 1_000, at(3)).unwrap();
    let shown = dear.shown(&[(most.product_id, most)].into());
    assert_eq!((shown.lines[0].subtotal, shown.total), (Money::MAX, Money::MAX));
}

#[test]
fn a_cart_is_restored_only_if_it_fits() {
    let whole = cart(&[(1, 2), (2, 1)]);
    assert_eq!(Cart::restore((*whole).clone()).as_ref(), Ok(&whole));
    let broken = |spoil: fn(&mut CartState)| {
        let mut state = (*whole).clone();
        spoil(&mut state);
        Cart::restore(state).err() == Some(CartError::Inconsistent)
    };
    assert!(broken(|state| state.version = 0));
    assert!(broken(|state| state.lines[0].quantity = 0));
    assert!(broken(|state| state.lines[0].quantity = 1_001));
    assert!(broken(|state| state.lines[0].unit_price = Money::won(-1)));
    assert!(broken(|state| state.lines[1].product_id = state.lines[0].product_id));
    assert!(broken(|state| {
        let line = state.lines[0].clone();
        state
            .lines
            .extend((10..110).map(|number| cart::CartLine { product_id: product(number), ..line.clone() }));
    }));
}

#[derive(Clone, Debug)]
enum Step {
    Put(u32, u32),
    Remove(u32),
    Clear,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8_u32, 1..=3_u32).prop_map(|(number, quantity)| Step::Put(number, quantity)),
        3 => (0..8_u32).prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn a_cart_holds_what_was_put_last_and_counts_its_changes(steps in prop::collection::vec(any_step(), 0..40)) {
        let mut cart = Cart::empty(USER);
        let mut model: BTreeMap<ProductId, u32> = BTreeMap::new();
        for (second, step) in (1..).zip(steps) {
            let (before, version) = (model.clone(), cart.version);
            let changed = match step {
                Step::Put(number, quantity) => {
                    model.insert(product(number), quantity);
                    cart.put(&offer(number, 100, 1), quantity, at(second)).unwrap()
                }
                Step::Remove(number) => {
                    model.remove(&product(number));
                    cart.remove(product(number), at(second))
                }
                Step::Clear => {
                    model.clear();
                    cart.clear(at(second))
                }
            };
            prop_assert_eq!(changed, before != model);
            prop_assert_eq!(cart.version, version + u32::from(changed));
            prop_assert_eq!(cart.pieces().collect::<BTreeMap<_, _>>(), model.clone());
            prop_assert_eq!(Cart::restore((*cart).clone()).unwrap(), cart.clone());
        }
    }
}
