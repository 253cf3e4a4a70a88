//! Events as no outbox would send them: what is taken can be shown again, letter by letter.

use bolero::check;
use kernel::Timestamp;
use serde_json::Value;

use super::cloud_event::CloudEvent;
use super::event_log::{Capacity, EventLog};

const EVENT: &str =
    r#"{"specversion":"1.0","id":"1","source":"/s","type":"T","subject":"a/1","data":{"a":1.00}}"#;

fn check_body(body: &[u8]) {
    let Ok(event) = CloudEvent::parse(body) else { return };
    let text = format!("{{{}", event.members);
    assert_eq!(text.as_bytes(), body.trim_ascii());
    let again = CloudEvent::parse(text.as_bytes()).unwrap();
    let told = |event: &CloudEvent| (event.id.clone(), event.r#type.clone(), event.subject.clone());
    assert_eq!(told(&again), told(&event));
    // Nothing in it breaks out of the list in which it is shown.
    let id = event.id.clone();
    let mut log = EventLog::new(Capacity::default());
    assert!(log.record(event, Timestamp::UNIX_EPOCH) && !log.record(again, Timestamp::UNIX_EPOCH));
    let shown: Value = serde_json::from_str(&log.to_json(|_| true)).unwrap();
    assert_eq!((&shown["count"], &shown["events"][0]["id"]), (&1.into(), &id.into()));
}

#[test]
fn any_bytes_are_an_event_or_none() {
    check!().with_iterations(2_000).for_each(check_body);
}

#[test]
fn an_event_with_any_text_in_any_place_is_still_one_or_none() {
    check!().with_iterations(4_000).with_type::<(usize, u8, Vec<u8>)>().for_each(|(place, length, bytes)| {
        let from = place % EVENT.len();
        let to = (from + usize::from(*length) % 8).min(EVENT.len());
        check_body(&[&EVENT.as_bytes()[..from], bytes, &EVENT.as_bytes()[to..]].concat());
    });
}
