//! Properties of wallets: whatever is charged and paid, the ledger explains the balance.

#![cfg(test)]

use kernel::{Money, OrderId, PaymentId, RefundId, Timestamp, UserId};
use point::{ChargeAmount, PointCause, PointError, Wallet};
use proptest::prelude::*;
use uuid::Uuid;

#[derive(Clone, Debug)]
enum Step {
    Charge(Money),
    Pay(Money),
    Release(Money),
    Refund(Money),
}

fn money(range: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Money> {
    range.prop_map(|minor| Money::from_minor(minor).unwrap())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        money(100_000..=100_000_000).prop_map(Step::Charge),
        money(-1..=60_000_000).prop_map(Step::Pay),
        money(-1..=60_000_000).prop_map(Step::Release),
        money(-1..=60_000_000).prop_map(Step::Refund),
    ]
}

const USER: UserId = UserId::from_uuid(Uuid::from_u128(1));
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn order(number: usize) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number as u128))
}

fn payment(number: usize) -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(number as u128))
}

fn refund(number: usize) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number as u128))
}

proptest! {
    #[test]
    fn a_balance_is_the_sum_of_its_ledger(steps in prop::collection::vec(step(), 0..=40)) {
        let mut wallet = Wallet::empty(USER);
        let mut ledger = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let before = wallet.clone();
            let moved = match &step {
                Step::Charge(amount) => wallet.charge(ChargeAmount::new(*amount).unwrap(), NOW),
                Step::Pay(amount) => wallet.pay(*amount, order(number), payment(number), NOW),
                Step::Release(amount) => wallet.release(*amount, order(number), payment(number), NOW),
                Step::Refund(amount) => wallet.refund(*amount, order(number), refund(number), NOW),
            };
            match (moved, step) {
                (Ok(entry), Step::Charge(amount)) => {
                    prop_assert_eq!((entry.cause, entry.delta), (PointCause::Charged, amount));
                    ledger.push(entry);
                }
                (Ok(entry), Step::Pay(amount)) => {
                    let paid = PointCause::Paid { order: order(number), payment: payment(number) };
                    prop_assert_eq!((entry.cause, entry.delta), (paid, amount.negated()));
                    ledger.push(entry);
                }
                (Ok(entry), Step::Release(amount)) => {
                    let released = PointCause::Released { order: order(number), payment: payment(number) };
                    prop_assert_eq!((entry.cause, entry.delta), (released, amount));
                    ledger.push(entry);
                }
                (Ok(entry), Step::Refund(amount)) => {
                    let refunded = PointCause::Refunded { order: order(number), refund: refund(number) };
                    prop_assert_eq!((entry.cause, entry.delta), (refunded, amount));
                    ledger.push(entry);
                }
                // A refusal changes nothing.
                (
                    Err(PointError::NegativePayment),
                    Step::Pay(amount) | Step::Release(amount) | Step::Refund(amount),
                ) => {
                    prop_assert!(amount.is_negative());
                    prop_assert_eq!(&wallet, &before);
                }
                (Err(PointError::InsufficientBalance { required, balance }), Step::Pay(amount)) => {
                    prop_assert_eq!((required, balance), (amount, before.balance()));
                    prop_assert!(required > balance);
                    prop_assert_eq!(&wallet, &before);
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let mut balance = Money::ZERO;
        for (sequence, entry) in (1..).zip(&ledger) {
            prop_assert_eq!((entry.sequence, entry.user_id), (sequence, USER));
            prop_assert_eq!(entry.balance_before, balance);
            balance = balance.checked_add(entry.delta).unwrap();
            prop_assert_eq!(entry.balance_after, balance);
            prop_assert!(!balance.is_negative());
        }
        prop_assert_eq!(wallet.balance(), balance);
        prop_assert_eq!(usize::try_from(wallet.version()).unwrap(), ledger.len());
        prop_assert_eq!(Wallet::restore(USER, balance, wallet.version()).unwrap(), wallet);
    }

    #[test]
    fn a_charge_is_within_its_limits(amount in money(0..=200_000_000)) {
        let within = amount >= ChargeAmount::MIN && amount <= ChargeAmount::MAX;
        match ChargeAmount::new(amount) {
            Ok(charge) => prop_assert!(within && charge.get() == amount),
            Err(error) => prop_assert!(!within && error == PointError::ChargeOutOfRange),
        }
    }
}

#[test]
fn the_limits_of_a_charge_can_be_charged() {
    assert!(ChargeAmount::new(ChargeAmount::MIN).is_ok());
    assert!(ChargeAmount::new(ChargeAmount::MAX).is_ok());
    for outside in [ChargeAmount::MIN.minor() - 1, ChargeAmount::MAX.minor() + 1, -1, 0] {
        let refused = ChargeAmount::new(Money::from_minor(outside).unwrap());
        assert_eq!(refused, Err(PointError::ChargeOutOfRange));
    }
}

#[test]
fn a_wallet_never_holds_more_than_an_amount_can_be() {
    let mut wallet = Wallet::restore(USER, Money::MAX, 1).unwrap();
    let charge = ChargeAmount::new(ChargeAmount::MIN).unwrap();
    assert_eq!(wallet.charge(charge, NOW), Err(PointError::BalanceTooLarge));
    assert_eq!(wallet, Wallet::restore(USER, Money::MAX, 1).unwrap());
    assert_eq!(Wallet::restore(USER, Money::from_minor(-1).unwrap(), 1), Err(PointError::NegativeBalance));
}
