//! Coupons and their pieces inside a transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use coupon::{Coupon, CouponCode, CouponRepository, HeldCoupon, UserCoupon};
use kernel::{CouponId, StoreError, UserCouponId, UserId};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::coupon_rows::{coupon_row, piece_row};
use crate::entity::{coupon as row, user_coupon};
use crate::error::{database, duplicate_of};
use crate::row_set::{self, Change};

/// Coupons inside a transaction.
pub(crate) struct Coupons<'t> {
    pub(crate) tx: &'t DatabaseTransaction,
}

#[async_trait]
impl CouponRepository for Coupons<'_> {
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError> {
        let rows: Vec<_> = coupons.iter().map(coupon_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(|error| duplicate_of(error, "code of a coupon"))
    }

    async fn holders(
        &mut self,
        pairs: &BTreeSet<(CouponId, UserId)>,
    ) -> Result<BTreeSet<(CouponId, UserId)>, StoreError> {
        let pairs: Vec<_> = pairs.iter().copied().collect();
        let mut holders = BTreeSet::new();
        for pairs in pairs.chunks(row_set::NAMED_A_STATEMENT) {
            let found: Vec<(Uuid, Uuid)> = user_coupon::Entity::find()
                .select_only()
                .columns([user_coupon::Column::CouponId, user_coupon::Column::UserId])
                .filter(any_of(pairs))
                .into_tuple()
                .all(self.tx)
                .await
                .map_err(database)?;
            let pair = |(coupon, user)| (CouponId::from_uuid(coupon), UserId::from_uuid(user));
            holders.extend(found.into_iter().map(pair));
        }
        Ok(holders)
    }

    async fn insert_pieces(&mut self, pieces: &[UserCoupon]) -> Result<(), StoreError> {
        let rows: Vec<_> = pieces.iter().map(piece_row).collect();
        row_set::insert(self.tx, &rows).await.map_err(database)
    }

    async fn count(&mut self, pieces: &BTreeMap<CouponId, u32>) -> Result<BTreeSet<CouponId>, StoreError> {
        let mut sold_out = BTreeSet::new();
        for (coupon, pieces) in pieces {
            let issued = Expr::col(row::Column::Issued).add(i64::from(*pieces));
            // ADR-019: the condition decides, on the count as it is now.
            let counted = row::Entity::update_many()
                .col_expr(row::Column::Issued, issued.clone())
                .filter(row::Column::Id.eq(coupon.as_uuid()))
                .filter(issued.lte(Expr::col(row::Column::Quantity)))
                .exec(self.tx)
                .await
                .map_err(database)?;
            if counted.rows_affected == 0 {
                sold_out.insert(*coupon);
            }
        }
        Ok(sold_out)
    }

    async fn lock_held(
        &mut self,
        pairs: &BTreeSet<(UserId, CouponCode)>,
    ) -> Result<Vec<HeldCoupon>, StoreError> {
        if pairs.is_empty() {
            return Ok(Vec::new());
        }
        let codes: BTreeSet<_> = pairs.iter().map(|(_, code)| code.as_str().as_bytes().to_vec()).collect();
        let coupons = self.coupons(row::Column::Code.is_in(codes)).await?;
        let by_code: BTreeMap<_, _> =
            coupons.values().map(|coupon| (&coupon.terms.code, coupon.id)).collect();
        let wanted = pairs.iter().filter_map(|(user, code)| Some((*by_code.get(code)?, *user))).collect();
        self.lock(wanted, &coupons).await
    }

    async fn lock_pieces(&mut self, ids: &BTreeSet<UserCouponId>) -> Result<Vec<HeldCoupon>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // Of which coupon a piece is, and whose, never changes.
        let found: Vec<(Uuid, Uuid)> = user_coupon::Entity::find()
            .select_only()
            .columns([user_coupon::Column::CouponId, user_coupon::Column::UserId])
            .filter(user_coupon::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
            .into_tuple()
            .all(self.tx)
            .await
            .map_err(database)?;
        let of = found.iter().map(|(coupon, _)| *coupon).collect::<BTreeSet<_>>();
        let coupons = self.coupons(row::Column::Id.is_in(of)).await?;
        let pair = |(coupon, user)| (CouponId::from_uuid(coupon), UserId::from_uuid(user));
        self.lock(found.into_iter().map(pair).collect(), &coupons).await
    }

    async fn save(&mut self, pieces: &[UserCoupon]) -> Result<(), StoreError> {
        let changes: Vec<Change> = pieces
            .iter()
            .map(piece_row)
            .map(|row| Change {
                was: vec![row.id.into(), (row.version - 1).into()],
                becomes: vec![row.status.into(), row.order_id.into(), row.used_at.into(), row.version.into()],
            })
            .collect();
        let columns = [
            user_coupon::Column::Status,
            user_coupon::Column::OrderId,
            user_coupon::Column::UsedAt,
            user_coupon::Column::Version,
        ];
        let guard = [user_coupon::Column::Id, user_coupon::Column::Version];
        Ok(row_set::change::<user_coupon::Entity>(self.tx, &guard, &columns, &changes).await?)
    }
}

impl Coupons<'_> {
    /// Reads coupons; the count of issued pieces may be out of date at once.
    async fn coupons(&self, which: impl Into<Condition>) -> Result<BTreeMap<CouponId, Coupon>, StoreError> {
        let which: Condition = which.into();
        let rows = row::Entity::find().filter(which).all(self.tx).await.map_err(database)?;
        let coupons = rows.into_iter().map(|row| Coupon::try_from(row).map(|coupon| (coupon.id, coupon)));
        Ok(coupons.collect::<Result<_, _>>()?)
    }

    async fn lock(
        &self,
        wanted: BTreeSet<(CouponId, UserId)>,
        coupons: &BTreeMap<CouponId, Coupon>,
    ) -> Result<Vec<HeldCoupon>, StoreError> {
        let wanted: Vec<_> = wanted.into_iter().collect();
        let mut held = Vec::with_capacity(wanted.len());
        for wanted in wanted.chunks(row_set::NAMED_A_STATEMENT) {
            // ADR-021: in the order of the key by which they are found.
            let rows = user_coupon::Entity::find()
                .filter(any_of(wanted))
                .order_by_asc(user_coupon::Column::CouponId)
                .order_by_asc(user_coupon::Column::UserId)
                .lock_exclusive()
                .all(self.tx)
                .await
                .map_err(database)?;
            for row in rows {
                let piece = UserCoupon::try_from(row)?;
                if let Some(coupon) = coupons.get(&piece.coupon_id) {
                    held.push(HeldCoupon { coupon: coupon.clone(), piece });
                }
            }
        }
        Ok(held)
    }
}

fn any_of(pairs: &[(CouponId, UserId)]) -> Condition {
    pairs.iter().fold(Condition::any(), |any, (coupon, user)| {
        let of_coupon = user_coupon::Column::CouponId.eq(coupon.as_uuid());
        any.add(of_coupon.and(user_coupon::Column::UserId.eq(user.as_uuid())))
    })
}
