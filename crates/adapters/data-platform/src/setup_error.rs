//! What can be wrong with the settings of the client.

use thiserror::Error;

/// Why a client could not be made from its settings. None of the texts repeats a secret.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The address is not one that `/v1/events` can be appended to.
    #[error(
        "the address of the data platform must be http or https, without credentials, query and fragment"
    )]
    InvalidAddress,
    /// The signing secret is not one of Standard Webhooks.
    #[error("the secret of the data platform must be whsec_ followed by 24 to 64 bytes in base64")]
    InvalidSecret,
    /// The HTTP client could not be built, for example because the system has no root certificates.
    #[error("the HTTP client for the data platform could not be built")]
    Client(#[source] reqwest::Error),
}
