//! Coupons, and the pieces of them that users hold.

use sea_orm_migration::prelude::*;

use crate::columns::{
    amount, bytes, count, document, id, instant, one_of, optional_amount, optional_id, optional_instant,
    text, word,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("coupons")
            .col(id("id"))
            .col(bytes("code", 64))
            .col(text("name", 200))
            .col(word("kind"))
            .col(amount("value"))
            .col(count("quantity"))
            .col(count("issued"))
            .col(instant("starts_at"))
            .col(instant("ends_at"))
            .col(optional_amount("min_order_amount"))
            .col(optional_amount("max_discount"))
            .col(document("product_ids"))
            .col(instant("created_at"))
            .primary_key(Index::create().col("id"))
            .check(one_of("kind", &["PERCENT", "FIXED"]))
            .check(Expr::cust("value > 0 AND (kind = 'FIXED' OR value <= 100)"))
            // ADR-019: the database's last word on how many there are.
            .check(Expr::cust("quantity > 0 AND issued >= 0 AND issued <= quantity"))
            .check(Expr::cust("starts_at < ends_at"))
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create().name("ux_coupons_code").table("coupons").col("code").unique().to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("ix_coupons_created")
            .table("coupons")
            .col("created_at")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        let table = Table::create()
            .table("user_coupons")
            .col(id("id"))
            .col(id("coupon_id"))
            .col(id("user_id"))
            .col(word("status"))
            .col(optional_id("order_id"))
            .col(count("version"))
            .col(instant("claimed_at"))
            .col(optional_instant("used_at"))
            .primary_key(Index::create().col("id"))
            .check(one_of("status", &["CLAIMED", "USED"]))
            .check(Expr::cust("(status = 'USED') = (order_id IS NOT NULL)"))
            .check(Expr::cust("(status = 'USED') = (used_at IS NOT NULL)"))
            .to_owned();
        manager.create_table(table).await?;
        // One piece a user, whatever the gate and the locks say.
        let index = Index::create()
            .name("ux_user_coupons_holder")
            .table("user_coupons")
            .col("coupon_id")
            .col("user_id")
            .unique()
            .to_owned();
        manager.create_index(index).await?;
        let index = Index::create()
            .name("ix_user_coupons_user")
            .table("user_coupons")
            .col("user_id")
            .col("claimed_at")
            .col("id")
            .to_owned();
        manager.create_index(index).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("user_coupons").to_owned()).await?;
        manager.drop_table(Table::drop().table("coupons").to_owned()).await?;
        Ok(())
    }
}
