//! What the gateway tells on its own account, signed by Standard Webhooks.

use std::fmt;
use std::sync::Arc;

use kernel::{Clock, DomainError, ErrorKind, PaymentId, Timestamp};
use payment::{ChargeState, GatewayCharge};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;
use webhooks::{SignatureError, WebhookKey};

use crate::setup_error::SetupError;
use crate::wire;

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// `payment.succeeded`: the money has been taken.
    Succeeded,
    /// `payment.failed`: no money has been taken, and none will be.
    Failed,
}

/// A notice about a charge that is settled. It may come twice, late, in any order, and before the answer
/// to the charge itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its id, 1 to 255 printable ASCII characters, by which a repetition is known.
    pub id: String,
    /// What it tells.
    pub kind: NoticeKind,
    /// When that happened, as the gateway says.
    pub occurred_at: Timestamp,
    /// The attempt that the charge belongs to.
    pub payment_id: PaymentId,
    /// The charge; its state is the one that the kind says.
    pub charge: GatewayCharge,
}

/// A message that the gateway surely sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A notice to act on.
    Notice(Notice),
    /// Something that we have no use for, to be confirmed and forgotten.
    Ignored {
        /// Its id.
        id: String,
    },
}

/// Why a message is no notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoticeError {
    /// Nobody knows whether the gateway sent it, or it is repeated too late.
    #[error("the notice is not believed: {0}")]
    Unauthorized(#[from] SignatureError),
    /// The gateway sent it, and it does not have the documented form.
    #[error("the notice cannot be read: {0}")]
    Invalid(&'static str),
}

impl DomainError for NoticeError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthorized(_) => ErrorKind::Unauthorized,
            Self::Invalid(_) => ErrorKind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "UNAUTHORIZED",
            Self::Invalid(_) => "VALIDATION_ERROR",
        }
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    r#type: String,
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Checks and reads the gateway's notices.
pub struct NoticeVerifier {
    key: WebhookKey,
    clock: Arc<dyn Clock>,
}

impl NoticeVerifier {
    /// Makes one for notices signed with `secret`, `whsec_<base64>`.
    ///
    /// # Errors
    /// When the secret has another form.
    pub fn new(secret: &SecretString, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let key = WebhookKey::new(secret).map_err(|_| SetupError::InvalidSecret)?;
        Ok(Self { key, clock })
    }

    /// Reads a message if the gateway signed it within five minutes of now. `values` returns all values of
    /// a header, for example `|name| headers.get_all(name).map(HeaderValue::as_bytes)`.
    ///
    /// # Errors
    /// Why the message is no notice. Nothing of its body was looked at if it is not believed.
    pub fn verify<'a, V>(
        &self,
        values: impl FnMut(&'static str) -> V,
        body: &[u8],
    ) -> Result<Received, NoticeError>
    where
        V: IntoIterator<Item = &'a [u8]>,
    {
        let id = self.key.verify(values, body, self.clock.now())?.to_owned();
        let envelope = wire::object(body).ok_or(NoticeError::Invalid("it is not {type, timestamp, data}"))?;
        let Envelope { r#type, timestamp, data } = envelope;
        let kind = match r#type.as_str() {
            "payment.succeeded" => NoticeKind::Succeeded,
            "payment.failed" => NoticeKind::Failed,
            _ => return Ok(Received::Ignored { id }),
        };
        let occurred_at = timestamp.ok_or(NoticeError::Invalid("it has no timestamp"))?;
        let data = data.ok_or(NoticeError::Invalid("it has no data"))?;
        let (payment_id, charge) = wire::charge(data.get().as_bytes(), None)
            .map_err(|_| NoticeError::Invalid("its data is not a charge"))?;
        let fits = match charge.state {
            ChargeState::Captured => kind == NoticeKind::Succeeded,
            ChargeState::Declined { .. } => kind == NoticeKind::Failed,
            ChargeState::Pending => false,
        };
        if !fits {
            return Err(NoticeError::Invalid("the charge is not in the state that the type says"));
        }
        Ok(Received::Notice(Notice { id, kind, occurred_at, payment_id, charge }))
    }
}

/// Shows no secret.
impl fmt::Debug for NoticeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticeVerifier").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
