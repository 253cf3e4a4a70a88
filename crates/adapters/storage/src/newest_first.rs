//! Lists that go from the newest to the oldest, page by page.

use kernel::{PageSize, Timestamp};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use uuid::Uuid;

/// Picks the page that comes after the row of that moment and id, and one row more by which it is known
/// whether another page follows. Rows of one moment follow one another by id.
pub(crate) fn page<E: EntityTrait>(
    select: Select<E>,
    (created_at, id): (E::Column, E::Column),
    after: Option<(Timestamp, Uuid)>,
    size: PageSize,
) -> Select<E> {
    let select = match after {
        Some((moment, row)) => select.filter(created_at.lt(moment).or(created_at.eq(moment).and(id.lt(row)))),
        None => select,
    };
    select.order_by_desc(created_at).order_by_desc(id).limit(u64::from(size.get()) + 1)
}
