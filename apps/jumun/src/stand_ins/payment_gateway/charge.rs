//! A charge, and what becomes of it by the token of its card.

use std::collections::HashMap;

use kernel::Money;
use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChargeRequest {
    pub(super) amount: Money,
    pub(super) currency: String,
    pub(super) card_token: String,
    pub(super) order_id: String,
}

/// What becomes of a charge, and what its caller and its merchant are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// `tok_ok`: the money is taken, answered and told of.
    Prompt,
    /// `tok_declined` and unknown ones: it is not taken, answered and told of.
    Declined(&'static str),
    /// `tok_timeout`: it is taken, and never answered nor told of.
    Unanswered,
    /// `tok_error`: it is not taken, and the answer is a failure.
    Failing,
    /// `tok_late`: it is taken a second later, and told of.
    Late,
}

impl Course {
    /// Returns the course that a token stands for.
    pub(super) fn of(card_token: &str) -> Self {
        match card_token {
            "tok_ok" => Self::Prompt,
            "tok_declined" => Self::Declined("insufficient_funds"),
            "tok_timeout" => Self::Unanswered,
            "tok_error" => Self::Failing,
            "tok_late" => Self::Late,
            _ => Self::Declined("invalid_card"),
        }
    }
}

/// How far a charge has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Succeeded,
    Declined,
    Pending,
}

/// A charge as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) status: Status,
    pub(super) amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decline_code: Option<&'static str>,
    pub(super) refunded_amount: Money,
}

impl Charge {
    /// Begins a charge.
    pub(super) const fn new(id: String, key: String, amount: Money, course: Course) -> Self {
        let (status, decline_code) = match course {
            Course::Prompt | Course::Unanswered => (Status::Succeeded, None),
            Course::Declined(code) => (Status::Declined, Some(code)),
            Course::Failing => (Status::Declined, Some("processing_error")),
            Course::Late => (Status::Pending, None),
        };
        Self { id, key, status, amount, decline_code, refunded_amount: Money::ZERO }
    }
}

/// A refund as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) status: Status,
    pub(super) amount: Money,
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The key was used for something else.
    KeyReused,
    /// There is no such charge.
    NotFound,
    /// No money has been taken that could be given back.
    NotCaptured,
    /// Less is left than is asked for.
    ExceedsCharge,
    /// There are more refunds of a charge than anybody needs.
    TooMany,
}

impl Refusal {
    /// Returns the code of the answer.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::KeyReused => "idempotency_key_reused",
            Self::NotFound => "charge_not_found",
            Self::NotCaptured => "charge_not_captured",
            Self::ExceedsCharge => "amount_exceeds_charge",
            Self::TooMany => "too_many_refunds",
        }
    }
}

/// A charge with what it was asked for by, and its refunds.
pub(super) struct Record {
    pub(super) charge: Charge,
    pub(super) request: ChargeRequest,
    /// In the order in which they came.
    pub(super) refunds: Vec<Refund>,
    /// The place of each by its key.
    places: HashMap<String, usize>,
}

impl Record {
    /// So many refunds of a charge are kept, and further ones refused.
    const MOST_REFUNDS: usize = 1_000;

    /// Keeps a charge without refunds.
    pub(super) fn new(charge: Charge, request: ChargeRequest) -> Self {
        Self { charge, request, refunds: Vec::new(), places: HashMap::new() }
    }

    /// Gives money back, or says what was done when the key came first.
    pub(super) fn refund(
        &mut self,
        key: &str,
        amount: Money,
        new_id: impl FnOnce() -> String,
    ) -> Result<Refund, Refusal> {
        if let Some(known) = self.places.get(key).and_then(|place| self.refunds.get(*place)) {
            return if known.amount == amount { Ok(known.clone()) } else { Err(Refusal::KeyReused) };
        }
        if self.charge.status != Status::Succeeded {
            return Err(Refusal::NotCaptured);
        }
        if self.refunds.len() >= Self::MOST_REFUNDS {
            return Err(Refusal::TooMany);
        }
        let refunded = self.charge.refunded_amount.checked_add(amount);
        let refunded = refunded.filter(|refunded| *refunded <= self.charge.amount);
        self.charge.refunded_amount = refunded.ok_or(Refusal::ExceedsCharge)?;
        let refund = Refund { id: new_id(), key: key.to_owned(), status: Status::Succeeded, amount };
        self.places.insert(key.to_owned(), self.refunds.len());
        self.refunds.push(refund.clone());
        Ok(refund)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(course: Course) -> Record {
        let request = ChargeRequest {
            amount: Money::won(100),
            currency: "KRW".to_owned(),
            card_token: String::new(),
            order_id: String::new(),
        };
        Record::new(Charge::new("pay_1".to_owned(), "k".to_owned(), Money::won(100), course), request)
    }

    #[test]
    fn refunds_add_up_to_the_charge_and_not_beyond() {
        let mut record = record(Course::Prompt);
        let mut refund = |key: &str, won| {
            record.refund(key, Money::won(won), || format!("ref_{key}")).map(|refund| refund.id)
        };
        assert_eq!(refund("a", 60), Ok("ref_a".to_owned()));
        assert_eq!(refund("b", 41), Err(Refusal::ExceedsCharge));
        assert_eq!(refund("a", 60), Ok("ref_a".to_owned()), "nothing is given back twice");
        assert_eq!(refund("a", 59), Err(Refusal::KeyReused));
        assert_eq!(refund("b", 40), Ok("ref_b".to_owned()));
        assert_eq!(refund("c", 1), Err(Refusal::ExceedsCharge));
        assert_eq!(record.charge.refunded_amount, Money::won(100));
        assert_eq!(record.refunds.len(), 2);
    }

    #[test]
    fn only_what_was_taken_is_given_back() {
        for course in [Course::Declined("x"), Course::Failing, Course::Late] {
            let refused = record(course).refund("a", Money::won(1), String::new);
            assert_eq!(refused, Err(Refusal::NotCaptured), "{course:?}");
        }
    }
}
