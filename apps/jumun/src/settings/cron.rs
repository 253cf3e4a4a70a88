//! When something is due again and again.

use std::str::FromStr;

use chrono::DateTime;
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use super::setting::{Setting, quoted};

/// A schedule in the five fields of cron, in the time zone of the instants it is asked for.
#[derive(Clone, Debug)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

impl Schedule {
    /// Returns the last time at which it was due: `at` or before.
    pub fn last(&self, at: DateTime<Tz>) -> Option<DateTime<Tz>> {
        self.cron.find_previous_occurrence(&at, true).ok()
    }

    /// Returns the next time at which it is due, after `at`.
    pub fn next(&self, at: DateTime<Tz>) -> Option<DateTime<Tz>> {
        self.cron.find_next_occurrence(&at, false).ok()
    }
}

/// Not a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a schedule")]
pub struct InvalidSchedule;

impl FromStr for Schedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|_| InvalidSchedule)?;
        let schedule = Self { text: text.to_owned(), cron };
        // The thirtieth of February is well formed and never comes.
        let someday = DateTime::UNIX_EPOCH.with_timezone(&Tz::UTC);
        schedule.next(someday).map(|_| schedule).ok_or(InvalidSchedule)
    }
}

impl Setting for Schedule {
    const WHAT: &'static str = "a schedule";

    fn allowed() -> String {
        "the five fields of cron (minute, hour, day, month, weekday) such as 0 1 * * *".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        text.parse().unwrap()
    }

    fn at(zone: Tz, text: &str) -> DateTime<Tz> {
        text.parse::<DateTime<chrono::Utc>>().unwrap().with_timezone(&zone)
    }

    #[test]
    fn the_last_time_is_now_or_before_and_the_next_one_after() {
        let seoul = Tz::Asia__Seoul;
        for (text, now, last, next) in [
            ("0 1 * * *", "2026-03-01T16:00:00Z", "2026-03-02T01:00:00+09:00", "2026-03-03T01:00:00+09:00"),
            (
                "0 1 * * *",
                "2026-03-01T15:59:59.999Z",
                "2026-03-01T01:00:00+09:00",
                "2026-03-02T01:00:00+09:00",
            ),
            ("0 2 * * 1", "2026-03-01T16:59:59Z", "2026-02-23T02:00:00+09:00", "2026-03-02T02:00:00+09:00"),
            ("0 2 * * 1", "2026-03-01T17:00:00Z", "2026-03-02T02:00:00+09:00", "2026-03-09T02:00:00+09:00"),
        ] {
            let schedule = schedule(text);
            assert_eq!(schedule.last(at(seoul, now)).unwrap().to_rfc3339(), last, "{text} {now}");
            assert_eq!(schedule.next(at(seoul, now)).unwrap().to_rfc3339(), next, "{text} {now}");
        }
    }

    #[test]
    fn a_time_that_is_skipped_or_comes_twice_is_due_once() {
        let berlin = Tz::Europe__Berlin;
        let nightly = schedule("30 2 * * *");
        let mut now = at(berlin, "2026-03-28T00:00:00Z");
        let mut days = Vec::new();
        while now < at(berlin, "2026-03-31T00:00:00Z") {
            now = nightly.next(now).unwrap();
            days.push(now.date_naive().to_string());
        }
        assert_eq!(days, ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]);
        let autumn = at(berlin, "2026-10-25T12:00:00Z");
        let last = nightly.last(autumn).unwrap();
        assert_eq!(last.date_naive().to_string(), "2026-10-25");
        assert_eq!(
            nightly.last(last - chrono::TimeDelta::hours(2)).unwrap().date_naive().to_string(),
            "2026-10-24"
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in
            ["", "daily", "1 * * *", "0 0 1 * * *", "0 1 * * * 2026", "60 1 * * *", "0 0 30 2 *", "@reboot"]
        {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }
}
