//! What can be wrong with a secret and with a message. None of the texts repeats a secret.

use thiserror::Error;

/// The secret has no form that Standard Webhooks knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a webhook secret must be whsec_ followed by 24 to 64 bytes in base64")]
pub struct InvalidSecret;

/// The message cannot be signed, since it is not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a message that is not UTF-8 cannot be signed")]
pub struct Unsignable;

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// A header of the standard is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A header of the standard is there more than once, so that two readers could take different ones.
    #[error("{0} is there more than once")]
    Repeated(&'static str),
    /// The id is empty, too long or not printable.
    #[error("webhook-id must have 1 to 255 printable ASCII characters")]
    InvalidId,
    /// The time at which it was sent cannot be read or is too far from the present.
    #[error("webhook-timestamp is not within five minutes of now")]
    Untimely,
    /// None of its signatures is the one that the secret gives.
    #[error("webhook-signature does not match")]
    Mismatch,
}
