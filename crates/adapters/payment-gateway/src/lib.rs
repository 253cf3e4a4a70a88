//! The payment gateway: who takes money by card, and gives it back (ADR-038).
//!
//! [`PaymentGatewayClient`] implements the port [`PaymentGateway`](payment::PaymentGateway), and
//! [`NoticeVerifier`] reads the notices that the gateway sends on its own account.
//!
//! # On the wire
//!
//! | | |
//! |---|---|
//! | `POST {base}/v1/payments` | takes `{amount, currency: "KRW", cardToken, orderId}`; 201 or 202 with the charge |
//! | `GET {base}/v1/payments?key=` | 200 with the charge, or 404 `{"error": "charge_not_found"}` |
//! | `POST {base}/v1/payments/{id}/refunds` | takes `{amount}`; 201 `{id, key, status: "SUCCEEDED", amount}` |
//!
//! A charge is `{id, key, status: "SUCCEEDED" | "DECLINED" | "PENDING", amount, declineCode?}`; members
//! beyond these are ignored. Amounts are JSON numbers with two decimals. Each POST has an
//! `Idempotency-Key`, the id of the payment or of the refund, which comes back as `key`: the gateway does
//! once what has one key, and answers the same again. A refusal is 4xx with `{"error": "a_code"}`. All
//! requests carry a `traceparent` where there is a trace, and no credentials: the gateway knows its
//! callers by the network they come from.
//!
//! # What an answer means
//!
//! - **Not sent**: no connection stood, or the circuit is open: surely nothing was done, and such a call is
//!   repeated once before that is said. Neither was anything done for 400, 401, 403 and 404: the request was
//!   not let in, which is about our settings and not about a buyer's card.
//! - **Refused**: 422, a verdict on what was asked. *This* request had no effect. That says nothing of an
//!   earlier one with the same key: whoever may have sent one asks by `find`.
//! - **Unknown**: everything else, since it cannot be told from "done": no answer in time, a broken
//!   connection, any other status (408, 409, 429, 3xx and 5xx among them), and an answer that is not exactly
//!   what is documented above, is about another key or is longer than 64 KiB. A question is repeated once
//!   where the connection broke; what moves money is not.
//!
//! A 404 means "never heard of it" only with the code above: a page of somebody in between does not.
//!
//! A card token goes into the body of a charge and nowhere else. No text of an error repeats what the
//! gateway wrote, but for a code of up to 64 letters, digits, `_`, `-` and `.` without the token in it.

mod address;
mod client;
mod failure;
mod guard;
mod notice;
mod setup_error;
mod transport;
mod wire;

pub use client::{PaymentGatewayClient, TimeLimits};
pub use notice::{Notice, NoticeError, NoticeKind, NoticeVerifier, Received};
pub use setup_error::SetupError;
