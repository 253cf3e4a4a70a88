//! Which days a ranking is of.

use chrono::{Days as Distance, NaiveDate};
use serde::{Deserialize, Serialize};

/// Whole business days, the first and the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Days {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

impl Days {
    /// Returns `count` days that end with `last`, for a ranking that is computed in the middle of it.
    pub fn until(last: NaiveDate, count: u32) -> Self {
        let before = u64::from(count.saturating_sub(1));
        Self { first: last.checked_sub_days(Distance::new(before)).unwrap_or(NaiveDate::MIN), last }
    }

    /// Returns the `count` days before a day.
    pub fn before(day: NaiveDate, count: u32) -> Self {
        Self::until(day.pred_opt().unwrap_or(NaiveDate::MIN), count)
    }
}

/// How often a ranking is published, and of how many days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Period {
    /// Each day, of the last three.
    Daily,
    /// Each week, of the last seven.
    Weekly,
}

impl Period {
    /// All periods.
    pub const ALL: [Self; 2] = [Self::Daily, Self::Weekly];

    /// Returns the word by which it is stored, logged and counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// Returns how many days its ranking is of.
    pub const fn days(self) -> u32 {
        match self {
            Self::Daily => 3,
            Self::Weekly => 7,
        }
    }
}

/// Names a run of the batch. Whoever finds the due one not done does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunKey {
    /// The period.
    pub period: Period,
    /// The business day on which it is due.
    pub day: NaiveDate,
}

impl RunKey {
    /// Returns the days that its ranking is of: whole ones, which nothing is added to any more.
    pub fn days(self) -> Days {
        Days::before(self.day, self.period.days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(first: &str, last: &str) -> Days {
        Days { first: first.parse().unwrap(), last: last.parse().unwrap() }
    }

    #[test]
    fn a_run_is_of_the_whole_days_before_it() {
        let day = "2026-03-02".parse().unwrap();
        assert_eq!(RunKey { period: Period::Daily, day }.days(), days("2026-02-27", "2026-03-01"));
        assert_eq!(RunKey { period: Period::Weekly, day }.days(), days("2026-02-23", "2026-03-01"));
    }

    #[test]
    fn a_live_ranking_is_of_today_and_the_days_before() {
        let today = "2026-03-02".parse().unwrap();
        assert_eq!(Days::until(today, 1), days("2026-03-02", "2026-03-02"));
        assert_eq!(Days::until(today, 3), days("2026-02-28", "2026-03-02"));
    }
}
