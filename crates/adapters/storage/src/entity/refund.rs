//! A refund of a payment.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refunds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub payment_id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub status: String,
    pub reason: String,
    pub point_amount: Decimal,
    pub card_amount: Decimal,
    pub requested_by: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub settled_at: Option<DateTimeUtc>,
    pub retry_after: Option<DateTimeUtc>,
    pub attempts: i64,
    #[sea_orm(has_many)]
    pub items: HasMany<super::refund_item::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
