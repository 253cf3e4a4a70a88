//! What clients asked for, and what they were told: the history that is checked at the end (ADR-044).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::client::{Answer, Request};

/// What a request is meant to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// An order that takes stock and perhaps points.
    Order,
    /// So many won in the wallet of the caller, who asks for each amount once.
    Charge(u64),
    /// A piece of the coupon with this code.
    Claim(String),
    /// A payment of an order.
    Payment(Uuid),
    /// All that is left of a payment, back.
    Refund(Uuid),
    /// The end of an order that is not paid.
    Cancellation(Uuid),
    /// None.
    Read,
}

impl Effect {
    /// Names its kind.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Charge(_) => "charge",
            Self::Claim(_) => "claim",
            Self::Payment(_) => "payment",
            Self::Refund(_) => "refund",
            Self::Cancellation(_) => "cancellation",
            Self::Read => "read",
        }
    }
}

/// An answer, with when it came.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// When it was sent, since the drill began.
    pub(crate) at: Duration,
    /// How long it took.
    pub(crate) took: Duration,
    /// What came of it.
    pub(crate) answer: Answer,
}

/// A request with all its attempts, each with the same key.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What it is meant to do.
    pub(crate) effect: Effect,
    /// The request.
    pub(crate) request: Request,
    /// What clients were told, in order.
    pub(crate) attempts: Vec<Attempt>,
}

/// What a client may rely on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// It took effect: exactly once.
    Done(&'a str),
    /// It was refused each time: it has no effect.
    Refused,
    /// Nobody told: it took effect once or not at all.
    Unknown,
}

/// Tells whether a status says that the request has been carried out.
///
/// 202 is an effect that is not settled, and is told anew once it is. 402 is a payment that was refused and
/// is remembered as such.
pub(crate) const fn is_success(status: u16) -> bool {
    matches!(status, 200 | 201)
}

/// Tells whether an answer says for good that this attempt has changed nothing.
pub(crate) fn is_refusal(answer: &Answer) -> bool {
    match answer {
        Answer::Unsent => true,
        Answer::Lost(_) | Answer::Gone => false,
        Answer::Heard { status, .. } => {
            (400..500).contains(status)
                && *status != 402
                && answer.code().as_deref() != Some("REQUEST_IN_PROGRESS")
        }
    }
}

impl Entry {
    /// Judges from all that was told.
    pub(crate) fn verdict(&self) -> Verdict<'_> {
        for attempt in &self.attempts {
            if let Answer::Heard { status, body, .. } = &attempt.answer
                && is_success(*status)
            {
                return Verdict::Done(body);
            }
        }
        if self.attempts.iter().all(|attempt| is_refusal(&attempt.answer)) {
            return Verdict::Refused;
        }
        Verdict::Unknown
    }
}

/// Everything that was asked for. Reads are counted by what came of them, and not kept.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: Mutex<Vec<Entry>>,
    reads: Mutex<Vec<Attempt>>,
}

/// In a [`Tally`]: the answer was lost.
pub(crate) const LOST: u16 = 0;
/// In a [`Tally`]: nobody took the request.
pub(crate) const UNSENT: u16 = 1;
/// In a [`Tally`]: the client went away.
pub(crate) const GONE: u16 = 2;

/// What was told in a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Answers by status, or by what became of the request instead.
    pub(crate) statuses: BTreeMap<u16, usize>,
    /// The longest that anybody waited.
    pub(crate) slowest: Duration,
}

impl Tally {
    fn count(&mut self, attempt: &Attempt) {
        let status = match &attempt.answer {
            Answer::Heard { status, .. } => *status,
            Answer::Lost(_) => LOST,
            Answer::Unsent => UNSENT,
            Answer::Gone => GONE,
        };
        *self.statuses.entry(status).or_default() += 1;
        self.slowest = self.slowest.max(attempt.took);
    }

    /// Returns how many had such a status.
    pub(crate) fn of(&self, matches: impl Fn(u16) -> bool) -> usize {
        self.statuses.iter().filter(|(status, _)| matches(**status)).map(|(_, count)| count).sum()
    }
}

impl History {
    /// Remembers a request with its attempts.
    pub(crate) fn record(&self, entry: Entry) {
        if entry.effect == Effect::Read {
            lock(&self.reads).extend(entry.attempts);
        } else {
            lock(&self.entries).push(entry);
        }
    }

    /// Returns a copy of what asked for effects.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        lock(&self.entries).clone()
    }

    /// Counts what was sent between two moments.
    pub(crate) fn tally(&self, time: Range<Duration>) -> Tally {
        let mut tally = Tally::default();
        let within = |attempt: &&Attempt| time.contains(&attempt.at);
        lock(&self.reads).iter().filter(within).for_each(|attempt| tally.count(attempt));
        let entries = lock(&self.entries);
        entries
            .iter()
            .flat_map(|entry| &entry.attempts)
            .filter(within)
            .for_each(|attempt| tally.count(attempt));
        tally
    }

    /// Returns the answers that a service must never give: 5xx but for 503, and 503 that does not say when to
    /// come back.
    pub(crate) fn faults(&self) -> Vec<String> {
        let entries = lock(&self.entries);
        let reads = lock(&self.reads);
        let attempts = entries.iter().flat_map(|entry| &entry.attempts).chain(reads.iter());
        let bad = attempts.filter_map(|attempt| match &attempt.answer {
            Answer::Heard { status: 503, has_retry_after: true, .. } => None,
            Answer::Heard { status: status @ 500.., body, .. } => Some(format!("{status}: {body}")),
            _ => None,
        });
        bad.collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard(status: u16, error: &str) -> Answer {
        let body = json!({ "error": error }).to_string();
        Answer::Heard { status, body, is_replay: false, has_retry_after: true }
    }

    fn entry(answers: Vec<Answer>) -> Entry {
        let attempt = |answer| Attempt { at: Duration::ZERO, took: Duration::from_millis(1), answer };
        let request = Request::post("/orders", Uuid::nil(), &json!({}));
        Entry { effect: Effect::Order, request, attempts: answers.into_iter().map(attempt).collect() }
    }

    #[test]
    fn a_success_counts_whatever_else_was_told() {
        let lost = || Answer::Lost("reset".into());
        let entry = entry(vec![lost(), heard(409, "REQUEST_IN_PROGRESS"), heard(201, ""), lost()]);
        assert_eq!(entry.verdict(), Verdict::Done(r#"{"error":""}"#));
    }

    #[test]
    fn only_what_was_refused_each_time_is_refused() {
        assert_eq!(entry(vec![heard(409, "OUT_OF_STOCK"), Answer::Unsent]).verdict(), Verdict::Refused);
        for other in [
            heard(503, "SERVICE_UNAVAILABLE"),
            heard(409, "REQUEST_IN_PROGRESS"),
            heard(202, ""),
            heard(402, "PAYMENT_DECLINED"),
            Answer::Lost("reset".into()),
        ] {
            let entry = entry(vec![heard(409, "OUT_OF_STOCK"), other.clone()]);
            assert_eq!(entry.verdict(), Verdict::Unknown, "{other:?}");
        }
    }

    #[test]
    fn errors_of_the_inside_are_faults_and_an_honest_503_is_none() {
        let history = History::default();
        let silent =
            Answer::Heard { status: 503, body: "x".into(), is_replay: false, has_retry_after: false };
        let answers = vec![heard(503, ""), heard(500, "INTERNAL_ERROR"), silent, heard(409, "CONFLICT")];
        history.record(entry(answers));
        assert_eq!(history.faults(), [r#"500: {"error":"INTERNAL_ERROR"}"#, "503: x"]);
        let tally = history.tally(Duration::ZERO..Duration::from_secs(1));
        assert_eq!((tally.of(|status| status >= 500), tally.of(|status| status == 409)), (3, 1));
        assert_eq!(history.tally(Duration::from_secs(1)..Duration::from_secs(2)), Tally::default());
    }
}
