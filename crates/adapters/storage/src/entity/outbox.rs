//! An event and how far it has come.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub event_type: String,
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    pub sequence: i64,
    pub occurred_at: DateTimeUtc,
    pub data: String,
    pub traceparent: Option<String>,
    pub status: String,
    pub attempts: i64,
    pub next_attempt_at: Option<DateTimeUtc>,
    pub lease_owner: Option<Uuid>,
    pub last_error: Option<String>,
    pub sent_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
