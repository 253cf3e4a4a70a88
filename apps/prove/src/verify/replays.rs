//! Everything that was asked for, once more under its key.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::Check;
use crate::client::Answer;
use crate::history::{Effect, Entry, Verdict, is_success};
use crate::load::Load;

/// How many are asked at the same time.
const AT_ONCE: usize = 16;
/// How long it may take until there is an answer that lasts: the gateway is asked once a minute what became of a
/// payment, and what it knows nothing of is given up after 30 s.
const PATIENCE: Duration = Duration::from_mins(3);

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// The answers, by the place of their entry in the history.
    answers: HashMap<usize, Answer>,
    complaints: Vec<String>,
}

impl Replays {
    /// Returns the answer to an entry that was sent again.
    pub(super) fn of(&self, place: usize) -> Option<&Answer> {
        self.answers.get(&place)
    }

    /// Tells whether all are as they were.
    pub(super) fn check(&self) -> Check {
        let seen = format!("{} requests", self.answers.len());
        Check::new("a key that took effect gives the same bytes again", seen, self.complaints.clone())
    }
}

/// Sends everything again that took effect, or of which nobody told whether it did. What was refused is left
/// alone: it might be taken now.
pub(super) async fn settle(load: &Load) -> Replays {
    let entries = load.history.entries();
    let wanted = entries.iter().enumerate();
    let wanted =
        wanted.filter(|(_, entry)| entry.effect != Effect::Read && entry.verdict() != Verdict::Refused);
    let answers = stream::iter(wanted)
        .map(async |(place, entry)| (place, entry, insist(load, place, entry).await))
        .buffer_unordered(AT_ONCE);
    let mut replays = Replays::default();
    let mut answers = std::pin::pin!(answers);
    while let Some((place, entry, answer)) = answers.next().await {
        replays.complaints.extend(complaint(entry, &answer));
        replays.answers.insert(place, answer);
    }
    replays
}

/// Asks until there is an answer that lasts.
async fn insist(load: &Load, place: usize, entry: &Entry) -> Answer {
    let begun = Instant::now();
    loop {
        // Whichever instance is asked: the key is in the database.
        let addr = load.addrs[place % load.addrs.len()];
        let answer = load.client.send_to(addr, &entry.request).await;
        let is_settled = answer.status().is_some_and(|status| status < 500)
            && answer.code().as_deref() != Some("REQUEST_IN_PROGRESS");
        if is_settled || begun.elapsed() > PATIENCE {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Says what is wrong with the answer to a request that was sent again.
fn complaint(entry: &Entry, answer: &Answer) -> Option<String> {
    let Answer::Heard { status, body, is_replay, .. } = answer else {
        return Some(format!("{:?}: {answer:?}", entry.request));
    };
    if let Verdict::Done(first) = entry.verdict() {
        let is_same = is_success(*status) && body == first && *is_replay;
        return (!is_same).then(|| format!("{}: {first} became {status} {body}", entry.request.path));
    }
    // Refused now is well, unless the piece was taken by the very request that is refused.
    let is_own = matches!(&entry.effect, Effect::Claim(_))
        && answer.code().as_deref() == Some("COUPON_ALREADY_CLAIMED");
    let is_stuck = answer.code().as_deref() == Some("REQUEST_IN_PROGRESS");
    (*status >= 500 || is_own || is_stuck).then(|| format!("{}: {status} {body}", entry.request.path))
}
