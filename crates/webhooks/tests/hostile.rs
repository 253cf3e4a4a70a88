//! Messages of strangers: none is believed, none makes the reader panic, and nothing that was signed can be
//! changed unnoticed.

#![cfg(test)]

use bolero::check;
use kernel::Timestamp;
use secrecy::SecretString;
use webhooks::{ID, SIGNATURE, SignatureError, TIMESTAMP, WebhookKey};

const NOW: i64 = 1_762_691_696;

fn key() -> WebhookKey {
    WebhookKey::new(&SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(NOW, 0).unwrap()
}

/// Checks a message by its id, its time and its signatures.
fn verify<'h>(
    key: &WebhookKey,
    [id, time, signature]: [&'h [u8]; 3],
    body: &[u8],
) -> Result<&'h str, SignatureError> {
    let values = |name| {
        let value = match name {
            ID => id,
            TIMESTAMP => time,
            SIGNATURE => signature,
            other => panic!("nobody needs {other}"),
        };
        [value]
    };
    key.verify(values, body, now())
}

#[test]
fn what_nobody_signed_is_not_believed() {
    type Message = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, bool);
    let key = key();
    let present = NOW.to_string();
    check!().with_iterations(1_000).with_type::<Message>().for_each(|(id, time, signature, body, is_now)| {
        let time = if *is_now { present.as_bytes() } else { time };
        assert!(verify(&key, [id, time, signature], body).is_err());
        // Nor with the version of the signature before it.
        let named = [b"v1,", &signature[..]].concat();
        assert!(verify(&key, [b"evt_1", time, &named], body).is_err());
    });
}

#[test]
fn what_was_signed_is_believed_and_nothing_of_it_can_be_changed() {
    let key = key();
    let time = NOW.to_string();
    check!().with_iterations(1_000).with_type::<(String, usize, u8)>().for_each(|(body, place, change)| {
        let signature = key.sign("evt_1", now(), body.as_bytes()).unwrap();
        let parts = [b"evt_1", time.as_bytes(), signature.as_bytes(), body.as_bytes()];
        assert_eq!(verify(&key, [parts[0], parts[1], parts[2]], parts[3]), Ok("evt_1"));
        // One byte of all that is sent becomes another.
        let mut changed = parts.map(<[u8]>::to_vec);
        let mut bytes = changed.iter_mut().flatten().collect::<Vec<_>>();
        let place = place % bytes.len();
        *bytes[place] ^= (*change).max(1);
        let [id, time, signature, body] = &changed;
        assert!(verify(&key, [id, time, signature], body).is_err(), "{changed:?}");
    });
}

#[test]
fn a_secret_is_taken_or_refused_and_never_shown() {
    check!().with_iterations(1_000).with_type::<(String, bool)>().for_each(|(text, has_prefix)| {
        let secret = if *has_prefix { format!("whsec_{text}") } else { text.clone() };
        if let Ok(key) = WebhookKey::new(&SecretString::from(secret)) {
            assert_eq!(format!("{key:?}"), "WebhookKey(…)");
            assert!(key.sign("evt_1", now(), b"{}").is_ok());
        }
    });
}
