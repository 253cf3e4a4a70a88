//! Properties of amounts: text round trips, and allocation loses nothing.

use kernel::Money;
use proptest::prelude::*;

proptest! {
    #[test]
    fn text_and_amount_are_the_same(minor in -Money::MAX.minor()..=Money::MAX.minor()) {
        let amount = Money::from_minor(minor).unwrap();
        prop_assert_eq!(amount.to_string().parse::<Money>().unwrap(), amount);
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), amount);
    }

    #[test]
    fn any_text_is_answered_without_a_panic(text in "\\PC*") {
        let _ = text.parse::<Money>();
    }

    #[test]
    fn any_number_is_answered_without_a_panic(text in "-?[0-9]{0,40}(\\.[0-9]{0,40})?([eE][+-]?[0-9]{0,25})?") {
        let _ = text.parse::<Money>();
    }

    #[test]
    fn allocation_loses_no_hundredth(
        minor in -1_000_000_000_i64..1_000_000_000,
        weights in prop::collection::vec(0_u64..1_000_000, 1..20),
    ) {
        let amount = Money::from_minor(minor).unwrap();
        let shares = amount.allocate(&weights);
        prop_assert_eq!(shares.len(), weights.len());
        prop_assert_eq!(shares.iter().copied().sum::<Option<Money>>(), Some(amount));
        let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        for (share, weight) in shares.iter().zip(&weights) {
            if let Some(exact) = (u128::from(minor.unsigned_abs()) * u128::from(*weight)).checked_div(total) {
                prop_assert!(u128::from(share.minor().unsigned_abs()).abs_diff(exact) <= 1);
            }
        }
    }
}
