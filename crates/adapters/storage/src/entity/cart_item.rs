//! A line of a cart.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: Uuid,
    pub quantity: i64,
    pub unit_price: Decimal,
    pub name: String,
    pub added_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "user_id", to = "user_id")]
    pub cart: BelongsTo<super::cart::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
