//! Opaque cursors: where the next page of a growing list starts.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use coupon::CouponCursor;
use kernel::{CouponId, EventId, OrderId, PaymentId, Timestamp};
use order::OrderCursor;
use payment::PaymentCursor;
use uuid::Uuid;

use super::params::is_comparable;
use super::problem::Problem;

/// A place in a list that can be written into a URL and read back.
pub(crate) trait Cursor: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;

    fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.to_bytes())
    }

    /// Reads the cursor of a request, if it has one.
    fn decode(text: Option<&str>) -> Result<Option<Self>, Problem> {
        let Some(text) = text else { return Ok(None) };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let cursor = bytes.and_then(|bytes| Self::from_bytes(&bytes));
        cursor.map(Some).ok_or_else(|| Problem::invalid_member("/cursor", "is not one that this list gave"))
    }
}

/// A place in a wallet's ledger.
impl Cursor for u32 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Cursor for OrderCursor {
    fn to_bytes(&self) -> Vec<u8> {
        created(self.created_at, self.id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (created_at, id) = read_created(bytes)?;
        Some(Self { created_at, id: OrderId::from_uuid(id) })
    }
}

impl Cursor for PaymentCursor {
    fn to_bytes(&self) -> Vec<u8> {
        created(self.created_at, self.id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (created_at, id) = read_created(bytes)?;
        Some(Self { created_at, id: PaymentId::from_uuid(id) })
    }
}

impl Cursor for CouponCursor {
    fn to_bytes(&self) -> Vec<u8> {
        created(self.created_at, self.id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (created_at, id) = read_created(bytes)?;
        Some(Self { created_at, id: CouponId::from_uuid(id) })
    }
}

/// Writes the place of something that was created at a time; the id tells it from its contemporaries.
fn created(at: Timestamp, id: Uuid) -> Vec<u8> {
    [&at.timestamp_micros().to_be_bytes()[..], id.as_bytes()].concat()
}

fn read_created(bytes: &[u8]) -> Option<(Timestamp, Uuid)> {
    let (micros, id) = bytes.split_first_chunk::<8>()?;
    let at = chrono::DateTime::from_timestamp_micros(i64::from_be_bytes(*micros)).filter(is_comparable)?;
    Some((at, Uuid::from_slice(id).ok()?))
}

impl Cursor for EventId {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_uuid().as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self::from_uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let cursor = OrderCursor {
            created_at: chrono::DateTime::from_timestamp_micros(1_772_334_000_123_456).unwrap(),
            id: OrderId::from_uuid(Uuid::from_u128(7)),
        };
        assert_eq!(OrderCursor::decode(Some(&cursor.encode())).unwrap(), Some(cursor));
        assert_eq!(u32::decode(Some(&77_u32.encode())).unwrap(), Some(77));
        assert!(u32::decode(None).unwrap().is_none());
        for forged in ["", "x", "====", "AAAA", "%00", &"A".repeat(10_000)] {
            assert!(OrderCursor::decode(Some(forged)).is_err(), "{forged}");
        }
    }
    /// What is taken as a cursor is the only text for its place.
    fn check_text<C: Cursor>(text: &str) {
        if let Ok(Some(cursor)) = C::decode(Some(text)) {
            assert_eq!(cursor.encode(), text);
        }
    }

    #[test]
    fn a_cursor_that_somebody_made_up_is_refused_or_names_one_place() {
        bolero::check!().with_iterations(2_000).with_max_len(40).for_each(|bytes: &[u8]| {
            let encoded = BASE64_URL_SAFE_NO_PAD.encode(bytes);
            for text in [&encoded, &*String::from_utf8_lossy(bytes)] {
                check_text::<u32>(text);
                check_text::<OrderCursor>(text);
                check_text::<PaymentCursor>(text);
                check_text::<CouponCursor>(text);
                check_text::<EventId>(text);
            }
            // Of the right length it is a place, unless no database can compare with its time.
            if let Ok(Some(cursor)) = OrderCursor::decode(Some(&encoded)) {
                assert!(bytes.len() == 24 && is_comparable(&cursor.created_at));
            }
            assert_eq!(EventId::decode(Some(&encoded)).is_ok(), bytes.len() == 16);
        });
    }
}
