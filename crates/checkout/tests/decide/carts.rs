//! Orders from carts.

use cart::{Cart, CartError, Offer};
use checkout::{OrderCommand, Rejection, Snapshot, decide};
use kernel::Money;

use crate::shop::{CountingIds, Shop, at, command, product_id, user_id};

/// A cart of the first user with so many pieces of some products, one change each.
fn cart(items: &[(u8, u32)]) -> Cart {
    let mut cart = Cart::empty(user_id(1));
    for (number, quantity) in items {
        let (product_id, unit_price) = (product_id(*number), Money::won(1_000));
        let offer = Offer { product_id, name: "a thing".into(), unit_price, stock: 10 };
        cart.put(&offer, *quantity, at().now).unwrap();
    }
    cart
}

fn snapshot(balance: i64, cart: &Cart) -> Snapshot {
    let shop = Shop::default().with_product(1, Money::won(1_000), 10).with_product(2, Money::won(1_000), 10);
    shop.with_wallet(1, Money::won(balance)).snapshot().with_carts(vec![cart.clone()])
}

fn from_cart(number: usize, version: u32, items: &[(u8, u32)]) -> OrderCommand {
    OrderCommand { cart: Some(version), ..command(number, 1, items) }
}

#[test]
fn an_accepted_order_empties_the_cart_that_it_came_from() {
    let full = cart(&[(1, 2), (2, 3)]);
    let mut snapshot = snapshot(100_000, &full);
    let decision =
        decide(&mut snapshot, &[from_cart(1, 2, &[(1, 2), (2, 3)])], at(), &CountingIds::default());
    assert!(decision.outcomes[0].is_ok(), "{:?}", decision.outcomes);
    let mut emptied = full;
    emptied.check_out(2, at().now).unwrap();
    assert_eq!(decision.changes.carts, [emptied.clone()]);
    assert!(snapshot.carts().eq([&emptied]));
}

#[test]
fn a_cart_that_has_changed_since_it_was_read_is_not_ordered() {
    let full = cart(&[(1, 2), (2, 3)]);
    for version in [0, 1, 3] {
        let mut snapshot = snapshot(100_000, &full);
        let decision =
            decide(&mut snapshot, &[from_cart(1, version, &[(1, 2)])], at(), &CountingIds::default());
        assert_eq!(decision.outcomes, [Err(Rejection::Cart(CartError::Changed))]);
        assert!(decision.changes.is_empty() && decision.changes.carts.is_empty());
        assert!(snapshot.carts().eq([&full]));
    }
}

#[test]
fn a_rejected_order_leaves_the_cart_and_the_next_one_takes_it() {
    let full = cart(&[(1, 2)]);
    let mut snapshot = snapshot(2_000, &full);
    // Too expensive, then right, then the same again; an order without a cart is not asked about it.
    let dear = OrderCommand { expected_amount: Some(Money::won(1)), ..from_cart(1, 1, &[(1, 2)]) };
    let commands = [dear, from_cart(2, 1, &[(1, 2)]), from_cart(3, 1, &[(1, 2)]), command(4, 1, &[(2, 1)])];
    let decision = decide(&mut snapshot, &commands, at(), &CountingIds::default());
    let accepted: Vec<_> = decision.outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(accepted, [false, true, false, false]);
    assert_eq!(decision.outcomes[2], Err(Rejection::Cart(CartError::Changed)));
    assert!(matches!(decision.outcomes[3], Err(Rejection::Point(_))), "{:?}", decision.outcomes[3]);
    assert_eq!(decision.changes.carts.len(), 1);
}
