//! Time: UTC instants to the microsecond, and the zone in which the business counts its days.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// A point in time, UTC, of microsecond precision (what `DATETIME(6)` holds).
pub type Timestamp = DateTime<Utc>;

/// Tells the time. The only source of it, so that tests can set it.
pub trait Clock: Send + Sync {
    /// Returns the present, cut to the microsecond.
    fn now(&self) -> Timestamp;
}

/// The zone in which days begin for the business, `Asia/Seoul` unless set otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusinessZone(Tz);

impl BusinessZone {
    /// Wraps a zone of the IANA time zone database.
    pub const fn new(zone: Tz) -> Self {
        Self(zone)
    }

    /// Returns the business day to which an instant belongs.
    pub fn day(self, at: Timestamp) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }
}

impl Default for BusinessZone {
    fn default() -> Self {
        Self(Tz::Asia__Seoul)
    }
}

/// Serialises an instant to the second, as the API shows it: `2025-11-09T12:34:56Z`.
pub mod seconds {
    use chrono::SecondsFormat;
    use serde::{Serialize, Serializer};

    use super::Timestamp;

    /// Writes `at` in ISO 8601, UTC, to the second.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        format(*at).serialize(serializer)
    }

    /// Returns `at` in ISO 8601, UTC, to the second.
    pub fn format(at: Timestamp) -> String {
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_day_begins_at_midnight_in_seoul() {
        let zone = BusinessZone::default();
        let day = |text: &str| zone.day(text.parse().unwrap()).to_string();
        assert_eq!(day("2025-11-09T14:59:59.999999Z"), "2025-11-09");
        assert_eq!(day("2025-11-09T15:00:00Z"), "2025-11-10");
    }
}
