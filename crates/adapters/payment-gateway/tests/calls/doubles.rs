//! A client with short limits, and what it asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kernel::{IdGenerator, Money, OrderId, PaymentId, RefundId};
use payment::{CardCharge, CardRefund, CardToken, GatewayError};
use payment_gateway::{PaymentGatewayClient, TimeLimits};
use url::Url;
use uuid::Uuid;

pub(crate) const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// What must not be seen anywhere.
pub(crate) const CANARY: &str = "tok_canary_4242";
/// Long enough for a busy machine.
pub(crate) const LONG: TimeLimits = TimeLimits {
    connect: Duration::from_secs(10),
    total: Duration::from_secs(30),
    pause: Duration::from_hours(1),
};
/// Short enough for a test to sit out.
pub(crate) const SHORT: TimeLimits =
    TimeLimits { connect: Duration::from_millis(200), total: Duration::from_millis(600), ..LONG };

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

pub(crate) fn client(base: Url, limits: TimeLimits) -> PaymentGatewayClient {
    PaymentGatewayClient::new(base, limits, ids()).unwrap()
}

pub(crate) fn payment_id() -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(1))
}

pub(crate) fn card_charge() -> CardCharge {
    CardCharge {
        key: payment_id(),
        order_id: OrderId::from_uuid(Uuid::from_u128(2)),
        amount: Money::won(12_345),
        token: CardToken::new(CANARY).unwrap(),
        trace: Some(TRACEPARENT.parse().unwrap()),
    }
}

pub(crate) fn card_refund() -> CardRefund {
    CardRefund {
        key: RefundId::from_uuid(Uuid::from_u128(3)),
        charge_id: "pay_1".to_owned(),
        amount: Money::won(10),
        trace: Some(TRACEPARENT.parse().unwrap()),
    }
}

/// The charge as the gateway writes it, in a state.
pub(crate) fn charge_json(status: &str) -> String {
    format!(
        r#"{{"id":"pay_1","key":"{}","status":"{status}","amount":12345.00,"refundedAmount":0.00}}"#,
        payment_id()
    )
}

/// The refund as the gateway confirms it.
pub(crate) fn refund_json() -> String {
    format!(r#"{{"id":"ref_1","key":"{}","status":"SUCCEEDED","amount":10.00}}"#, card_refund().key)
}

/// Says what came of a call in one word, and shows that the canary is nowhere in it.
pub(crate) fn word<T: std::fmt::Debug>(result: &Result<T, GatewayError>) -> String {
    let text = match result {
        Ok(_) => String::new(),
        Err(error) => kernel::causes(error),
    };
    let shown = format!("{result:?} {result:#?} {text}");
    assert!(!shown.contains("canary"), "{shown}");
    match result {
        Ok(_) => "ok".to_owned(),
        Err(GatewayError::NotSent(_)) => "not sent".to_owned(),
        Err(GatewayError::Unknown(_)) => "unknown".to_owned(),
        Err(GatewayError::Refused { code }) => format!("refused: {code}"),
    }
}
