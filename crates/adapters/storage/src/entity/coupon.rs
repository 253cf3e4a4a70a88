//! A coupon.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "coupons")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub code: Vec<u8>,
    pub name: String,
    pub kind: String,
    pub value: Decimal,
    pub quantity: i64,
    pub issued: i64,
    pub starts_at: DateTimeUtc,
    pub ends_at: DateTimeUtc,
    pub min_order_amount: Option<Decimal>,
    pub max_discount: Option<Decimal>,
    pub product_ids: Option<String>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
