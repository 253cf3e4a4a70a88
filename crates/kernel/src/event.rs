//! Domain events: facts that others are told, written in the transaction that makes them true.

use serde::Serialize;

use crate::{Timestamp, TraceContext, id_type};

id_type!(
    /// Identifies an event; receivers deduplicate by it.
    EventId
);

/// The content of an event of one domain.
pub trait EventPayload: Serialize {
    /// The kind of aggregate that it happened to, for example `order`.
    const AGGREGATE: &'static str;
    /// What happened, for example `OrderPlaced`.
    const TYPE: &'static str;
}

/// An event in its envelope, ready for the outbox.
///
/// The envelope carries what `CloudEvents` 1.0 asks for. Events of one aggregate have the sequence
/// numbers 1, 2, 3, … without gaps and are delivered in that order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainEvent {
    /// Its id, also the receiver's key for deduplication.
    pub id: EventId,
    /// What happened.
    pub event_type: String,
    /// The kind of aggregate that it happened to.
    pub aggregate_type: String,
    /// The aggregate that it happened to.
    pub aggregate_id: uuid::Uuid,
    /// Its place among the events of its aggregate, from 1.
    pub sequence: u32,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The payload, a JSON object.
    pub data: String,
    /// The trace of the request that caused it.
    pub trace: Option<TraceContext>,
}

impl DomainEvent {
    /// Puts a payload into its envelope.
    ///
    /// # Errors
    /// When the payload does not serialise, which is a defect of its type.
    pub fn new<P: EventPayload>(
        id: EventId,
        aggregate_id: uuid::Uuid,
        sequence: u32,
        occurred_at: Timestamp,
        payload: &P,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id,
            event_type: P::TYPE.to_owned(),
            aggregate_type: P::AGGREGATE.to_owned(),
            aggregate_id,
            sequence,
            occurred_at,
            data: serde_json::to_string(payload)?,
            trace: None,
        })
    }
}
