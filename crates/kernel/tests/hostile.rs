//! Amounts as strangers write them: none makes the reader panic, and what is read is read exactly.

#![cfg(test)]

use bolero::check;
use kernel::Money;

/// The characters of numbers, so that random bytes are numbers now and then.
const OF_NUMBERS: &[u8] = b"0123456789000.-+eE ";

fn check_amount(text: &str) {
    let Ok(amount) = text.parse::<Money>() else { return };
    assert!(amount >= Money::MAX.negated() && amount <= Money::MAX, "{text:?}");
    let shown = amount.to_string();
    assert_eq!(shown.parse(), Ok(amount), "{text:?}");
    // The text says the same once the zeros are gone that say nothing; an exponent moves the point.
    if !text.contains(['e', 'E']) {
        assert_eq!(digits(text), digits(&shown), "{text:?}");
    }
}

/// Sign, whole and fraction, without zeros that say nothing.
fn digits(text: &str) -> (bool, &str, &str) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = whole.trim_start_matches('-').trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let is_zero = unsigned.is_empty() && fraction.is_empty();
    (whole.starts_with('-') && !is_zero, unsigned, fraction)
}

#[test]
fn any_bytes_are_an_amount_or_none() {
    check!().with_iterations(2_000).for_each(|bytes: &[u8]| {
        if let Ok(text) = str::from_utf8(bytes) {
            check_amount(text);
        }
    });
}

#[test]
fn what_looks_like_a_number_is_read_exactly_or_refused() {
    check!().with_iterations(10_000).with_max_len(24).for_each(|bytes: &[u8]| {
        let text: String =
            bytes.iter().map(|byte| char::from(OF_NUMBERS[usize::from(*byte) % OF_NUMBERS.len()])).collect();
        check_amount(&text);
    });
}

#[test]
fn json_takes_the_amounts_that_text_takes_and_only_numbers() {
    check!().with_iterations(10_000).with_max_len(24).for_each(|bytes: &[u8]| {
        let text: String =
            bytes.iter().map(|byte| char::from(OF_NUMBERS[usize::from(*byte) % OF_NUMBERS.len()])).collect();
        if let Ok(amount) = serde_json::from_str::<Money>(&text) {
            assert_eq!(text.trim().parse(), Ok(amount), "{text:?}");
            assert_eq!(serde_json::to_string(&amount).unwrap(), amount.to_string());
        }
    });
}
