//! An order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub status: String,
    pub total: Decimal,
    pub discount: Decimal,
    pub user_coupon_id: Option<Uuid>,
    pub coupon_code: Option<Vec<u8>>,
    pub paid: Decimal,
    pub expires_at: Option<DateTimeUtc>,
    pub version: i64,
    pub created_at: DateTimeUtc,
    #[sea_orm(has_many)]
    pub items: HasMany<super::order_item::Entity>,
    #[sea_orm(has_many)]
    pub history: HasMany<super::order_status_history::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
