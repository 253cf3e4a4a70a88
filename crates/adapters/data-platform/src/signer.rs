//! Signatures by which the receiver knows the sender: Standard Webhooks, symmetric `v1`.

use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use standardwebhooks::{Webhook, WebhookError};

use crate::SetupError;

/// Signs messages with a key shared with the receiver. It does not print.
pub(crate) struct Signer(Webhook);

impl Signer {
    const PREFIX: &str = "whsec_";
    /// How many bytes the standard wants a key to have.
    const KEY_LENGTH: RangeInclusive<usize> = 24..=64;

    /// Reads a secret of the form `whsec_<base64>`.
    pub(crate) fn new(secret: &SecretString) -> Result<Self, SetupError> {
        secret
            .expose_secret()
            .strip_prefix(Self::PREFIX)
            // The cause is dropped because it quotes from the secret.
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .filter(|key| Self::KEY_LENGTH.contains(&key.len()))
            .and_then(|key| Webhook::from_bytes(key).ok())
            .map(Self)
            .ok_or(SetupError::InvalidSecret)
    }

    /// Returns the `webhook-signature` of a message sent at `at`, a time cut to the second.
    pub(crate) fn sign(&self, id: &str, at: Timestamp, body: &str) -> Result<String, WebhookError> {
        self.0.sign(id, at.timestamp(), body.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: &str) -> Result<Signer, SetupError> {
        Signer::new(&SecretString::from(secret))
    }

    /// The expected value is `HMAC-SHA256(key, "{id}.{timestamp}.{body}")` as Python's `hmac` computes it.
    #[test]
    fn signs_as_the_standard_says() {
        let signer = signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").ok().unwrap();
        let at = Timestamp::from_timestamp(1_762_691_696, 999_999_000).unwrap();
        let signature = signer.sign("evt_1", at, r#"{"amount":19900.00}"#).unwrap();
        assert_eq!(signature, "v1,tguPKkBLR2NCVr53+EFYsDpzZcVuNmqP48Ywzt3OgrQ=");
    }

    #[test]
    fn takes_only_secrets_that_the_standard_allows_and_never_quotes_them() {
        for secret in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_not base64 at all, but long enough to be a key",
            "whsec_dG9vIHNob3J0IGEga2V5",
        ] {
            let error = signer(secret).err().unwrap();
            assert!(matches!(error, SetupError::InvalidSecret), "{secret}");
            assert!(secret.len() < 7 || !format!("{error:?} {error}").contains(&secret[6..]), "{secret}");
        }
        let longest = format!("whsec_{}", STANDARD.encode([7; 64]));
        let too_long = format!("whsec_{}", STANDARD.encode([7; 65]));
        assert!(signer(&longest).is_ok() && signer(&too_long).is_err());
    }
}
