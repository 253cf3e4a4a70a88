//! The faults: what is done to whom for how long, and what must come of it.

mod clients;
mod database;
mod peers;
mod processes;
mod redis;

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::json;

use crate::Failure;
use crate::cli::Pace;
use crate::client::Request;
use crate::history::{Effect, LOST, Tally, UNSENT};
use crate::load::Load;
use crate::site::Site;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: what it is measured by.
    None,
    /// No fault either: a backup is taken under load, restored, and audited.
    BackupRestored,
    DatabaseCutAtBegin,
    DatabaseCutBeforeCommit,
    DatabaseCutAfterCommit,
    DatabaseSilent,
    DatabaseKilled,
    DatabaseStopped,
    DatabaseDeadlocks,
    DatabaseRowHeld,
    DatabaseConnectionsKilled,
    DatabaseStatementsScarce,
    DatabaseReadOnly,
    OneInstanceWithoutDatabase,
    RedisDown,
    RedisEmptied,
    RedisKilled,
    RedisLate,
    RedisRolledBack,
    InstanceKilled,
    InstanceStopped,
    RollingRestart,
    WorkersKilled,
    GatewayFails,
    GatewaySilent,
    PlatformFails,
    PlatformSlow,
    ClientsReset,
    ClientsSlow,
    ClockAhead,
}

/// What may be seen while a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Every request is answered, and none by a 503.
    Nothing,
    /// Every request is answered; some of them by a 503 that says when to come back.
    Refusals,
    /// Some are not answered: their process or their connection is gone.
    Losses,
}

impl Fault {
    /// All of them, in the order of the drill.
    pub(crate) const ALL: [Self; 30] = [
        Self::None,
        Self::BackupRestored,
        Self::DatabaseCutAtBegin,
        Self::DatabaseCutBeforeCommit,
        Self::DatabaseCutAfterCommit,
        Self::DatabaseConnectionsKilled,
        Self::DatabaseDeadlocks,
        Self::DatabaseRowHeld,
        Self::DatabaseStatementsScarce,
        Self::DatabaseReadOnly,
        Self::DatabaseSilent,
        Self::DatabaseStopped,
        Self::DatabaseKilled,
        Self::OneInstanceWithoutDatabase,
        Self::RedisDown,
        Self::RedisEmptied,
        Self::RedisKilled,
        Self::RedisLate,
        Self::RedisRolledBack,
        Self::InstanceKilled,
        Self::InstanceStopped,
        Self::RollingRestart,
        Self::WorkersKilled,
        Self::GatewayFails,
        Self::GatewaySilent,
        Self::PlatformFails,
        Self::PlatformSlow,
        Self::ClientsReset,
        Self::ClientsSlow,
        Self::ClockAhead,
    ];

    /// Names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::BackupRestored => "a backup: taken under load, and restored",
            Self::DatabaseCutAtBegin => "database: connections cut at BEGIN",
            Self::DatabaseCutBeforeCommit => "database: connections cut before COMMIT arrives",
            Self::DatabaseCutAfterCommit => "database: connections cut after COMMIT, unanswered",
            Self::DatabaseSilent => "database: silent",
            Self::DatabaseKilled => "database: killed and started again",
            Self::DatabaseStopped => "database: stands still",
            Self::DatabaseDeadlocks => "database: deadlocks with another client",
            Self::DatabaseRowHeld => "database: a product's row held by another client",
            Self::DatabaseConnectionsKilled => "database: connections killed at random",
            Self::DatabaseStatementsScarce => "database: no prepared statements left",
            Self::DatabaseReadOnly => "database: read only",
            Self::OneInstanceWithoutDatabase => "one instance: cut off from the database",
            Self::RedisDown => "Redis: down",
            Self::RedisEmptied => "Redis: emptied in the middle of a rush",
            Self::RedisKilled => "Redis: killed and started again, empty",
            Self::RedisLate => "Redis: 800 ms late",
            Self::RedisRolledBack => "Redis: claims forgotten, as a failover forgets them",
            Self::InstanceKilled => "an instance: killed and started again",
            Self::InstanceStopped => "an instance: stands still, longer than its locks live",
            Self::RollingRestart => "all instances: restarted one after the other",
            Self::WorkersKilled => "workers: killed one after the other",
            Self::GatewayFails => "payment gateway: half of the answers are 500",
            Self::GatewaySilent => "payment gateway: takes the money and does not answer",
            Self::PlatformFails => "data platform: all answers are 500",
            Self::PlatformSlow => "data platform: 3 s late",
            Self::ClientsReset => "clients: reset their connections on every writing endpoint",
            Self::ClientsSlow => "clients: silent, or a byte a second",
            Self::ClockAhead => "one instance: its clock is ahead",
        }
    }

    /// Names the row of the catalogue of faults that it comes from.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::None | Self::BackupRestored => "",
            Self::DatabaseCutAtBegin | Self::DatabaseCutBeforeCommit | Self::DatabaseCutAfterCommit => "F3",
            Self::DatabaseSilent => "F4",
            Self::DatabaseKilled => "F5",
            Self::DatabaseStopped => "F6",
            Self::DatabaseDeadlocks => "F7",
            Self::DatabaseRowHeld => "F8",
            Self::DatabaseConnectionsKilled => "F9",
            Self::DatabaseStatementsScarce => "F11",
            Self::DatabaseReadOnly => "F12",
            Self::OneInstanceWithoutDatabase => "F4, one of three",
            Self::RedisDown => "F15",
            Self::RedisEmptied | Self::RedisKilled => "F16",
            Self::RedisRolledBack => "F17",
            Self::RedisLate => "F18",
            Self::InstanceKilled => "F13",
            Self::InstanceStopped => "F19",
            Self::RollingRestart => "F14",
            Self::WorkersKilled => "F23",
            Self::GatewayFails | Self::GatewaySilent => "F21",
            Self::PlatformFails | Self::PlatformSlow => "F22",
            Self::ClientsReset => "F1",
            Self::ClientsSlow => "F29",
            Self::ClockAhead => "F35",
        }
    }

    /// Tells what clients may notice.
    pub(crate) const fn allowed(self) -> Allowed {
        match self {
            Self::None
            | Self::BackupRestored
            | Self::WorkersKilled
            | Self::PlatformFails
            | Self::PlatformSlow
            | Self::RedisDown
            | Self::RedisEmptied
            | Self::RedisKilled
            | Self::RedisLate
            | Self::RedisRolledBack
            | Self::ClientsSlow
            | Self::ClockAhead => Allowed::Nothing,
            Self::InstanceKilled | Self::InstanceStopped | Self::RollingRestart | Self::ClientsReset => {
                Allowed::Losses
            }
            _ => Allowed::Refusals,
        }
    }

    /// Tells how soon everything has to work again. A gateway that was silent is tried by one payment each five
    /// seconds, and some of the buyers' cards are never answered.
    const fn recovery(self) -> Duration {
        match self {
            Self::GatewayFails | Self::GatewaySilent => Duration::from_secs(40),
            _ => Duration::from_secs(10),
        }
    }

    /// Lets it happen, and mends it. Returns what was done.
    pub(crate) async fn strike(
        self,
        site: &Site,
        load: &Load,
        pace: Pace,
        rng: &mut Rng,
    ) -> Result<Done, Failure> {
        match self {
            Self::None => {
                tokio::time::sleep(pace.seconds(4, 20)).await;
                Ok(Done::from("three instances, two workers".to_owned()))
            }
            Self::BackupRestored
            | Self::DatabaseCutAtBegin
            | Self::DatabaseCutBeforeCommit
            | Self::DatabaseCutAfterCommit
            | Self::DatabaseSilent
            | Self::DatabaseKilled
            | Self::DatabaseStopped
            | Self::DatabaseDeadlocks
            | Self::DatabaseRowHeld
            | Self::DatabaseConnectionsKilled
            | Self::DatabaseStatementsScarce
            | Self::DatabaseReadOnly
            | Self::OneInstanceWithoutDatabase => database::strike(self, site, pace, rng).await,
            Self::RedisDown
            | Self::RedisEmptied
            | Self::RedisKilled
            | Self::RedisLate
            | Self::RedisRolledBack => redis::strike(self, site, pace).await,
            Self::InstanceKilled
            | Self::InstanceStopped
            | Self::RollingRestart
            | Self::WorkersKilled
            | Self::ClockAhead => processes::strike(self, site, pace, rng).await,
            Self::GatewayFails | Self::GatewaySilent | Self::PlatformFails | Self::PlatformSlow => {
                peers::strike(self, site, pace).await
            }
            Self::ClientsReset | Self::ClientsSlow => clients::strike(self, load, pace, rng).await,
        }
    }
}

/// What was done, and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// What was done.
    pub(crate) what: String,
    /// What must not have come of it, or that it did not happen at all.
    pub(crate) complaints: Vec<String>,
}

impl Done {
    /// Names something that was done so often; not at all is nothing to be proud of.
    fn times(count: usize, what: String) -> Self {
        let complaints = if count == 0 { vec!["it did not happen".to_owned()] } else { Vec::new() };
        Self { what, complaints }
    }
}

impl From<String> for Done {
    fn from(what: String) -> Self {
        Self { what, complaints: Vec::new() }
    }
}

impl From<Failure> for Done {
    fn from(failure: Failure) -> Self {
        Self { what: "it failed".to_owned(), complaints: vec![failure.to_string()] }
    }
}

/// How long anybody may wait for an answer, whatever happens: what the slowest of them is bounded by.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long it is waited for until everything works again.
const PATIENCE: Duration = Duration::from_mins(1);

/// What came of a fault.
#[derive(Clone, Debug)]
pub(crate) struct Strike {
    /// Which one.
    pub(crate) fault: Fault,
    /// What was done.
    pub(crate) done: Done,
    /// From when to when, since the drill began.
    pub(crate) time: Range<Duration>,
    /// What clients were told who asked in that time.
    pub(crate) tally: Tally,
    /// How long it took until every instance was ready and did what it was asked, if it did at all.
    pub(crate) recovered: Option<Duration>,
    /// What the audit found right after it.
    pub(crate) broken: Vec<String>,
}

impl Strike {
    /// Says what must not have come of it; nothing if all is as it must be.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = [self.done.complaints.clone(), self.broken.clone()].concat();
        let Tally { statuses, slowest } = &self.tally;
        let internal = self.tally.of(|status| status >= 500 && status != 503);
        if internal > 0 {
            complaints.push(format!("{internal} answers 5xx that are not 503"));
        }
        let lost = statuses.get(&LOST).copied().unwrap_or_default();
        let allowed = self.fault.allowed();
        if allowed != Allowed::Losses && lost > 0 {
            complaints.push(format!("{lost} requests lost"));
        }
        let refused = self.tally.of(|status| status == 503 || status == UNSENT);
        if allowed == Allowed::Nothing && refused > 0 {
            complaints.push(format!("{refused} requests refused with 503 or by nobody"));
        }
        if allowed != Allowed::Losses && *slowest > LONGEST_WAIT {
            complaints.push(format!("an answer took {slowest:.1?}"));
        }
        let within = self.fault.recovery();
        if self.recovered.is_none_or(|recovered| recovered > within) {
            complaints.push(format!("not recovered within {within:?}"));
        }
        complaints
    }
}

/// Waits until every process is ready and every instance takes an order and has its card charged, for a minute at
/// most; returns how long it took.
pub(crate) async fn until_recovered(site: &Site, load: &Load) -> Option<Duration> {
    let begun = Instant::now();
    for member in site.members() {
        member.process.until_ready().await.ok()?;
    }
    for instance in &site.instances {
        while sell(load, instance.process.addr()).await.is_none() {
            if begun.elapsed() > PATIENCE {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Some(begun.elapsed())
}

/// Has an order placed and paid by card.
async fn sell(load: &Load, addr: SocketAddr) -> Option<()> {
    let (user, product) = (load.shop.buyers[0], load.shop.products[0]);
    let order = json!({"items": [{"productId": product, "qty": 1}], "payment": "LATER"});
    let order = Request::post("/orders", user, &order).keyed(format!("proof-{}", load.next_charge()));
    let placed = load.obtain(addr, Effect::Order, order).await.ok()?;
    let order = placed["orderId"].as_str()?.parse().ok()?;
    let payment = json!({"orderId": order, "method": "CARD", "cardToken": "tok_ok"});
    let payment = Request::post("/payments", user, &payment).keyed(format!("proof-{}", load.next_charge()));
    load.obtain(addr, Effect::Payment(order), payment).await.ok().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::GONE;

    fn strike(fault: Fault, statuses: &[(u16, usize)]) -> Strike {
        let tally = Tally { statuses: statuses.iter().copied().collect(), slowest: Duration::from_secs(1) };
        let (done, time) = (Done::default(), Duration::ZERO..Duration::ZERO);
        Strike { fault, done, time, tally, recovered: Some(Duration::ZERO), broken: Vec::new() }
    }

    #[test]
    fn what_must_not_be_told_is_complained_of() {
        let well = [(200, 90), (409, 5), (GONE, 5)];
        assert!(strike(Fault::None, &well).complaints().is_empty());
        assert_eq!(strike(Fault::None, &[(200, 10), (503, 1)]).complaints().len(), 1);
        assert!(strike(Fault::DatabaseSilent, &[(200, 10), (503, 1)]).complaints().is_empty());
        assert_eq!(strike(Fault::DatabaseSilent, &[(200, 10), (500, 1)]).complaints().len(), 1);
        assert_eq!(strike(Fault::DatabaseSilent, &[(200, 10), (LOST, 1)]).complaints().len(), 1);
        assert!(strike(Fault::InstanceKilled, &[(200, 10), (LOST, 5)]).complaints().is_empty());
        let stuck = Strike { recovered: None, ..strike(Fault::DatabaseSilent, &well) };
        assert_eq!(stuck.complaints().len(), 1);
    }

    #[test]
    fn every_fault_is_in_the_drill_once() {
        let names: std::collections::BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
    }
}
