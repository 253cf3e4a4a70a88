//! Popular products: views of each product on each business day, runs of the batch and what they rank.

use sea_orm_migration::prelude::*;

use crate::columns::{count, id, instant, one_of, optional_instant, word};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("product_views")
            .col(day())
            .col(id("product_id"))
            .col(count("views"))
            .primary_key(Index::create().col("day").col("product_id"))
            .check(Expr::cust("views > 0"))
            .to_owned();
        manager.create_table(table).await?;
        // A batch of views that is named here has been added: it is not added again.
        let table = Table::create()
            .table("view_batches")
            .col(id("id"))
            .col(instant("stored_at"))
            .primary_key(Index::create().col("id"))
            .to_owned();
        manager.create_table(table).await?;
        let table = Table::create()
            .table("ranking_runs")
            .col(word("period"))
            .col(day())
            .col(word("status"))
            .col(count("attempts"))
            .col(count("fence"))
            .col(instant("started_at"))
            .col(optional_instant("finished_at"))
            .primary_key(Index::create().col("period").col("day"))
            .check(one_of("period", &["daily", "weekly"]))
            .check(one_of("status", &["RUNNING", "DONE", "FAILED"]))
            .check(Expr::cust("attempts > 0 AND fence >= 0"))
            .check(Expr::cust("(status = 'RUNNING') = (finished_at IS NULL)"))
            .to_owned();
        manager.create_table(table).await?;
        let table = Table::create()
            .table("popular_products")
            .col(word("period"))
            .col(day())
            .col(count("place"))
            .col(id("product_id"))
            .col(count("sold"))
            .col(count("views"))
            .col(count("score_tenths"))
            .primary_key(Index::create().col("period").col("day").col("place"))
            .index(
                Index::create()
                    .name("ux_popular_products_product")
                    .unique()
                    .col("period")
                    .col("day")
                    .col("product_id"),
            )
            .foreign_key(
                ForeignKey::create()
                    .name("fk_popular_products_run")
                    .from("popular_products", ("period", "day"))
                    .to("ranking_runs", ("period", "day"))
                    .on_delete(ForeignKeyAction::Restrict),
            )
            .check(Expr::cust("place > 0 AND sold >= 0 AND views >= 0"))
            .check(Expr::cust("score_tenths = 7 * sold + 3 * views"))
            .to_owned();
        manager.create_table(table).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["popular_products", "ranking_runs", "view_batches", "product_views"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn day() -> ColumnDef {
    ColumnDef::new("day").date().not_null().take()
}
