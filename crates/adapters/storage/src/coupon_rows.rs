//! Between the rows of coupons and the aggregates.

use std::collections::BTreeSet;

use coupon::{
    Benefit, Coupon, CouponCode, CouponName, CouponState, NewCoupon, Period, UserCoupon, UserCouponState,
    UserCouponStatus,
};
use kernel::{CouponId, OrderId, ProductId, UserCouponId, UserId};
use uuid::Uuid;

use crate::StorageError;
use crate::convert::Place;
use crate::entity::{coupon as row, user_coupon};

pub(crate) fn coupon_row(coupon: &Coupon) -> row::Model {
    let terms = &coupon.terms;
    row::Model {
        id: coupon.id.as_uuid(),
        code: terms.code.as_str().as_bytes().to_vec(),
        name: terms.name.as_str().to_owned(),
        kind: terms.benefit.kind().to_owned(),
        value: terms.benefit.value().into(),
        quantity: terms.quantity.into(),
        issued: coupon.issued.into(),
        starts_at: terms.period.starts_at(),
        ends_at: terms.period.ends_at(),
        min_order_amount: terms.min_order_amount.map(Into::into),
        max_discount: terms.max_discount.map(Into::into),
        product_ids: terms.products.as_ref().map(listed),
        created_at: coupon.created_at,
    }
}

pub(crate) fn piece_row(piece: &UserCoupon) -> user_coupon::Model {
    let (order_id, used_at) = match piece.status {
        UserCouponStatus::Claimed => (None, None),
        UserCouponStatus::Used { order_id, at } => (Some(order_id.as_uuid()), Some(at)),
    };
    user_coupon::Model {
        id: piece.id.as_uuid(),
        coupon_id: piece.coupon_id.as_uuid(),
        user_id: piece.user_id.as_uuid(),
        status: piece.status.as_str().to_owned(),
        order_id,
        version: piece.version.into(),
        claimed_at: piece.claimed_at,
        used_at,
    }
}

/// Writes the products to which a coupon is limited, separated by commas. Nothing is looked up by them.
fn listed(products: &BTreeSet<ProductId>) -> String {
    products.iter().map(ProductId::to_string).collect::<Vec<_>>().join(",")
}

impl TryFrom<row::Model> for Coupon {
    type Error = StorageError;

    fn try_from(row: row::Model) -> Result<Self, StorageError> {
        let place = Place::new("coupons", row.id);
        let code = std::str::from_utf8(&row.code).map_err(|error| place.damaged("code", error))?;
        let value = place.money("value", row.value)?;
        let benefit = place.word("kind", &row.kind, |kind| Benefit::new(kind, value))?;
        let products = row.product_ids.map(|list| {
            let ids = list.split(',').map(|id| Uuid::parse_str(id).map(ProductId::from_uuid));
            ids.collect::<Result<BTreeSet<_>, _>>().map_err(|error| place.damaged("product_ids", error))
        });
        let terms = NewCoupon {
            code: CouponCode::new(code).map_err(|error| place.damaged("code", error))?,
            name: CouponName::new(&row.name).map_err(|error| place.damaged("name", error))?,
            benefit: benefit.map_err(|error| place.damaged("value", error))?,
            quantity: place.count("quantity", row.quantity)?,
            period: Period::new(row.starts_at, row.ends_at)
                .map_err(|error| place.damaged("ends_at", error))?,
            min_order_amount: row
                .min_order_amount
                .map(|amount| place.money("min_order_amount", amount))
                .transpose()?,
            max_discount: row.max_discount.map(|amount| place.money("max_discount", amount)).transpose()?,
            products: products.transpose()?,
        };
        let state = CouponState {
            id: CouponId::from_uuid(row.id),
            terms,
            issued: place.count("issued", row.issued)?,
            created_at: row.created_at,
        };
        Self::restore(state).map_err(|error| place.damaged("issued", error))
    }
}

impl TryFrom<user_coupon::Model> for UserCoupon {
    type Error = StorageError;

    fn try_from(row: user_coupon::Model) -> Result<Self, StorageError> {
        let place = Place::new("user_coupons", row.id);
        let status = match (row.status.as_str(), row.order_id, row.used_at) {
            ("CLAIMED", None, None) => UserCouponStatus::Claimed,
            ("USED", Some(order), Some(at)) => {
                UserCouponStatus::Used { order_id: OrderId::from_uuid(order), at }
            }
            (status, ..) => {
                return Err(place.damaged("status", format!("{status:?} does not fit the order")));
            }
        };
        Ok(Self::restore(UserCouponState {
            id: UserCouponId::from_uuid(row.id),
            coupon_id: CouponId::from_uuid(row.coupon_id),
            user_id: UserId::from_uuid(row.user_id),
            status,
            version: place.count("version", row.version)?,
            claimed_at: row.claimed_at,
        }))
    }
}
