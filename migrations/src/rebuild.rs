//! Tables that are made anew, because SQLite cannot change a CHECK.

use sea_orm_migration::prelude::*;

/// Puts `table` in the place of the one of the same name and keeps its rows, of which `columns` are copied;
/// other columns must be nullable or have a default. Indexes go with the old table.
pub(crate) async fn rebuild(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: TableCreateStatement,
    columns: &str,
) -> Result<(), DbErr> {
    let before = format!("{name}_before");
    manager.rename_table(Table::rename().table(name, before.clone()).to_owned()).await?;
    manager.create_table(table).await?;
    let copy = format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {before}");
    manager.get_connection().execute_unprepared(&copy).await?;
    manager.drop_table(Table::drop().table(before).to_owned()).await
}
