//! A product at its place in the ranking of a run.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "popular_products")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Date,
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: i64,
    pub product_id: Uuid,
    pub sold: i64,
    pub views: i64,
    pub score_tenths: i64,
}

impl ActiveModelBehavior for ActiveModel {}
