//! Time: UTC instants to the microsecond, and the zone in which the business counts its days.

use chrono::{DateTime, NaiveDate, Offset, TimeDelta, Utc};
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
        self.local(at).date_naive()
    }

    /// Returns an instant as the clocks of the zone show it.
    pub fn local(self, at: Timestamp) -> DateTime<Tz> {
        at.with_timezone(&self.0)
    }

    /// Cuts the time from `from` until `until` (not included) where the clocks of the zone are set, in
    /// ascending order and without gaps. Within a stretch the local time is UTC and a constant, so that
    /// a database can tell the business day of an instant as [`Self::day`] does.
    pub fn stretches(self, from: Timestamp, until: Timestamp) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut begins = from;
        while begins < until {
            let ends = self.offset_changes(begins, until).unwrap_or(until);
            stretches.push(Stretch { begins, ends, ahead_seconds: self.ahead(begins) });
            begins = ends;
        }
        stretches
    }

    /// Returns the first instant after `from` and before `until` at which the clocks show another offset.
    fn offset_changes(self, from: Timestamp, until: Timestamp) -> Option<Timestamp> {
        // No zone sets its clocks twice within the time of a step.
        const STEP: TimeDelta = TimeDelta::hours(6);
        let offset = self.ahead(from);
        let mut before = from;
        while before < until {
            let after = before.checked_add_signed(STEP).map_or(until, |after| after.min(until));
            if self.ahead(after) != offset {
                // Clocks are set at a full second.
                let (mut low, mut high) = (before.timestamp(), after.timestamp());
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    let at = DateTime::from_timestamp(middle, 0)?;
                    if self.ahead(at) == offset { low = middle } else { high = middle }
                }
                return DateTime::from_timestamp(high, 0).filter(|at| *at < until);
            }
            before = after;
        }
        None
    }

    /// Returns how many seconds the clocks are ahead of UTC.
    fn ahead(self, at: Timestamp) -> i32 {
        self.local(at).offset().fix().local_minus_utc()
    }
}

/// A stretch of time in which the clocks of a zone are ahead of UTC by a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first instant.
    pub begins: Timestamp,
    /// Its end, the first instant that is not in it.
    pub ends: Timestamp,
    /// How many seconds local time is ahead of UTC; below zero in the west.
    pub ahead_seconds: i32,
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

    /// Writes `at`, if there is one, in ISO 8601, UTC, to the second.
    pub fn optional<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        at.map(format).serialize(serializer)
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

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_zone_without_daylight_saving_is_one_stretch() {
        let (begins, ends) = (at("2025-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
        let whole = Stretch { begins, ends, ahead_seconds: 9 * 3600 };
        assert_eq!(BusinessZone::default().stretches(begins, ends), [whole]);
        assert_eq!(BusinessZone::default().stretches(ends, begins), []);
    }

    #[test]
    fn clocks_are_set_in_spring_and_in_autumn() {
        let zone = BusinessZone::new(Tz::Europe__Berlin);
        let (from, until) = (at("2026-01-01T00:00:00.5Z"), at("2027-01-01T00:00:00Z"));
        let (spring, autumn) = (at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"));
        let expected = [(from, spring, 3600), (spring, autumn, 7200), (autumn, until, 3600)]
            .map(|(begins, ends, ahead_seconds)| Stretch { begins, ends, ahead_seconds });
        assert_eq!(zone.stretches(from, until), expected);
        assert_eq!(zone.stretches(spring, autumn), expected[1..2]);
        assert_eq!(zone.day(at("2026-03-28T22:59:59Z")).to_string(), "2026-03-28");
        assert_eq!(zone.day(at("2026-03-28T23:00:00Z")).to_string(), "2026-03-29");
        assert_eq!(zone.day(at("2026-03-29T22:00:00Z")).to_string(), "2026-03-30", "a day of 23 hours");
    }

    #[test]
    fn the_day_within_a_stretch_is_a_sum() {
        // St. John's set its clocks back at a minute past midnight: a minute of the day, an hour of the
        // day before, and the rest of the day.
        for zone in [Tz::America__St_Johns, Tz::Pacific__Apia, Tz::Australia__Lord_Howe, Tz::UTC] {
            let zone = BusinessZone::new(zone);
            let (from, until) = (at("2010-01-01T00:00:00Z"), at("2012-06-01T00:00:00Z"));
            let stretches = zone.stretches(from, until);
            let mut instant = from;
            while instant < until {
                let stretch = stretches.iter().find(|s| s.begins <= instant && instant < s.ends).unwrap();
                let shifted = instant + TimeDelta::seconds(stretch.ahead_seconds.into());
                assert_eq!(shifted.date_naive(), zone.day(instant), "{zone:?} {instant}");
                instant += TimeDelta::seconds(30 * 60 - 1);
            }
        }
    }
}
