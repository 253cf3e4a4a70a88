//! An attempt to settle an order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub status: String,
    pub point_amount: Decimal,
    pub card_amount: Decimal,
    pub created_at: DateTimeUtc,
    pub charge_id: Option<Vec<u8>>,
    pub failure: Option<String>,
    pub decline_code: Option<String>,
    pub settled_at: Option<DateTimeUtc>,
    pub check_after: Option<DateTimeUtc>,
    pub checks: i64,
    pub point_refunds: Decimal,
    pub card_refunds: Decimal,
}

impl ActiveModelBehavior for ActiveModel {}
