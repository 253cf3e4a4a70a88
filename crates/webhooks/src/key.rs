//! The key that both sides share.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use kernel::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::Webhook;

use crate::headers::{self, ID, SIGNATURE, TIMESTAMP};
use crate::{InvalidSecret, SignatureError, Unsignable};

/// Signs and checks messages. It does not print.
pub struct WebhookKey(Webhook);

impl WebhookKey {
    const PREFIX: &str = "whsec_";
    /// How many bytes the standard wants a key to have.
    const LENGTH: RangeInclusive<usize> = 24..=64;
    /// How far the sender's clock may be from ours, and how late a message may be repeated by others.
    const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

    /// Reads a secret of the form `whsec_<base64>`.
    ///
    /// # Errors
    /// When it has another form.
    pub fn new(secret: &SecretString) -> Result<Self, InvalidSecret> {
        secret
            .expose_secret()
            .strip_prefix(Self::PREFIX)
            // The cause is dropped because it quotes from the secret.
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .filter(|key| Self::LENGTH.contains(&key.len()))
            .and_then(|key| Webhook::from_bytes(key).ok())
            .map(Self)
            .ok_or(InvalidSecret)
    }

    /// Returns the [`SIGNATURE`] of a message sent at `at`, a time cut to the second.
    ///
    /// # Errors
    /// When the body is not UTF-8.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> Result<String, Unsignable> {
        self.0.sign(id, at.timestamp(), body).map_err(|_| Unsignable)
    }

    /// Believes a message if one of its signatures is ours and it was sent within five minutes of `now`;
    /// returns its id. `values` returns all values of a header.
    ///
    /// The library's own check goes by the system's time, takes any id and the first of several headers.
    ///
    /// # Errors
    /// Why the message is not believed.
    pub fn verify<'a, V>(
        &self,
        mut values: impl FnMut(&'static str) -> V,
        body: &[u8],
        now: Timestamp,
    ) -> Result<&'a str, SignatureError>
    where
        V: IntoIterator<Item = &'a [u8]>,
    {
        let id = headers::id(headers::only(ID, &mut values)?)?;
        let signatures = headers::only(SIGNATURE, &mut values)?;
        let sent_at = headers::seconds(headers::only(TIMESTAMP, &mut values)?)
            .and_then(|seconds| Timestamp::from_timestamp(seconds, 0))
            .filter(|sent_at| (now - *sent_at).abs() <= Self::TOLERANCE)
            .ok_or(SignatureError::Untimely)?;
        let expected = self.sign(id, sent_at, body).map_err(|_| SignatureError::Mismatch)?;
        // What was expected begins with `v1,`: signatures of other kinds never are the same.
        if signatures.split(|byte| *byte == b' ').any(|given| same(given, expected.as_bytes())) {
            Ok(id)
        } else {
            Err(SignatureError::Mismatch)
        }
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

/// Compares in a time that does not tell where the difference is.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SENT_AT: i64 = 1_762_691_696;
    const BODY: &[u8] = br#"{"amount":19900.00}"#;
    /// `HMAC-SHA256(key, "{id}.{timestamp}.{body}")` as Python's `hmac` computes it.
    const SIGNED: &str = "v1,tguPKkBLR2NCVr53+EFYsDpzZcVuNmqP48Ywzt3OgrQ=";

    fn key(secret: &str) -> Result<WebhookKey, InvalidSecret> {
        WebhookKey::new(&SecretString::from(secret))
    }

    /// Checks a message that arrives so many seconds after it was sent.
    fn verify<'a>(
        headers: &[(&str, &'a str)],
        body: &[u8],
        seconds_later: i64,
    ) -> Result<&'a str, SignatureError> {
        let values = |name| {
            let found = headers.iter().filter(move |(header, _)| *header == name);
            found.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>()
        };
        let now = Timestamp::from_timestamp(SENT_AT + seconds_later, 0).unwrap();
        key(SECRET).unwrap().verify(values, body, now)
    }

    fn headers<'a>(id: &'a str, timestamp: &'a str, signature: &'a str) -> [(&'static str, &'a str); 3] {
        [(ID, id), (TIMESTAMP, timestamp), (SIGNATURE, signature)]
    }

    #[test]
    fn signs_as_the_standard_says() {
        let at = Timestamp::from_timestamp(SENT_AT, 999_999_000).unwrap();
        assert_eq!(key(SECRET).unwrap().sign("evt_1", at, BODY).as_deref(), Ok(SIGNED));
        assert_eq!(key(SECRET).unwrap().sign("evt_1", at, b"\xff"), Err(Unsignable));
    }

    #[test]
    fn takes_only_secrets_that_the_standard_allows_and_never_shows_them() {
        for secret in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_*",
            "whsec_not base64 at all, but long enough to be a key",
            "whsec_dG9vIHNob3J0IGEga2V5",
        ] {
            assert_eq!(key(secret).err(), Some(InvalidSecret), "{secret}");
        }
        let [longest, too_long] =
            [64, 65].map(|length| format!("whsec_{}", STANDARD.encode(vec![7; length])));
        assert!(key(&longest).is_ok() && key(&too_long).is_err());
        assert_eq!(format!("{:?}", key(SECRET).unwrap()), "WebhookKey(…)");
    }

    #[test]
    fn one_matching_signature_among_several_is_enough() {
        assert_eq!(verify(&headers("evt_1", "1762691696", SIGNED), BODY, 0), Ok("evt_1"));
        let rotated = format!("v1,b2xkIHNlY3JldA== v1a,YXN5bW1ldHJpYw== {SIGNED}");
        assert_eq!(verify(&headers("evt_1", "1762691696", &rotated), BODY, 0), Ok("evt_1"));
    }

    #[test]
    fn whatever_was_changed_on_the_way_is_noticed() {
        let mismatch = Err(SignatureError::Mismatch);
        let (as_v2, bare) = (SIGNED.replace("v1", "v2"), SIGNED.replace("v1,", ""));
        let others = [
            (headers("evt_1", "1762691696", SIGNED), &br#"{"amount":1.00}"#[..]),
            (headers("evt_1", "1762691697", SIGNED), BODY),
            (headers("evt_2", "1762691696", SIGNED), BODY),
            (headers("evt_1", "1762691696", ""), BODY),
            (headers("evt_1", "1762691696", &as_v2), BODY),
            (headers("evt_1", "1762691696", &bare), BODY),
            (headers("evt_1", "1762691696", SIGNED), b"\xff"),
        ];
        for (headers, body) in others {
            assert_eq!(verify(&headers, body, 0), mismatch, "{headers:?}");
        }
        let now = Timestamp::from_timestamp(SENT_AT, 0).unwrap();
        let elsewhere = key("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3").unwrap();
        let by_another = elsewhere.sign("evt_1", now, BODY).unwrap();
        assert_eq!(verify(&headers("evt_1", "1762691696", &by_another), BODY, 0), mismatch);
    }

    #[test]
    fn a_message_is_believed_for_five_minutes() {
        let headers = headers("evt_1", "1762691696", SIGNED);
        for (seconds_later, expected) in [
            (300, Ok("evt_1")),
            (-300, Ok("evt_1")),
            (301, Err(SignatureError::Untimely)),
            (-301, Err(SignatureError::Untimely)),
        ] {
            assert_eq!(verify(&headers, BODY, seconds_later), expected, "{seconds_later}");
        }
        for timestamp in ["", "+1762691696", "1762691696.0", "now", "99999999999999999999"] {
            let headers = [(ID, "evt_1"), (TIMESTAMP, timestamp), (SIGNATURE, SIGNED)];
            assert_eq!(verify(&headers, BODY, 0), Err(SignatureError::Untimely), "{timestamp}");
        }
    }

    #[test]
    fn each_header_is_needed_once() {
        let headers = headers("evt_1", "1762691696", SIGNED);
        for name in [ID, TIMESTAMP, SIGNATURE] {
            let without: Vec<_> = headers.into_iter().filter(|(header, _)| *header != name).collect();
            assert_eq!(verify(&without, BODY, 0), Err(SignatureError::Missing(name)));
            let twice: Vec<_> = headers.into_iter().chain([(name, "evt_1")]).collect();
            assert_eq!(verify(&twice, BODY, 0), Err(SignatureError::Repeated(name)));
        }
    }

    #[test]
    fn an_id_is_printable_and_not_too_long() {
        let now = Timestamp::from_timestamp(SENT_AT, 0).unwrap();
        let [longest, too_long] = [255, 256].map(|length| "i".repeat(length));
        for (id, valid) in
            [("", false), (" ", false), ("a b", false), ("아", false), (&longest, true), (&too_long, false)]
        {
            let signature = key(SECRET).unwrap().sign(id, now, BODY).unwrap();
            let verified = verify(&headers(id, "1762691696", &signature), BODY, 0);
            assert_eq!(verified, if valid { Ok(id) } else { Err(SignatureError::InvalidId) }, "{id}");
        }
    }
}
