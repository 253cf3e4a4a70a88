//! What is written to the gateway, and what its answers mean.

use kernel::{Money, OrderId, PaymentId, RefundId};
use payment::{CardCharge, CardRefund, ChargeState, GatewayCharge};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::transport::Answer;

/// The body that asks for a charge.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChargeBody<'a> {
    amount: Money,
    currency: &'static str,
    card_token: &'a str,
    order_id: OrderId,
}

impl<'a> From<&'a CardCharge> for ChargeBody<'a> {
    fn from(charge: &'a CardCharge) -> Self {
        let CardCharge { amount, token, order_id, .. } = charge;
        Self { amount: *amount, currency: "KRW", card_token: token.expose(), order_id: *order_id }
    }
}

/// The body that asks for a refund.
#[derive(Serialize)]
pub(crate) struct RefundBody {
    pub(crate) amount: Money,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ChargeStatus {
    Succeeded,
    Declined,
    Pending,
}

/// A charge as the gateway writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCharge {
    id: String,
    key: PaymentId,
    status: ChargeStatus,
    amount: Money,
    decline_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RefundStatus {
    Succeeded,
}

/// A refund as the gateway writes it.
#[derive(Deserialize)]
struct WireRefund {
    id: String,
    key: RefundId,
    #[serde(rename = "status")]
    _status: RefundStatus,
    amount: Money,
}

/// A refusal as the gateway writes it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Option<String>,
}

/// Reads a JSON object; a list of the members' values is none, though the library takes it for one. Why it
/// cannot be read is not said, because that quotes from the text.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    let is_object = json.trim_ascii_start().first() == Some(&b'{');
    if is_object { serde_json::from_slice(json).ok() } else { None }
}

/// Reads a charge and the key that it was asked for by.
pub(crate) fn charge(json: &[u8], secret: Option<&str>) -> Result<(PaymentId, GatewayCharge), Failure> {
    let charge: WireCharge = object(json).ok_or(Failure::Garbled("it holds no charge"))?;
    if !is_id(&charge.id) {
        return Err(Failure::Garbled("the id of the charge is none"));
    }
    if charge.amount <= Money::ZERO {
        return Err(Failure::Garbled("the amount of the charge is not above zero"));
    }
    let state = match charge.status {
        ChargeStatus::Pending => ChargeState::Pending,
        ChargeStatus::Succeeded => ChargeState::Captured,
        ChargeStatus::Declined => ChargeState::Declined {
            code: code(charge.decline_code.as_deref(), secret).unwrap_or_else(|| "declined".to_owned()),
        },
    };
    Ok((charge.key, GatewayCharge { id: charge.id, amount: charge.amount, state }))
}

/// Reads the charge with `key` out of an answer.
pub(crate) fn charge_of(
    answer: &Answer,
    key: PaymentId,
    secret: Option<&str>,
) -> Result<GatewayCharge, Failure> {
    if !answer.status.is_success() {
        return Err(refusal(answer, secret));
    }
    let (about, charge) = charge(&answer.body, secret)?;
    if about == key { Ok(charge) } else { Err(Failure::Garbled("it is about another charge")) }
}

/// Reads the charge with `key`, or that there is none, out of an answer.
pub(crate) fn found(answer: &Answer, key: PaymentId) -> Result<Option<GatewayCharge>, Failure> {
    if answer.status == StatusCode::NOT_FOUND {
        let refusal: Refusal = object(&answer.body).unwrap_or_default();
        let is_the_gateways = refusal.error.as_deref() == Some("charge_not_found");
        return if is_the_gateways { Ok(None) } else { Err(Failure::Status(answer.status.as_u16())) };
    }
    charge_of(answer, key, None).map(Some)
}

/// Finds out whether a refund is confirmed.
pub(crate) fn refunded(answer: &Answer, asked: &CardRefund) -> Result<(), Failure> {
    if !answer.status.is_success() {
        return Err(refusal(answer, None));
    }
    let refund: WireRefund = object(&answer.body).ok_or(Failure::Garbled("it confirms no refund"))?;
    if is_id(&refund.id) && refund.key == asked.key && refund.amount == asked.amount {
        Ok(())
    } else {
        Err(Failure::Garbled("it is about another refund"))
    }
}

/// Reads an answer that is no success. Only some statuses say that nothing was done, and only one of them
/// is a verdict on what was asked: the others are about who asks, where, and in which form, and say nothing
/// of a buyer's card.
fn refusal(answer: &Answer, secret: Option<&str>) -> Failure {
    let status = answer.status.as_u16();
    match status {
        422 => {}
        400 | 401 | 403 | 404 => return Failure::NotLetIn(status),
        _ => return Failure::Status(status),
    }
    let refusal: Refusal = object(&answer.body).unwrap_or_default();
    let code = code(refusal.error.as_deref(), secret).unwrap_or_else(|| format!("http_{status}"));
    Failure::Refused { code }
}

/// Returns whether a text can be what the gateway calls a charge: it becomes a segment of a path.
pub(crate) fn is_id(text: &str) -> bool {
    let printable = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    printable && text != "." && text != ".."
}

/// Returns a code of the gateway if it is one: it is stored, logged and shown to the buyer, so it must be
/// short and plain, and must not hold what the gateway was told in confidence.
fn code(text: Option<&str>, secret: Option<&str>) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    text.filter(|text| (1..=64).contains(&text.len()) && text.bytes().all(plain))
        .filter(|text| secret.is_none_or(|secret| !text.contains(secret)))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_short_and_plain_and_tell_no_secret() {
        let [longest, too_long] = [64, 65].map(|length| "c".repeat(length));
        for (text, taken) in [
            ("insufficient_funds", true),
            ("E-4.2", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            ("<script>", false),
            ("no money", false),
            ("한도", false),
            ("no_tok_secret_here", false),
        ] {
            assert_eq!(code(Some(text), Some("tok_secret")).as_deref(), taken.then_some(text), "{text}");
        }
        assert_eq!(code(None, None), None);
    }

    #[test]
    fn an_id_fits_into_a_path() {
        let [longest, too_long] = [64, 65].map(|length| "c".repeat(length));
        for (text, valid) in [
            ("pay_1", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            (".", false),
            ("..", false),
            ("a b", false),
        ] {
            assert_eq!(is_id(text), valid, "{text}");
        }
    }
}
