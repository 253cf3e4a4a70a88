//! What was decided on rows that were only read is confirmed once they are locked: pure, like the decision.
//! See ADR-043.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Money, OrderId, ProductId, UserId};
use point::{PointEntry, PointError, Wallet};
use product::{Product, ProductError, StockMovement};
use thiserror::Error;

use crate::Rejection;
use crate::decide::{OrderCommand, PaymentTerms, Receipt, Snapshot};

/// Somebody else has changed a row, or taken too much of it, since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Overtaken {
    #[error("product {0} is not any more what was decided on")]
    Product(ProductId),
    #[error("the wallet of {0} does not cover any more what was decided")]
    Wallet(UserId),
}

/// Of whose stock or balance somebody was told without taking any: such an answer counts what its neighbours in
/// the set have taken, and is true only of the very rows that it was decided on.
#[derive(Debug, Default)]
pub(crate) struct Told {
    products: BTreeSet<ProductId>,
    users: BTreeSet<UserId>,
}

impl Told {
    /// Collects what the outcomes tell.
    pub(crate) fn of<'c>(
        commands: impl IntoIterator<Item = &'c OrderCommand>,
        outcomes: &[Result<Receipt, Rejection>],
    ) -> Self {
        let mut told = Self::default();
        for (command, outcome) in commands.into_iter().zip(outcomes) {
            match outcome {
                Err(Rejection::Product(ProductError::OutOfStock { product_id, .. })) => {
                    told.products.insert(*product_id);
                }
                Err(Rejection::Point(PointError::InsufficientBalance { .. })) => {
                    told.users.insert(command.user_id);
                }
                Ok(_) if command.terms == PaymentTerms::Later => {
                    told.users.insert(command.user_id);
                }
                _ => {}
            }
        }
        told
    }
}

fn first_of(movements: &[StockMovement], product: &Product) -> Option<u32> {
    movements.iter().find(|movement| movement.product_id == product.id).map(|movement| movement.sequence)
}

/// Lets the movements continue the ledgers of the products that are locked now. Others may have moved stock in
/// between as long as what is left suffices; name, price and status must be what they were.
///
/// # Errors
/// [`Overtaken`] if the orders cannot be met as they were decided.
pub(crate) fn confirm_stock(
    movements: &mut [StockMovement],
    locked: Vec<Product>,
    read: &Snapshot,
    told: &Told,
) -> Result<(), Overtaken> {
    let mut products: BTreeMap<ProductId, Product> =
        locked.into_iter().map(|product| (product.id, product)).collect();
    if let Some(changed) = products.values().find(|product| !read.offers(product)) {
        return Err(Overtaken::Product(changed.id));
    }
    let moved = |product: &Product| {
        first_of(movements, product).is_some_and(|first| product.stock_version + 1 != first)
    };
    if let Some(changed) =
        told.products.iter().filter_map(|id| products.get(id)).find(|product| moved(product))
    {
        return Err(Overtaken::Product(changed.id));
    }
    for movement in movements {
        let overtaken = Overtaken::Product(movement.product_id);
        let product = products.get_mut(&movement.product_id).ok_or(overtaken)?;
        *movement = product.repeat(movement).map_err(|_| overtaken)?;
    }
    Ok(())
}

/// Lets the entries continue the ledgers of the wallets that are locked now. Others may have moved points in
/// between as long as the balance still covers them.
///
/// # Errors
/// [`Overtaken`] if it does not.
pub(crate) fn confirm_points(
    entries: &mut [PointEntry],
    locked: Vec<Wallet>,
    told: &Told,
) -> Result<(), Overtaken> {
    let mut wallets: BTreeMap<UserId, Wallet> =
        locked.into_iter().map(|wallet| (wallet.user_id(), wallet)).collect();
    let decided_on =
        |user: &UserId| entries.iter().find(|entry| entry.user_id == *user).map(|entry| entry.sequence);
    for user in &told.users {
        if decided_on(user)
            .zip(wallets.get(user))
            .is_some_and(|(first, wallet)| wallet.version() + 1 != first)
        {
            return Err(Overtaken::Wallet(*user));
        }
    }
    for entry in entries {
        let overtaken = Overtaken::Wallet(entry.user_id);
        let wallet = wallets.get_mut(&entry.user_id).ok_or(overtaken)?;
        *entry = wallet.repeat(entry).map_err(|_| overtaken)?;
    }
    Ok(())
}

/// Tells the buyers the balances that the entries lead to. Whose points did not move was told already.
pub(crate) fn tell_balances<'r>(receipts: impl Iterator<Item = &'r mut Receipt>, entries: &[PointEntry]) {
    let balances: BTreeMap<OrderId, Money> =
        entries.iter().filter_map(|entry| Some((entry.cause.order_id()?, entry.balance_after))).collect();
    for receipt in receipts {
        if let Some(balance) = balances.get(&receipt.order.id) {
            receipt.balance = *balance;
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{PaymentId, Timestamp};
    use product::{ProductName, ProductState, ProductStatus};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn product(stock: u32, stock_version: u32, price: i64) -> Product {
        Product::restore(ProductState {
            id: ProductId::from_uuid(Uuid::from_u128(1)),
            name: ProductName::new("a thing").unwrap(),
            price: Money::won(price),
            stock,
            status: ProductStatus::Active,
            version: 1,
            stock_version,
            event_sequence: 0,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        })
        .unwrap()
    }

    proptest! {
        /// Whatever happened in between, the ledger continues from where the product stands and ends at what
        /// is left, or nothing is confirmed: if not enough is left, or if more than the stock has changed.
        #[test]
        fn movements_continue_the_ledger_or_are_overtaken(
            sold in prop::collection::vec(1..5_u32, 1..6),
            left in 0..30_u32,
            in_between in 0..9_u32,
            changed: bool,
        ) {
            let order = OrderId::from_uuid(Uuid::from_u128(2));
            let mut decided_on = product(30, 7, 1_000);
            let movements: Vec<StockMovement> =
                sold.iter().map(|quantity| decided_on.sell(*quantity, order, Timestamp::UNIX_EPOCH).unwrap()).collect();
            let read = Snapshot::new(vec![decided_on], Vec::new(), Vec::new());
            let locked = product(left, 7 + in_between, if changed { 1_001 } else { 1_000 });
            let all: u32 = sold.iter().sum();
            let mut confirmed = movements.clone();
            match confirm_stock(&mut confirmed, vec![locked], &read, &Told::default()) {
                Ok(()) => {
                    prop_assert!(!changed && all <= left);
                    let mut stands_at = (7 + in_between, left);
                    for (confirmed, quantity) in confirmed.iter().zip(&sold) {
                        stands_at = (stands_at.0 + 1, stands_at.1 - quantity);
                        prop_assert_eq!((confirmed.sequence, confirmed.balance_after), stands_at);
                        prop_assert_eq!(confirmed.delta, -i64::from(*quantity));
                    }
                    prop_assert_eq!(stands_at.1, left - all);
                }
                Err(_) => prop_assert!(changed || all > left),
            }
        }
    }

    proptest! {
        /// The same for wallets, whether others took or charged in between.
        #[test]
        fn entries_continue_the_ledger_or_are_overtaken(
            paid in prop::collection::vec(1..5_000_i64, 1..6),
            left in 0..30_000_i64,
            in_between in 0..9_u32,
        ) {
            let user = UserId::from_uuid(Uuid::from_u128(3));
            let (order, payment) = (OrderId::from_uuid(Uuid::from_u128(2)), PaymentId::from_uuid(Uuid::from_u128(4)));
            let mut decided_on = Wallet::restore(user, Money::won(30_000), 7).unwrap();
            let pay = |won: &i64| decided_on.pay(Money::won(*won), order, payment, Timestamp::UNIX_EPOCH).unwrap();
            let mut entries: Vec<PointEntry> = paid.iter().map(pay).collect();
            let locked = Wallet::restore(user, Money::won(left), 7 + in_between).unwrap();
            let all: i64 = paid.iter().sum();
            match confirm_points(&mut entries, vec![locked], &Told::default()) {
                Ok(()) => {
                    prop_assert!(all <= left);
                    let mut stands_at = (7 + in_between, left);
                    for (entry, won) in entries.iter().zip(&paid) {
                        prop_assert_eq!(entry.balance_before, Money::won(stands_at.1));
                        stands_at = (stands_at.0 + 1, stands_at.1 - won);
                        prop_assert_eq!((entry.sequence, entry.balance_after), (stands_at.0, Money::won(stands_at.1)));
                    }
                }
                Err(overtaken) => {
                    prop_assert!(all > left);
                    prop_assert_eq!(overtaken, Overtaken::Wallet(user));
                }
            }
        }
    }

    #[test]
    fn a_product_that_is_gone_is_overtaken() {
        let order = OrderId::from_uuid(Uuid::from_u128(2));
        let mut decided_on = product(1, 1, 1_000);
        let movement = decided_on.sell(1, order, Timestamp::UNIX_EPOCH).unwrap();
        let read = Snapshot::new(vec![decided_on.clone()], Vec::new(), Vec::new());
        let overtaken = confirm_stock(&mut [movement], Vec::new(), &read, &Told::default());
        assert_eq!(overtaken, Err(Overtaken::Product(decided_on.id)));
    }
}
