//! Exact amounts of Korean won with two decimals. Never a float (ADR-023).

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

/// An amount in KRW with exactly two decimals, within ±9,999,999,999,999.99.
///
/// It is held as a count of hundredths, so that arithmetic is exact. Every operation that could leave
/// the range is checked. In JSON it is a number with two decimals (`19900.00`), read and written as
/// text and never through a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money(i64);

/// Why a text or a number is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("must be a number")]
    NotANumber,
    /// The number has more than two decimals that are not zero.
    #[error("must not have more than two decimals")]
    TooPrecise,
    /// The number is beyond ±9,999,999,999,999.99.
    #[error("must be between -9999999999999.99 and 9999999999999.99")]
    OutOfRange,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount, 9,999,999,999,999.99.
    pub const MAX: Self = Self(999_999_999_999_999);
    /// The number of decimals.
    pub const SCALE: u32 = 2;

    /// Makes an amount of whole won, for constants.
    ///
    /// # Panics
    /// When the amount is out of range; in a constant that is a compile error.
    pub const fn won(won: i64) -> Self {
        assert!(won.abs() < 10_000_000_000_000, "out of range");
        Self(won * 100)
    }

    /// Makes an amount of hundredths of a won.
    pub const fn from_minor(hundredths: i64) -> Result<Self, MoneyError> {
        if hundredths.unsigned_abs() > Self::MAX.0.unsigned_abs() {
            return Err(MoneyError::OutOfRange);
        }
        Ok(Self(hundredths))
    }

    /// Returns the amount in hundredths of a won.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Adds, unless the sum is out of range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_minor(self.0.checked_add(other.0)?).ok()
    }

    /// Subtracts, unless the difference is out of range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_minor(self.0.checked_sub(other.0)?).ok()
    }

    /// Multiplies by a quantity, unless the product is out of range.
    pub fn checked_mul(self, factor: u32) -> Option<Self> {
        Self::from_minor(self.0.checked_mul(i64::from(factor))?).ok()
    }

    /// Returns the amount with the other sign.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Tells whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Splits the amount in proportion to `weights` without losing a hundredth.
    ///
    /// Each share is rounded down; what remains goes, a hundredth each, to the largest remainders, the
    /// earlier one first where they are equal. Without any weight everything goes to the first share.
    pub fn allocate(self, weights: &[u64]) -> Vec<Self> {
        let Some(last) = weights.len().checked_sub(1) else {
            return Vec::new();
        };
        let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        if total == 0 {
            let mut shares = vec![Self::ZERO; last + 1];
            shares[0] = self;
            return shares;
        }
        let amount = u128::from(self.0.unsigned_abs());
        let mut remainders = Vec::with_capacity(weights.len());
        let mut shares: Vec<u128> = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let exact = amount * u128::from(*weight);
            shares.push(exact / total);
            remainders.push((exact % total, index));
        }
        let missing = amount - shares.iter().sum::<u128>();
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, index) in remainders.into_iter().take(usize::try_from(missing).unwrap_or(usize::MAX)) {
            shares[index] += 1;
        }
        shares
            .into_iter()
            .map(|share| {
                let share = i64::try_from(share).unwrap_or(i64::MAX);
                Self(if self.0 < 0 { -share } else { share })
            })
            .collect()
    }
}

/// Sums amounts; `None` once the sum is out of range.
impl Sum<Money> for Option<Money> {
    fn sum<I: Iterator<Item = Money>>(mut amounts: I) -> Self {
        amounts.try_fold(Money::ZERO, Money::checked_add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let hundredths = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl From<Money> for Decimal {
    fn from(amount: Money) -> Self {
        Decimal::new(amount.0, Money::SCALE)
    }
}

impl TryFrom<Decimal> for Money {
    type Error = MoneyError;

    fn try_from(amount: Decimal) -> Result<Self, Self::Error> {
        amount.to_string().parse()
    }
}

/// Reads a decimal number in plain or scientific notation, exactly: `19900`, `19900.50`, `1e3`.
///
/// Zeros at the end do not count as decimals, so `5.000` is 5.00 while `5.001` is too precise.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let well_formed = !whole.is_empty()
            && (mantissa.len() == whole.len() || !fraction.is_empty())
            && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
        if !well_formed {
            return Err(MoneyError::NotANumber);
        }
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        // The value is `significant` × 10^power hundredths.
        let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
        let power = exponent
            .saturating_add(i64::from(Self::SCALE))
            .saturating_sub(length(fraction.len()))
            .saturating_add(length(trailing_zeros));
        if power < 0 {
            return Err(MoneyError::TooPrecise);
        }
        if length(significant.len()).saturating_add(power) > 15 {
            return Err(MoneyError::OutOfRange);
        }
        let magnitude: i64 = significant.parse().map_err(|_| MoneyError::OutOfRange)?;
        let scale = 10_i64.pow(u32::try_from(power).map_err(|_| MoneyError::OutOfRange)?);
        Self::from_minor(magnitude * scale * if negative { -1 } else { 1 })
    }
}

/// Reads an exponent; one too large for an `i64` is as good as the largest of its sign.
fn parse_exponent(text: &str) -> Result<i64, MoneyError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(MoneyError::NotANumber);
    }
    let magnitude = digits.parse().unwrap_or(i64::MAX / 2);
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

fn length(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX / 2)
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer)?.get().parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_exactly_or_says_why_not() {
        let cases = [
            ("19900", Ok(1_990_000)),
            ("19900.5", Ok(1_990_050)),
            ("-0.01", Ok(-1)),
            ("-0", Ok(0)),
            ("1e3", Ok(100_000)),
            ("1E+3", Ok(100_000)),
            ("123e-2", Ok(123)),
            ("5.00000000000000000000000000000000000000000", Ok(500)),
            ("0e999999999999999999999", Ok(0)),
            ("9999999999999.99", Ok(999_999_999_999_999)),
            ("10000000000000", Err(MoneyError::OutOfRange)),
            ("1e400", Err(MoneyError::OutOfRange)),
            ("1e99999999999999999999", Err(MoneyError::OutOfRange)),
            ("1234567890123456789012345678901234567890", Err(MoneyError::OutOfRange)),
            ("10.001", Err(MoneyError::TooPrecise)),
            ("1e-3", Err(MoneyError::TooPrecise)),
            ("1e-99999999999999999999", Err(MoneyError::TooPrecise)),
            ("NaN", Err(MoneyError::NotANumber)),
            ("\"5\"", Err(MoneyError::NotANumber)),
            ("1.", Err(MoneyError::NotANumber)),
            (".5", Err(MoneyError::NotANumber)),
            ("--1", Err(MoneyError::NotANumber)),
            ("1e", Err(MoneyError::NotANumber)),
            ("", Err(MoneyError::NotANumber)),
            ("null", Err(MoneyError::NotANumber)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Money>().map(Money::minor), expected, "{text}");
        }
    }

    #[test]
    fn is_a_json_number_with_two_decimals() {
        let json = serde_json::to_string(&[Money::won(19_900), Money::ZERO]).unwrap();
        assert_eq!(json, "[19900.00,0.00]");
        let back: Vec<Money> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, [Money::won(19_900), Money::ZERO]);
    }
}
