//! Secrets that sign webhooks.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::setting::{MASK, Setting, quoted};

/// A symmetric secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64; it does not print.
#[derive(Clone)]
pub struct WebhookSecret(SecretString);

impl WebhookSecret {
    /// Returns the secret in its written form, `whsec_…`.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// For the question whether a secret is a published one, as with [`super::SecretKey`].
impl PartialEq for WebhookSecret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookSecret({MASK})")
    }
}

impl Setting for WebhookSecret {
    const WHAT: &'static str = "a webhook secret";

    fn allowed() -> String {
        "whsec_ and 24 to 64 bytes in base64, as `echo whsec_$(openssl rand -base64 32)` prints them".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then(|| Self(text.into()))
    }

    fn literal(&self) -> Option<String> {
        Some(quoted(MASK))
    }

    fn conceals(_text: &str) -> bool {
        true
    }
}
