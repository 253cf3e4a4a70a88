//! The event that tells of a change of an order's status.

use kernel::{DomainEvent, EventId, EventPayload, IdGenerator, TraceContext};
use order::{OrderError, StatusChange};

/// Tells of a change of status; the event has the sequence number of the change.
pub(crate) fn order_event<P: EventPayload>(
    payload: &P,
    change: &StatusChange,
    trace: Option<TraceContext>,
    ids: &dyn IdGenerator,
) -> Result<DomainEvent, OrderError> {
    let id = EventId::from_uuid(ids.uuid());
    let event = DomainEvent::new(id, change.order_id.as_uuid(), change.sequence, change.changed_at, payload)
        .map_err(|_| OrderError::Inconsistent)?;
    Ok(DomainEvent { trace, ..event })
}
