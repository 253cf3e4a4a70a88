//! How often a password may be tried.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::Timestamp;
use kernel::export::Uuid;

use crate::UserError;

/// A try at the password of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// Tells the try apart from others.
    pub id: Uuid,
    /// When it was made.
    pub at: Timestamp,
}

/// The tries at an address that have not led to a login, each in a slot of its own. There are as many slots
/// as there may be tries, so that a database can hold the bound by a unique key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginAttempts(BTreeMap<u8, LoginAttempt>);

impl LoginAttempts {
    /// How many tries may fail within [`Self::WINDOW`].
    pub const LIMIT: u8 = 5;
    /// For so long a try that failed counts.
    pub const WINDOW: Duration = Duration::from_mins(15);

    /// For so long after it began a try may not be decided yet.
    pub const UNDER_WAY: Duration = Duration::from_secs(2);

    /// Takes the tries as they were stored.
    pub fn new(slots: impl IntoIterator<Item = (u8, LoginAttempt)>) -> Self {
        Self(slots.into_iter().collect())
    }

    /// Returns the try that a slot holds.
    pub fn get(&self, slot: u8) -> Option<LoginAttempt> {
        self.0.get(&slot).copied()
    }

    /// Chooses the slot for one more try: a free one, or one whose try counts no more.
    ///
    /// # Errors
    /// [`UserError::TooManyAttempts`] if every slot is taken.
    pub fn reserve(&self, now: Timestamp) -> Result<u8, UserError> {
        let counts = |slot: &u8| self.0.get(slot).is_some_and(|attempt| now < attempt.at + Self::WINDOW);
        if let Some(slot) = (1..=Self::LIMIT).find(|slot| !counts(slot)) {
            return Ok(slot);
        }
        let oldest = self.0.values().map(|attempt| attempt.at).min().unwrap_or(now);
        let wait = (oldest + Self::WINDOW - now).to_std().unwrap_or_default();
        Err(UserError::TooManyAttempts { retry_after: wait })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_timestamp(1_000_000 + second, 0).unwrap()
    }

    fn attempts(seconds: &[i64]) -> LoginAttempts {
        let slots = (1..).zip(seconds);
        LoginAttempts::new(
            slots.map(|(slot, second)| (slot, LoginAttempt { id: Uuid::nil(), at: at(*second) })),
        )
    }

    #[test]
    fn five_tries_are_free_and_the_sixth_waits_for_the_oldest_to_be_forgotten() {
        for (count, slot) in [(0, 1), (1, 2), (4, 5)] {
            assert_eq!(attempts(&[0, 1, 2, 3, 4][..count]).reserve(at(5)), Ok(slot));
        }
        let full = attempts(&[3, 1, 2, 0, 4]);
        let wait = |seconds| Err(UserError::TooManyAttempts { retry_after: Duration::from_secs(seconds) });
        assert_eq!(full.reserve(at(4)), wait(896));
        assert_eq!(full.reserve(at(899)), wait(1));
        assert_eq!(full.reserve(at(900)), Ok(4), "the window slides");
        assert_eq!(full.reserve(at(901)), Ok(2));
    }
}
