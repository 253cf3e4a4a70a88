//! What is asked for outside of transactions.

use std::time::Duration;

use cart::CartReader;
use checkout::outbox::{OutboxAdmin, OutboxStatus, Replay};
use coupon::{CouponCode, CouponCursor, CouponReader};
use kernel::{CouponId, EventId, Money, OrderId, PageRequest, PageSize, PaymentId, RefundId};
use order::{OrderCursor, OrderFilter, OrderReader, OrderStatus};
use payment::{PaymentCursor, PaymentFilter, PaymentReader, PaymentStatus};
use point::{WalletLookup, WalletReader};
use product::{ProductCatalog, ProductFilter, ProductSort};
use refund::RefundReader;
use storage::Database;
use testkit::fixtures::{noon, user};
use user::{PersonalDataRotation, Role, UserDirectory};
use uuid::Uuid;

use crate::filled::{self, heavy_user};
use crate::trade::Traded;

/// A page whose size tells a page from a table.
fn page() -> PageSize {
    PageSize::default()
}

/// A time that is older than half of the rows.
fn half_way() -> kernel::Timestamp {
    noon() - Duration::from_mins(u64::from(filled::ROWS) / 2 + 24 * 60)
}

fn first(kind: u8) -> Uuid {
    let mut id = *b"?000000000000000";
    id[0] = kind;
    Uuid::from_bytes(id)
}

/// Orders, payments and refunds.
pub(crate) async fn orders(pool: &Database) {
    let user_id = heavy_user();
    let (order, payment) = (OrderId::from_uuid(first(b'O')), PaymentId::from_uuid(first(b'Y')));
    OrderReader::find(pool, order).await.unwrap().unwrap();
    assert_eq!(OrderReader::find_all(pool, &[order]).await.unwrap().len(), 1);
    assert_eq!(pool.history(order).await.unwrap().len(), 2);
    let all = OrderFilter { user_id, status: None, from: None, to: None };
    let cancelled = OrderFilter { status: Some(OrderStatus::Cancelled), ..all.clone() };
    let between = OrderFilter { from: Some(half_way()), to: Some(noon()), ..all.clone() };
    let after = OrderCursor { created_at: half_way(), id: order };
    for filter in [all, cancelled, between] {
        for after in [None, Some(after)] {
            OrderReader::list(pool, &filter, after, page()).await.unwrap();
        }
    }
    PaymentReader::find(pool, payment).await.unwrap().unwrap();
    assert_eq!(PaymentReader::of_order(pool, order).await.unwrap().len(), 1);
    for status in [None, Some(PaymentStatus::Success)] {
        for after in [None, Some(PaymentCursor { created_at: half_way(), id: payment })] {
            let filter = PaymentFilter { user_id, status };
            assert_eq!(PaymentReader::list(pool, filter, after, page()).await.unwrap().content.len(), 20);
        }
    }
    RefundReader::find(pool, RefundId::from_uuid(first(b'R'))).await.unwrap().unwrap();
    assert_eq!(RefundReader::of_payment(pool, payment).await.unwrap().len(), 1);
}

/// Users with their wallets, carts and coupons.
pub(crate) async fn users(pool: &Database, traded: &Traded) {
    pool.wallet(traded.buyer).await.unwrap();
    let several = [traded.buyer, heavy_user()];
    assert_eq!(pool.wallets(&several).await.unwrap().len(), 2);
    assert_eq!(pool.roles(&several).await.unwrap().len(), 2);
    for before in [None, Some(1_000)] {
        pool.ledger(heavy_user(), before, page()).await.unwrap();
    }
    pool.cart(traded.buyer).await.unwrap();
    UserDirectory::find(pool, traded.buyer).await.unwrap().unwrap();
    pool.role(traded.buyer).await.unwrap().unwrap();
    pool.credentials(&user(Role::User, noon()).email).await.unwrap();
    pool.rotate(None).await.unwrap();
    pool.rotate(Some(traded.buyer)).await.unwrap();

    let coupon = CouponReader::find(pool, &CouponCode::new("PLANS10").unwrap()).await.unwrap().unwrap();
    for after in [None, Some(CouponCursor { created_at: half_way(), id: CouponId::from_uuid(first(b'C')) })] {
        CouponReader::list(pool, after, page()).await.unwrap();
    }
    assert_eq!(pool.held_by(traded.buyer).await.unwrap().len(), 1);
    assert_eq!(CouponReader::holders(pool, coupon.id).await.unwrap().len(), 2);
}

/// Products as the catalogue shows them.
pub(crate) async fn products(pool: &Database, traded: &Traded) {
    let ids = &traded.products;
    ProductCatalog::find(pool, ids[0]).await.unwrap().unwrap();
    assert_eq!(ProductCatalog::find_all(pool, ids).await.unwrap().len(), ids.len());
    assert_eq!(pool.stock(ids).await.unwrap().len(), ids.len());
    let all = ProductFilter::default();
    let named = ProductFilter { name_contains: Some("roduct 29".to_owned()), ..all.clone() };
    let sold_out = ProductFilter { in_stock: Some(false), ..all.clone() };
    let priced =
        ProductFilter { min_price: Some(Money::won(150)), max_price: Some(Money::won(170)), ..all.clone() };
    let sorts = [
        ProductSort::NewestFirst,
        ProductSort::OldestFirst,
        ProductSort::PriceAscending,
        ProductSort::PriceDescending,
        ProductSort::NameAscending,
        ProductSort::NameDescending,
    ];
    for filter in [all, named, sold_out, priced] {
        for sort in sorts {
            ProductCatalog::list(pool, &filter, sort, PageRequest::default()).await.unwrap();
        }
        ProductCatalog::count(pool, &filter).await.unwrap();
    }
}

/// The outbox as administrators see it.
pub(crate) async fn outbox(pool: &Database) {
    let event = EventId::from_uuid(filled::new_id());
    for status in [None, Some(OutboxStatus::Dead), Some(OutboxStatus::Sent)] {
        for before in [None, Some(event)] {
            OutboxAdmin::list(pool, status, before, page()).await.unwrap();
        }
    }
    for after in [None, Some(EventId::from_uuid(first(b'E')))] {
        pool.feed(after, page()).await.unwrap();
    }
    let replay = Replay { from: half_way(), to: half_way() + Duration::from_mins(9), event_type: None };
    OutboxAdmin::count(pool, &replay).await.unwrap();
    pool.replay(&replay, noon()).await.unwrap();
}
