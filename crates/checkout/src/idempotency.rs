//! Idempotency keys: a request that is sent again has its effect once and gets its answer again (ADR-024).
//!
//! The key's row is written in the transaction of the effect, so that both exist or neither does.

use std::fmt;

use kernel::{DomainError, ErrorKind, Timestamp, UserId};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// A caller's name for a request: 1 to 255 printable ASCII characters, compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Takes a key from a header.
    pub fn new(text: &str) -> Result<Self, IdempotencyError> {
        let valid = (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if !valid {
            return Err(IdempotencyError::InvalidKey);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request under its key: whose it is, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyedRequest {
    /// Who asks; keys of different callers never meet.
    pub caller: UserId,
    /// The key.
    pub key: IdempotencyKey,
    /// A digest of what is asked for.
    pub fingerprint: [u8; 32],
}

impl KeyedRequest {
    /// Binds a key to a request: its method, its path and its body in a canonical form.
    pub fn new(caller: UserId, key: IdempotencyKey, method: &str, path: &str, body: &str) -> Self {
        let mut digest = Sha256::new();
        for part in [method, path, body] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        Self { caller, key, fingerprint: digest.finalize().into() }
    }
}

/// What became of a request, in the form in which its caller gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What was made.
    pub resource: Option<Resource>,
}

/// Something that a request made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// An order.
    Order(Uuid),
    /// A product.
    Product(Uuid),
    /// The wallet of a user.
    Wallet(Uuid),
    /// A coupon.
    Coupon(Uuid),
    /// The piece of a coupon that a user holds.
    UserCoupon(Uuid),
    /// A payment.
    Payment(Uuid),
    /// A refund.
    Refund(Uuid),
}

impl Resource {
    /// Returns the kind as it is stored.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Product(_) => "product",
            Self::Wallet(_) => "wallet",
            Self::Coupon(_) => "coupon",
            Self::UserCoupon(_) => "user_coupon",
            Self::Payment(_) => "payment",
            Self::Refund(_) => "refund",
        }
    }

    /// Reads what [`Self::kind`] wrote.
    pub fn of(kind: &str, id: Uuid) -> Option<Self> {
        let kinds = [
            Self::Order(id),
            Self::Product(id),
            Self::Wallet(id),
            Self::Coupon(id),
            Self::UserCoupon(id),
            Self::Payment(id),
            Self::Refund(id),
        ];
        kinds.into_iter().find(|resource| resource.kind() == kind)
    }

    /// Returns the id.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Order(id)
            | Self::Product(id)
            | Self::Wallet(id)
            | Self::Coupon(id)
            | Self::UserCoupon(id)
            | Self::Payment(id)
            | Self::Refund(id) => id,
        }
    }
}

/// Turns the result of a use case into its reply, so that the reply can be stored with the effect.
pub type Render<T> = fn(&T) -> Result<Reply, serde_json::Error>;

/// A reply, and whether it is the repetition of an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The reply.
    pub reply: Reply,
    /// Whether it was stored by an earlier request with the same key.
    pub replayed: bool,
}

impl Answer {
    /// A reply that was made just now.
    pub const fn fresh(reply: Reply) -> Self {
        Self { reply, replayed: false }
    }

    /// A reply that was made before.
    pub const fn replayed(reply: Reply) -> Self {
        Self { reply, replayed: true }
    }
}

/// What is found when a key is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is the caller's now; other claims of it wait or are refused until the transaction ends.
    New,
    /// The same request was answered before.
    Done(Reply),
    /// The key belongs to another request.
    OtherRequest,
    /// The same request is at work.
    InProgress,
}

/// A request whose effect is part of this transaction, and its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedRequest {
    /// The request.
    pub request: KeyedRequest,
    /// Its reply.
    pub reply: Reply,
    /// Until when the request is at work nevertheless, outside any transaction: a twin is told so, and only
    /// afterwards gets the reply, which stands if nothing better follows.
    pub held_until: Option<Timestamp>,
}

impl CompletedRequest {
    /// A request that is answered.
    pub const fn new(request: KeyedRequest, reply: Reply) -> Self {
        Self { request, reply, held_until: None }
    }
}

/// Why a key forbids a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IdempotencyError {
    /// The key is empty, longer than 255 characters or not printable ASCII.
    #[error("an idempotency key has 1 to 255 printable ASCII characters")]
    InvalidKey,
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// A request with this key is at work.
    #[error("a request with this idempotency key is being worked on")]
    InProgress,
}

impl DomainError for IdempotencyError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidKey => ErrorKind::Invalid,
            Self::KeyReused | Self::InProgress => ErrorKind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidKey => "VALIDATION_ERROR",
            Self::KeyReused => "CONFLICT",
            Self::InProgress => "REQUEST_IN_PROGRESS",
        }
    }
}

impl Claim {
    /// Returns `None` if the request may go on, and otherwise what is to be answered.
    pub(crate) fn settled(self) -> Option<Result<Answer, IdempotencyError>> {
        match self {
            Self::New => None,
            Self::Done(reply) => Some(Ok(Answer::replayed(reply))),
            Self::OtherRequest => Some(Err(IdempotencyError::KeyReused)),
            Self::InProgress => Some(Err(IdempotencyError::InProgress)),
        }
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_key_letter_by_letter_or_none() {
        bolero::check!().with_iterations(2_000).with_type::<String>().for_each(|text| {
            let printable = text.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic());
            let key = IdempotencyKey::new(text);
            assert_eq!(key.is_ok(), printable && (1..=255).contains(&text.len()), "{text:?}");
            if let Ok(key) = key {
                assert_eq!((key.as_str(), key.to_string().as_str()), (text.as_str(), text.as_str()));
            }
        });
    }

    #[test]
    fn requests_that_differ_anywhere_have_different_fingerprints() {
        let caller = UserId::from_uuid(Uuid::nil());
        let of = |[method, path, body]: &[String; 3]| {
            KeyedRequest::new(caller, IdempotencyKey("k".to_owned()), method, path, body).fingerprint
        };
        bolero::check!().with_iterations(1_000).with_type::<([String; 3], usize)>().for_each(
            |(parts, place)| {
                // Neither a method nor a path can have a NUL.
                let parts = parts.clone().map(|part| part.replace('\0', ""));
                assert_eq!(of(&parts), of(&parts.clone()));
                // The same letters, with the border between two parts elsewhere.
                let [method, path, body] = &parts;
                let joined = format!("{method}{path}");
                let border = (0..=joined.len()).filter(|at| joined.is_char_boundary(*at)).collect::<Vec<_>>();
                let (method, path) = joined.split_at(border[place % border.len()]);
                let moved = [method.to_owned(), path.to_owned(), body.clone()];
                assert_eq!(of(&moved) == of(&parts), moved == parts);
            },
        );
    }
}
