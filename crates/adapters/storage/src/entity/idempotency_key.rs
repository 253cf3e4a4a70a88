//! A request that was answered under its key.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub idempotency_key: Vec<u8>,
    pub fingerprint: Vec<u8>,
    pub status: Option<i64>,
    pub body: Option<String>,
    pub resource_type: Option<String>,
    pub resource_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub held_until: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
