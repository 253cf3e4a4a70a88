//! What can be wrong with the settings.

use thiserror::Error;

/// Why the adapter could not be made from its settings. None of the texts repeats a secret.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The address is not one that `/v1/payments` can be appended to.
    #[error(
        "the address of the payment gateway must be http or https, without credentials, query and fragment"
    )]
    InvalidAddress,
    /// The secret that signs notices is not one of Standard Webhooks.
    #[error("the secret of the payment gateway must be whsec_ followed by 24 to 64 bytes in base64")]
    InvalidSecret,
    /// The HTTP client could not be built, for example because the system has no root certificates.
    #[error("the HTTP client for the payment gateway could not be built")]
    Client(#[source] reqwest::Error),
}
