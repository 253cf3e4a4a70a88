//! What arrived, in the order of its first arrival, within bounds.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;

use chrono::SecondsFormat;
use kernel::Timestamp;

use super::cloud_event::CloudEvent;

/// How much is kept before the oldest goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    /// At most so many events.
    pub(super) events: usize,
    /// At most so many bytes of their text.
    pub(super) bytes: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { events: 100_000, bytes: 256 * 1024 * 1024 }
    }
}

/// The events by id. The oldest are forgotten when there are too many: such an event is new if it comes
/// again.
pub(super) struct EventLog {
    capacity: Capacity,
    entries: VecDeque<Entry>,
    /// The place of each event, counted from the first that ever came.
    places: HashMap<String, usize>,
    /// How many have been forgotten: the place of the first entry.
    forgotten: usize,
    bytes: usize,
}

struct Entry {
    event: CloudEvent,
    received_at: Timestamp,
    deliveries: u64,
}

impl EventLog {
    /// Makes an empty log.
    pub(super) fn new(capacity: Capacity) -> Self {
        Self { capacity, entries: VecDeque::new(), places: HashMap::new(), forgotten: 0, bytes: 0 }
    }

    /// Keeps an event, or counts it if it is there already. Returns whether it is the first with its id.
    pub(super) fn record(&mut self, event: CloudEvent, at: Timestamp) -> bool {
        let known = self.places.get(&event.id).and_then(|place| self.entries.get_mut(place - self.forgotten));
        if let Some(entry) = known {
            entry.deliveries += 1;
            return false;
        }
        self.places.insert(event.id.clone(), self.forgotten + self.entries.len());
        self.bytes += event.members.len();
        self.entries.push_back(Entry { event, received_at: at, deliveries: 1 });
        while self.entries.len() > self.capacity.events || self.bytes > self.capacity.bytes {
            self.forget_oldest();
        }
        true
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.capacity);
    }

    /// Writes the events that match as `{"events": […], "count": n}`: each as it came, with the members
    /// `receivedAt` and `deliveries` before its own. Their text is copied, so that amounts keep their
    /// decimals.
    pub(super) fn to_json(&self, matches: impl Fn(&CloudEvent) -> bool) -> String {
        let mut json = String::from(r#"{"events":["#);
        let mut count = 0_usize;
        for entry in self.entries.iter().filter(|entry| matches(&entry.event)) {
            if count > 0 {
                json.push(',');
            }
            entry.write_to(&mut json);
            count += 1;
        }
        // Writing to a string does not fail.
        let _ = write!(json, r#"],"count":{count}}}"#);
        json
    }

    fn forget_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.places.remove(&entry.event.id);
            self.bytes -= entry.event.members.len();
            self.forgotten += 1;
        }
    }
}

impl Entry {
    fn write_to(&self, json: &mut String) {
        let received_at = self.received_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let Self { event, deliveries, .. } = self;
        let _ = write!(json, r#"{{"receivedAt":"{received_at}","deliveries":{deliveries},{}"#, event.members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> CloudEvent {
        let body = format!(r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"T"}}"#);
        CloudEvent::parse(body.as_bytes()).unwrap()
    }

    fn record(log: &mut EventLog, id: &str) -> bool {
        log.record(event(id), Timestamp::UNIX_EPOCH)
    }

    fn listed(log: &EventLog) -> Vec<(String, u64)> {
        let json: serde_json::Value = serde_json::from_str(&log.to_json(|_| true)).unwrap();
        let events = json["events"].as_array().unwrap();
        assert_eq!(json["count"], events.len());
        events
            .iter()
            .map(|event| (event["id"].as_str().unwrap().to_owned(), event["deliveries"].as_u64().unwrap()))
            .collect()
    }

    fn entries(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
        expected.iter().map(|(id, deliveries)| ((*id).to_owned(), *deliveries)).collect()
    }

    #[test]
    fn beyond_its_capacity_the_oldest_go_and_the_rest_are_still_known() {
        let mut log = EventLog::new(Capacity { events: 2, ..Capacity::default() });
        for id in ["a", "b", "c"] {
            assert!(record(&mut log, id));
        }
        assert!(!record(&mut log, "b"));
        assert_eq!(listed(&log), entries(&[("b", 2), ("c", 1)]));
        assert!(record(&mut log, "a"), "a forgotten event is new");
        assert_eq!(listed(&log), entries(&[("c", 1), ("a", 1)]));
    }

    #[test]
    fn long_events_count_for_more() {
        let bytes = 2 * event("a").members.len();
        let mut log = EventLog::new(Capacity { bytes, ..Capacity::default() });
        for id in ["a", "b", "c"] {
            record(&mut log, id);
        }
        assert_eq!(listed(&log), entries(&[("b", 1), ("c", 1)]));
    }

    #[test]
    fn a_cleared_log_knows_nothing() {
        let mut log = EventLog::new(Capacity::default());
        record(&mut log, "a");
        log.clear();
        assert_eq!(log.to_json(|_| true), r#"{"events":[],"count":0}"#);
        assert!(record(&mut log, "a"));
    }
}
