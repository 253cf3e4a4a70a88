//! Coupons for readers.

use std::collections::HashMap;

use async_trait::async_trait;
use coupon::{Coupon, CouponCode, CouponCursor, CouponReader, HeldCoupon, UserCoupon};
use kernel::{CouponId, CursorPage, PageSize, StoreError, UserId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::convert::Place;
use crate::entity::{coupon as row, user_coupon};
use crate::error::database;
use crate::{Database, newest_first};

#[async_trait]
impl CouponReader for Database {
    async fn find(&self, code: &CouponCode) -> Result<Option<Coupon>, StoreError> {
        let found = row::Entity::find()
            .filter(row::Column::Code.eq(code.as_str().as_bytes()))
            .one(&self.reader)
            .await
            .map_err(database)?;
        Ok(found.map(Coupon::try_from).transpose()?)
    }

    async fn list(
        &self,
        after: Option<CouponCursor>,
        size: PageSize,
    ) -> Result<CursorPage<Coupon, CouponCursor>, StoreError> {
        let select = row::Entity::find();
        let after = after.map(|CouponCursor { created_at, id }| (created_at, id.as_uuid()));
        let page = newest_first::page(select, (row::Column::CreatedAt, row::Column::Id), after, size);
        let rows = page.all(&self.reader).await.map_err(database)?;
        let coupons = rows.into_iter().map(Coupon::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(CursorPage::from_overfetched(coupons, size, |coupon| CouponCursor {
            created_at: coupon.created_at,
            id: coupon.id,
        }))
    }

    async fn held_by(&self, user: UserId) -> Result<Vec<HeldCoupon>, StoreError> {
        let pieces = user_coupon::Entity::find()
            .filter(user_coupon::Column::UserId.eq(user.as_uuid()))
            .order_by_desc(user_coupon::Column::ClaimedAt)
            .order_by_desc(user_coupon::Column::Id)
            .all(&self.reader)
            .await
            .map_err(database)?;
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let ids = pieces.iter().map(|piece| piece.coupon_id);
        let rows = row::Entity::find()
            .filter(row::Column::Id.is_in(ids))
            .all(&self.reader)
            .await
            .map_err(database)?;
        let coupons: HashMap<CouponId, Coupon> = rows
            .into_iter()
            .map(|row| Coupon::try_from(row).map(|coupon| (coupon.id, coupon)))
            .collect::<Result<_, _>>()?;
        let held = pieces.into_iter().map(|row| {
            let place = Place::new("user_coupons", row.id);
            let piece = UserCoupon::try_from(row)?;
            let coupon = coupons.get(&piece.coupon_id).cloned();
            let coupon = coupon.ok_or_else(|| place.damaged("coupon_id", "there is no such coupon"))?;
            Ok(HeldCoupon { coupon, piece })
        });
        held.collect()
    }

    async fn holders(&self, coupon: CouponId) -> Result<Vec<UserId>, StoreError> {
        let holders: Vec<Uuid> = user_coupon::Entity::find()
            .select_only()
            .column(user_coupon::Column::UserId)
            .filter(user_coupon::Column::CouponId.eq(coupon.as_uuid()))
            .into_tuple()
            .all(&self.reader)
            .await
            .map_err(database)?;
        Ok(holders.into_iter().map(UserId::from_uuid).collect())
    }
}
