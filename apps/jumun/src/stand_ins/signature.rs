//! Checks that a message comes from who shares the secret: Standard Webhooks, symmetric `v1`.

use actix_web::http::header::HeaderMap;
use chrono::TimeDelta;
use kernel::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use thiserror::Error;

/// The secret has no form that Standard Webhooks knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the webhook secret must be whsec_ followed by base64")]
pub struct InvalidSecret;

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum SignatureError {
    /// A header of the standard is missing or not text.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The time at which it was sent cannot be read or is too far from the present.
    #[error("webhook-timestamp is not within five minutes of now")]
    Untimely,
    /// None of its signatures is the one that the secret gives.
    #[error("webhook-signature does not match")]
    Mismatch,
}

/// Checks messages against one secret. It does not print.
pub(super) struct SignatureCheck(Webhook);

impl SignatureCheck {
    /// How far the sender's clock may be from ours, and how late a message may be repeated by others.
    const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

    /// Reads a secret of the form `whsec_<base64>`.
    pub(super) fn new(secret: &SecretString) -> Result<Self, InvalidSecret> {
        let secret = secret.expose_secret();
        if !secret.starts_with("whsec_") {
            return Err(InvalidSecret);
        }
        Webhook::new(secret).map(Self).map_err(|_| InvalidSecret)
    }

    /// Accepts a message if one of its signatures is ours. It differs from the library's own check in
    /// that `now` is given.
    pub(super) fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        let id = header(headers, HEADER_WEBHOOK_ID)?;
        let signatures = header(headers, HEADER_WEBHOOK_SIGNATURE)?;
        let sent_at = header(headers, HEADER_WEBHOOK_TIMESTAMP)?
            .parse()
            .ok()
            .and_then(|seconds| Timestamp::from_timestamp(seconds, 0))
            .filter(|sent_at| (now - *sent_at).abs() <= Self::TOLERANCE)
            .ok_or(SignatureError::Untimely)?;
        let expected = self.0.sign(id, sent_at.timestamp(), body).map_err(|_| SignatureError::Mismatch)?;
        if signatures.split(' ').any(|signature| same(signature, &expected)) {
            Ok(())
        } else {
            Err(SignatureError::Mismatch)
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, SignatureError> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(SignatureError::Missing(name))
}

/// Compares in a time that does not tell where the difference is.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SENT_AT: i64 = 1_762_691_696;
    const BODY: &[u8] = br#"{"amount":19900.00}"#;

    /// The expected signature is what Python's `hmac` computes.
    const SIGNATURE: &str = "v1,tguPKkBLR2NCVr53+EFYsDpzZcVuNmqP48Ywzt3OgrQ=";

    fn headers(timestamp: &str, signature: &str) -> HeaderMap {
        [("webhook-id", "evt_1"), ("webhook-timestamp", timestamp), ("webhook-signature", signature)]
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn verify(headers: &HeaderMap, body: &[u8], seconds_later: i64) -> Result<(), SignatureError> {
        let now = Timestamp::from_timestamp(SENT_AT + seconds_later, 0).unwrap();
        SignatureCheck::new(&SecretString::from(SECRET)).unwrap().verify(headers, body, now)
    }

    #[test]
    fn one_matching_signature_among_several_is_enough() {
        let sent_at = SENT_AT.to_string();
        assert_eq!(verify(&headers(&sent_at, SIGNATURE), BODY, 0), Ok(()));
        let rotated = format!("v1,b2xkIHNlY3JldA== v1a,YXN5bW1ldHJpYw== {SIGNATURE}");
        assert_eq!(verify(&headers(&sent_at, &rotated), BODY, 0), Ok(()));
    }

    #[test]
    fn whatever_was_changed_on_the_way_is_noticed() {
        let sent_at = SENT_AT.to_string();
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(verify(&headers(&sent_at, SIGNATURE), br#"{"amount":1.00}"#, 0), mismatch);
        assert_eq!(verify(&headers(&(SENT_AT + 1).to_string(), SIGNATURE), BODY, 0), mismatch);
        assert_eq!(verify(&headers(&sent_at, ""), BODY, 0), mismatch);
        assert_eq!(verify(&headers(&sent_at, &SIGNATURE.replace("v1", "v2")), BODY, 0), mismatch);
        let mut other_id = headers(&sent_at, SIGNATURE);
        other_id.insert(HeaderName::from_static("webhook-id"), HeaderValue::from_static("evt_2"));
        assert_eq!(verify(&other_id, BODY, 0), mismatch);
    }

    #[test]
    fn a_message_is_believed_for_five_minutes() {
        let headers = headers(&SENT_AT.to_string(), SIGNATURE);
        assert_eq!(verify(&headers, BODY, 300), Ok(()));
        assert_eq!(verify(&headers, BODY, -300), Ok(()));
        assert_eq!(verify(&headers, BODY, 301), Err(SignatureError::Untimely));
        assert_eq!(verify(&headers, BODY, -301), Err(SignatureError::Untimely));
    }

    #[test]
    fn each_header_is_needed() {
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let mut headers = headers(&SENT_AT.to_string(), SIGNATURE);
            headers.remove(name);
            assert_eq!(verify(&headers, BODY, 0), Err(SignatureError::Missing(name)));
        }
    }

    #[test]
    fn a_secret_of_another_form_is_refused() {
        for secret in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_*"] {
            assert!(SignatureCheck::new(&SecretString::from(secret)).is_err(), "{secret}");
        }
    }
}
