//! The history against the books: what was acknowledged exists once, what was refused never, and what nobody
//! told at most once (ADR-044).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use sqlx::MySqlPool;
use uuid::Uuid;

use super::Check;
use super::replays::Replays;
use crate::Failure;
use crate::client::Answer;
use crate::history::{Effect, Entry, Verdict, is_success};
use crate::load::Load;
use crate::site::Site;

/// What the books have.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The orders of each user, with their status.
    orders: HashMap<Uuid, BTreeMap<Uuid, String>>,
    /// How often each user charged each amount, in won.
    charges: HashMap<(Uuid, u64), usize>,
    /// How many pieces of each coupon each user has.
    claims: HashMap<(Uuid, String), usize>,
    /// Payments that took money, by their order.
    payments: HashMap<Uuid, Vec<Uuid>>,
    /// Refunds that gave money back, by their payment.
    refunds: HashMap<Uuid, Vec<Uuid>>,
}

impl Found {
    /// Reads the books.
    pub(super) async fn read(site: &Site) -> Result<Self, Failure> {
        let mut found = Self::default();
        let orders = "SELECT user_id, id, status FROM orders";
        for (user, order, status) in rows::<(Vec<u8>, Vec<u8>, String)>(&site.db, orders).await? {
            found.orders.entry(uuid(&user)).or_default().insert(uuid(&order), status);
        }
        let charges = "SELECT user_id, CAST(delta AS UNSIGNED) FROM point_ledger WHERE kind = 'CHARGE'";
        for (user, amount) in rows::<(Vec<u8>, u64)>(&site.db, charges).await? {
            *found.charges.entry((uuid(&user), amount)).or_default() += 1;
        }
        let claims = "SELECT u.user_id, c.code FROM user_coupons u JOIN coupons c ON c.id = u.coupon_id";
        for (user, code) in rows::<(Vec<u8>, Vec<u8>)>(&site.db, claims).await? {
            *found.claims.entry((uuid(&user), String::from_utf8_lossy(&code).into_owned())).or_default() += 1;
        }
        let payments = "SELECT order_id, id FROM payments WHERE status = 'SUCCESS'";
        for (order, payment) in rows::<(Vec<u8>, Vec<u8>)>(&site.db, payments).await? {
            found.payments.entry(uuid(&order)).or_default().push(uuid(&payment));
        }
        let refunds = "SELECT payment_id, id FROM refunds WHERE status = 'SUCCESS'";
        for (payment, refund) in rows::<(Vec<u8>, Vec<u8>)>(&site.db, refunds).await? {
            found.refunds.entry(uuid(&payment)).or_default().push(uuid(&refund));
        }
        Ok(found)
    }

    fn orders(&self, user: Uuid) -> BTreeSet<Uuid> {
        self.orders.get(&user).map(|orders| orders.keys().copied().collect()).unwrap_or_default()
    }

    fn status(&self, user: Uuid, order: Uuid) -> Option<&str> {
        self.orders.get(&user)?.get(&order).map(String::as_str)
    }

    /// Counts how often an effect that is not an order is in the books.
    fn count(&self, user: Uuid, effect: &Effect) -> usize {
        match effect {
            Effect::Charge(amount) => self.charges.get(&(user, *amount)).copied().unwrap_or_default(),
            Effect::Claim(code) => self.claims.get(&(user, code.clone())).copied().unwrap_or_default(),
            Effect::Payment(order) => self.payments.get(order).map_or(0, Vec::len),
            Effect::Refund(payment) => self.refunds.get(payment).map_or(0, Vec::len),
            Effect::Cancellation(order) => usize::from(self.status(user, *order) == Some("CANCELLED")),
            Effect::Order | Effect::Read => 0,
        }
    }
}

async fn rows<T>(db: &MySqlPool, sql: &'static str) -> Result<Vec<T>, Failure>
where
    T: for<'r> sqlx::FromRow<'r, sqlx::mysql::MySqlRow> + Send + Unpin,
{
    Ok(sqlx::query_as(sql).fetch_all(db).await?)
}

/// Reads an id; the nil one from what is none.
fn uuid(bytes: &[u8]) -> Uuid {
    Uuid::from_slice(bytes).unwrap_or_default()
}

/// Compares the history with the books before and after everything was asked for again.
pub(super) fn check(load: &Load, before: &Found, after: &Found, replays: &Replays) -> Vec<Check> {
    let entries = load.history.entries();
    let mut checks = vec![orders(load, &entries, before, after, replays)];
    for (kind, holds) in [
        ("charge", "each charge is in the wallet once, never, or at most once, as its client was told"),
        ("claim", "each claim has its piece, as its client was told"),
        ("payment", "each payment took its money once, as its client was told"),
        ("refund", "each refund gave its money back once, as its client was told"),
        ("cancellation", "each cancelled order is cancelled, and no other"),
    ] {
        let entries = || entries.iter().enumerate().filter(|(_, entry)| entry.effect.kind() == kind);
        let complaints = entries().filter_map(|(place, entry)| {
            let Entry { effect, request, .. } = entry;
            let count = |found: &Found| found.count(request.caller, effect);
            // A payment that was not settled when it was answered is answered so for ever: its state tells more.
            let lasting = replays.of(place).filter(|answer| answer.status() != Some(202));
            let replay = lasting.map(Replay::of);
            let why = complaint(&entry.verdict(), count(before))
                .or_else(|| replay.and_then(|replay| complaint_after(replay, count(before), count(after))));
            why.map(|why| format!("{effect:?} of {}: {why}", request.caller))
        });
        checks.push(Check::new(holds, seen(entries().map(|(_, entry)| entry)), complaints.collect()));
    }
    checks
}

/// Says what is wrong with an effect that is in the books so often.
fn complaint(verdict: &Verdict<'_>, count: usize) -> Option<&'static str> {
    match (verdict, count) {
        (Verdict::Done(_), 1) | (Verdict::Refused, 0) | (Verdict::Unknown, 0 | 1) => None,
        (Verdict::Done(_), 0) => Some("acknowledged, and not there"),
        (Verdict::Refused, _) => Some("refused, and there"),
        _ => Some("there more than once"),
    }
}

/// What came of sending a request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    /// It had taken effect before.
    Again,
    /// It took effect now.
    New,
    /// It has none.
    Refused,
}

impl Replay {
    fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Heard { status, is_replay: true, .. } if is_success(*status) => Self::Again,
            Answer::Heard { status, .. } if is_success(*status) => Self::New,
            _ => Self::Refused,
        }
    }
}

/// Says what is wrong with an effect that was in the books so often before its request was sent again, and is so
/// often after that.
fn complaint_after(replay: Replay, before: usize, after: usize) -> Option<&'static str> {
    match (replay, before, after) {
        // What was under way before may be settled since.
        (Replay::Again, 0 | 1, 1) | (Replay::New, 0, 1) | (Replay::Refused, 0, 0) => None,
        (Replay::New, 1, _) => Some("there, and done again under its key"),
        (Replay::Refused, ..) => Some("there, and its key does not know"),
        _ => Some("there as often as nobody said"),
    }
}

fn seen<'a>(entries: impl Iterator<Item = &'a Entry>) -> String {
    let (mut done, mut refused, mut unknown) = (0, 0, 0);
    for entry in entries {
        match entry.verdict() {
            Verdict::Done(_) => done += 1,
            Verdict::Refused => refused += 1,
            Verdict::Unknown => unknown += 1,
        }
    }
    format!("{done} acknowledged, {refused} refused, {unknown} not known")
}

/// Orders have no mark of the request that made them, so they are compared as sets: who was told of an order
/// has it, and has no other once each request that nobody answered has been sent again under its key.
fn orders(load: &Load, entries: &[Entry], before: &Found, after: &Found, replays: &Replays) -> Check {
    let mut complaints = Vec::new();
    let of_orders = || entries.iter().enumerate().filter(|(_, entry)| entry.effect == Effect::Order);
    for user in &load.shop.buyers {
        let own = || of_orders().filter(|(_, entry)| entry.request.caller == *user);
        let (mut told, mut unknown) = (BTreeSet::new(), 0);
        let mut all = BTreeSet::new();
        for (place, entry) in own() {
            match entry.verdict() {
                Verdict::Done(body) => told.extend(order_id(body)),
                Verdict::Unknown => unknown += 1,
                Verdict::Refused => {}
            }
            if let Some(Answer::Heard { status, body, is_replay, .. }) = replays.of(place)
                && is_success(*status)
                && let Some(order) = order_id(body)
            {
                if !all.insert(order) {
                    complaints.push(format!("order {order} of {user}: two keys lead to it"));
                }
                if *is_replay != before.orders(*user).contains(&order) {
                    complaints.push(format!("order {order} of {user}: replayed and new at the same time"));
                }
            }
        }
        let (had, has) = (before.orders(*user), after.orders(*user));
        complaints.extend(
            told.difference(&had)
                .map(|order| format!("order {order} of {user}: acknowledged, and not there")),
        );
        if had.len() > told.len() + unknown {
            let more = had.len() - told.len() - unknown;
            complaints.push(format!("{user}: {more} orders more than were asked for"));
        }
        complaints.extend(
            has.difference(&all).map(|order| format!("order {order} of {user}: no request led to it")),
        );
        complaints.extend(
            all.difference(&has).map(|order| format!("order {order} of {user}: answered, and not there")),
        );
    }
    let seen = seen(of_orders().map(|(_, entry)| entry));
    Check::new("each order exists once, never, or at most once, as its client was told", seen, complaints)
}

fn order_id(body: &str) -> Option<Uuid> {
    serde_json::from_str::<Value>(body).ok()?["orderId"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_effect_and_makes_no_other() {
        for (replay, before, after, is_well) in [
            (Replay::Again, 1, 1, true),
            (Replay::New, 0, 1, true),
            (Replay::Refused, 0, 0, true),
            (Replay::Again, 0, 1, true),
            (Replay::New, 1, 2, false),
            (Replay::New, 1, 1, false),
            (Replay::Again, 1, 2, false),
            (Replay::Refused, 1, 1, false),
            (Replay::New, 0, 0, false),
        ] {
            assert_eq!(
                complaint_after(replay, before, after).is_none(),
                is_well,
                "{replay:?} {before} {after}"
            );
        }
    }

    #[test]
    fn effects_are_there_as_often_as_clients_may_rely_on() {
        for (verdict, count, is_well) in [
            (Verdict::Done(""), 1, true),
            (Verdict::Done(""), 0, false),
            (Verdict::Done(""), 2, false),
            (Verdict::Refused, 0, true),
            (Verdict::Refused, 1, false),
            (Verdict::Unknown, 0, true),
            (Verdict::Unknown, 1, true),
            (Verdict::Unknown, 2, false),
        ] {
            assert_eq!(complaint(&verdict, count).is_none(), is_well, "{verdict:?} {count}");
        }
    }
}
