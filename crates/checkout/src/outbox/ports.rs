//! What the delivery of events needs from the outside.

use std::time::Duration;

use async_trait::async_trait;
use kernel::{BoxError, CursorPage, DomainEvent, EventId, PageSize, StoreError, Timestamp};
use thiserror::Error;
use uuid::Uuid;

/// How far an event has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxStatus {
    /// Not tried yet.
    Pending,
    /// Tried in vain, to be tried again.
    Failed,
    /// Confirmed by the receiver.
    Sent,
    /// Given up after [`super::MAX_ATTEMPTS`]; it waits for an administrator and holds back the later
    /// events of its aggregate, whose order is promised.
    Dead,
}

impl OutboxStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Failed, Self::Sent, Self::Dead];

    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Failed => "FAILED",
            Self::Sent => "SENT",
            Self::Dead => "DEAD",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// An event under lease, and how often it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedEvent {
    /// The event.
    pub event: DomainEvent,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// What became of an attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The receiver confirmed it.
    Sent,
    /// It is to be tried again.
    Retry {
        /// Not before this time.
        at: Timestamp,
        /// What went wrong, in a few words without personal data.
        error: String,
    },
    /// It is given up.
    Dead {
        /// What went wrong, in a few words without personal data.
        error: String,
    },
}

/// How full the outbox is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxLevel {
    /// Events that are not delivered yet.
    pub waiting: u64,
    /// Events that were given up.
    pub dead: u64,
    /// When the oldest event that waits happened.
    pub oldest: Option<Timestamp>,
}

/// The outbox as workers see it.
#[async_trait]
pub trait OutboxQueue: Send + Sync {
    /// Leases events that are due to `worker` until `lease_until` and returns them: at most `limit`,
    /// and of each aggregate only the first that is not delivered. A worker that dies loses its leases
    /// when they end.
    async fn claim(
        &self,
        worker: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedEvent>, StoreError>;

    /// Stores what became of leased events and ends their leases; an event whose lease has gone to
    /// another worker is left alone.
    async fn settle(
        &self,
        worker: Uuid,
        now: Timestamp,
        settled: &[(EventId, Settlement)],
    ) -> Result<(), StoreError>;

    /// Returns how full the outbox is.
    async fn level(&self) -> Result<OutboxLevel, StoreError>;
}

/// An event of the outbox as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The event.
    pub event: DomainEvent,
    /// How far it has come.
    pub status: OutboxStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was delivered.
    pub sent_at: Option<Timestamp>,
}

/// Which events are to be sent once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Events that happened at this time or later.
    pub from: Timestamp,
    /// Events that happened before this time.
    pub to: Timestamp,
    /// Only events of this type.
    pub event_type: Option<String>,
}

/// The outbox as administrators see it.
#[async_trait]
pub trait OutboxAdmin: Send + Sync {
    /// Returns a page of events, the newest first; the cursor of a page is the id of its last event.
    async fn list(
        &self,
        status: Option<OutboxStatus>,
        before: Option<EventId>,
        size: PageSize,
    ) -> Result<CursorPage<OutboxEntry, EventId>, StoreError>;

    /// Returns a page of events, the oldest first: the feed to reconcile by.
    async fn feed(
        &self,
        after: Option<EventId>,
        size: PageSize,
    ) -> Result<CursorPage<OutboxEntry, EventId>, StoreError>;

    /// Makes a failed or dead event due at once, with all attempts before it. Returns `false` if there
    /// is none such.
    async fn retry(&self, id: EventId, now: Timestamp) -> Result<bool, StoreError>;

    /// Counts the delivered events that [`Self::replay`] would send again.
    async fn count(&self, replay: &Replay) -> Result<u64, StoreError>;

    /// Makes delivered events due once more and returns how many.
    async fn replay(&self, replay: &Replay, now: Timestamp) -> Result<u64, StoreError>;
}

/// Why an event was not delivered.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// The receiver could not be reached or did not answer in time.
    #[error("the receiver did not answer")]
    Unreachable(#[source] BoxError),
    /// The receiver answered and refused.
    #[error("the receiver answered {status}")]
    Refused {
        /// Its HTTP status.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The event could not be put into a request, which is a defect.
    #[error("the event could not be encoded")]
    Encoding(#[source] BoxError),
}

impl DeliveryError {
    /// Returns how long the receiver wants to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Unreachable(_) | Self::Encoding(_) => None,
        }
    }
}

/// Where events go.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Delivers an event and returns once the receiver has confirmed it. It may be called again with
    /// the same event, whose id the receiver deduplicates by.
    async fn send(&self, event: &DomainEvent) -> Result<(), DeliveryError>;
}
