//! Lists that go from the newest to the oldest, page by page.

use kernel::Timestamp;
use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, ExprTrait};
use uuid::Uuid;

/// Picks what comes after the row of that moment and id; rows of one moment follow one another by id.
pub(crate) fn older_than<C: ColumnTrait>((created_at, id): (C, C), moment: Timestamp, row: Uuid) -> Expr {
    created_at.lt(moment).or(created_at.eq(moment).and(id.lt(row)))
}
