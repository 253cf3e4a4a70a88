//! A client with a known secret, time and randomness, and an event for it to send.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use data_platform::{DataPlatformClient, TimeLimits};
use kernel::{Clock, DomainEvent, EventId, IdGenerator, Timestamp};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A clock that stands still at 2025-11-09T12:34:56Z.
pub(crate) const NOW: FixedClock = FixedClock(1_762_691_696);

#[derive(Clone, Copy)]
pub(crate) struct FixedClock(i64);

impl FixedClock {
    pub(crate) const fn timestamp(self) -> i64 {
        self.0
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_timestamp(self.0, 0).unwrap()
    }
}

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "standardwebhooks verifies by the system's time alone")]
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }
}

/// Randomness that counts.
#[derive(Default)]
struct Counter(AtomicU64);

impl IdGenerator for Counter {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.random().into())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        for (byte, value) in bytes.iter_mut().zip(next.into_iter().cycle()) {
            *byte = value;
        }
    }
}

pub(crate) fn ids() -> Arc<dyn IdGenerator> {
    Arc::new(Counter::default())
}

pub(crate) fn client(base: Url) -> DataPlatformClient {
    client_with(base, TimeLimits::default(), NOW)
}

pub(crate) fn client_with(base: Url, limits: TimeLimits, clock: impl Clock + 'static) -> DataPlatformClient {
    DataPlatformClient::new(base, &SecretString::from(SECRET), limits, Arc::new(clock), ids()).unwrap()
}

pub(crate) fn order_placed() -> DomainEvent {
    DomainEvent {
        id: EventId::from_uuid(Uuid::from_u128(0x019a_6891_e6c0_7000_8000_0000_0000_0001)),
        event_type: "OrderPlaced".to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: Uuid::from_u128(0x019a_6891_e6c0_7000_8000_0000_0000_00aa),
        sequence: 12,
        occurred_at: Timestamp::from_timestamp(1_762_691_695, 250_000).unwrap(),
        data: r#"{"orderId":"019a6891-e6c0-7000-8000-0000000000aa","totalAmount":19900.00,"name":"김밥"}"#
            .to_owned(),
        trace: None,
    }
}
