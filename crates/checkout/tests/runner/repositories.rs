//! The repositories that a transaction of the database in memory lends.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart::{Cart, CartRepository};
use checkout::{
    Claim, CompletedRequest, DailySale, IdempotencyRepository, KeyedRequest, OutboxRepository,
    SalesRepository,
};
use coupon::{Coupon, CouponCode, CouponRepository, CouponState, HeldCoupon, UserCoupon};
use kernel::{
    CouponId, DomainEvent, OrderId, PaymentId, ProductId, RefundId, StoreError, Timestamp, UserCouponId,
    UserId,
};
use order::{Order, OrderRepository, StatusChange};
use payment::{GatewayNotice, Payment, PaymentRepository, PaymentStatus};
use point::{PointEntry, Wallet, WalletRepository};
use product::{Product, ProductRepository, ProductState, StockMovement};
use refund::{Refund, RefundRepository, RefundStatus};
use user::{User, UserRepository};

use crate::memory::{MemoryTransaction, Poison, contended};

pub(crate) struct Rows<'t>(pub(crate) &'t mut MemoryTransaction);

#[async_trait]
impl IdempotencyRepository for Rows<'_> {
    async fn claim(&mut self, requests: &[KeyedRequest], _now: Timestamp) -> Result<Vec<Claim>, StoreError> {
        let keys = &mut self.0.tables.keys;
        let claim = |request: &KeyedRequest| {
            let name = (request.caller, request.key.clone());
            match keys.get(&name) {
                None => {
                    keys.insert(name, (request.fingerprint, None));
                    Claim::New
                }
                Some((fingerprint, _)) if *fingerprint != request.fingerprint => Claim::OtherRequest,
                Some((_, None)) => Claim::InProgress,
                Some((_, Some(reply))) => Claim::Done(reply.clone()),
            }
        };
        Ok(requests.iter().map(claim).collect())
    }

    async fn complete(&mut self, requests: &[CompletedRequest]) -> Result<(), StoreError> {
        for CompletedRequest { request, reply, .. } in requests {
            let name = (request.caller, request.key.clone());
            self.0.tables.keys.get_mut(&name).unwrap().1 = Some(reply.clone());
        }
        Ok(())
    }

    async fn release(&mut self, requests: &[KeyedRequest]) -> Result<(), StoreError> {
        for request in requests {
            self.0.tables.keys.remove(&(request.caller, request.key.clone()));
        }
        Ok(())
    }
}

#[async_trait]
impl CouponRepository for Rows<'_> {
    async fn insert(&mut self, coupons: &[Coupon]) -> Result<(), StoreError> {
        for coupon in coupons {
            let codes = self.0.tables.coupons.values().map(|other| &other.terms.code);
            if codes.into_iter().any(|code| *code == coupon.terms.code) {
                return Err(StoreError::Duplicate("code of a coupon"));
            }
            self.0.tables.coupons.insert(coupon.id, coupon.clone());
        }
        Ok(())
    }

    async fn holders(
        &mut self,
        pairs: &BTreeSet<(CouponId, UserId)>,
    ) -> Result<BTreeSet<(CouponId, UserId)>, StoreError> {
        let held = self.0.tables.pieces.iter().map(|piece| (piece.coupon_id, piece.user_id));
        Ok(held.filter(|pair| pairs.contains(pair)).collect())
    }

    async fn insert_pieces(&mut self, pieces: &[UserCoupon]) -> Result<(), StoreError> {
        self.0.tables.pieces.extend_from_slice(pieces);
        Ok(())
    }

    async fn count(&mut self, pieces: &BTreeMap<CouponId, u32>) -> Result<BTreeSet<CouponId>, StoreError> {
        let mut sold_out = BTreeSet::new();
        for (id, pieces) in pieces {
            let coupon = self.0.tables.coupons.get_mut(id).unwrap();
            let issued = coupon.issued + pieces;
            match Coupon::restore(CouponState { issued, ..(**coupon).clone() }) {
                Ok(counted) => *coupon = counted,
                Err(_) => sold_out.extend([*id]),
            }
        }
        Ok(sold_out)
    }

    async fn lock_held(
        &mut self,
        pairs: &BTreeSet<(UserId, CouponCode)>,
    ) -> Result<Vec<HeldCoupon>, StoreError> {
        let tables = &self.0.tables;
        let held = tables.pieces.iter().map(|piece| HeldCoupon {
            coupon: tables.coupons[&piece.coupon_id].clone(),
            piece: piece.clone(),
        });
        let wanted =
            |held: &HeldCoupon| pairs.contains(&(held.piece.user_id, held.coupon.terms.code.clone()));
        Ok(held.filter(wanted).collect())
    }

    async fn lock_pieces(&mut self, ids: &BTreeSet<UserCouponId>) -> Result<Vec<HeldCoupon>, StoreError> {
        let tables = &self.0.tables;
        let held = tables.pieces.iter().filter(|piece| ids.contains(&piece.id)).map(|piece| HeldCoupon {
            coupon: tables.coupons[&piece.coupon_id].clone(),
            piece: piece.clone(),
        });
        Ok(held.collect())
    }

    async fn save(&mut self, pieces: &[UserCoupon]) -> Result<(), StoreError> {
        for piece in pieces {
            let stored = self.0.tables.pieces.iter_mut().find(|stored| stored.id == piece.id).unwrap();
            *stored = piece.clone();
        }
        Ok(())
    }
}

#[async_trait]
impl CartRepository for Rows<'_> {
    async fn lock(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Cart>, StoreError> {
        let carts = &self.0.tables.carts;
        Ok(users.iter().map(|user| carts.get(user).cloned().unwrap_or(Cart::empty(*user))).collect())
    }

    async fn save(&mut self, carts: &[Cart]) -> Result<(), StoreError> {
        for cart in carts {
            let before = self.0.tables.carts.insert(cart.user_id, cart.clone());
            if before.map_or(0, |before| before.version) + 1 != cart.version {
                return Err(contended());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl ProductRepository for Rows<'_> {
    async fn read(&mut self, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, StoreError> {
        Ok(ids.iter().filter_map(|id| self.0.tables.products.get(id).cloned()).collect())
    }

    async fn lock(&mut self, ids: &BTreeSet<ProductId>) -> Result<Vec<Product>, StoreError> {
        if !std::mem::replace(&mut self.0.locked.products, true)
            && let Some(product) = self.0.memory.overtaken_product()
        {
            self.0.tables.products.insert(product.id, product);
        }
        Ok(ids.iter().filter_map(|id| self.0.tables.products.get(id).cloned()).collect())
    }

    async fn insert(&mut self, products: &[Product]) -> Result<(), StoreError> {
        for product in products {
            let state = ProductState { stock: 0, stock_version: 0, ..(**product).clone() };
            self.0.tables.products.insert(state.id, Product::restore(state).unwrap());
        }
        Ok(())
    }

    async fn save(&mut self, products: &[Product]) -> Result<(), StoreError> {
        for changed in products {
            let product = self.0.tables.products.get_mut(&changed.id).unwrap();
            if product.version + 1 != changed.version {
                return Err(contended());
            }
            let (stock, stock_version) = (product.stock, product.stock_version);
            let state = ProductState { stock, stock_version, ..(**changed).clone() };
            *product = Product::restore(state).unwrap();
        }
        Ok(())
    }

    async fn move_stock(&mut self, movements: &[StockMovement]) -> Result<(), StoreError> {
        for movement in movements {
            let product = self.0.tables.products.get_mut(&movement.product_id).unwrap();
            if product.stock_version + 1 != movement.sequence {
                return Err(contended());
            }
            let stock = movement.balance_after;
            let state = ProductState { stock, stock_version: movement.sequence, ..(**product).clone() };
            *product = Product::restore(state).unwrap();
        }
        Ok(())
    }
}

#[async_trait]
impl WalletRepository for Rows<'_> {
    async fn read(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Wallet>, StoreError> {
        let wallets = &self.0.tables.wallets;
        Ok(users.iter().map(|user| wallets.get(user).cloned().unwrap_or(Wallet::empty(*user))).collect())
    }

    async fn lock(&mut self, users: &BTreeSet<UserId>) -> Result<Vec<Wallet>, StoreError> {
        if !std::mem::replace(&mut self.0.locked.wallets, true)
            && let Some(wallet) = self.0.memory.overtaken_wallet()
        {
            self.0.tables.wallets.insert(wallet.user_id(), wallet);
        }
        WalletRepository::read(self, users).await
    }

    async fn record(&mut self, entries: &[PointEntry]) -> Result<(), StoreError> {
        for entry in entries {
            let user = entry.user_id;
            let wallet = self.0.tables.wallets.entry(user).or_insert(Wallet::empty(user));
            if wallet.version() + 1 != entry.sequence {
                return Err(contended());
            }
            *wallet = Wallet::restore(user, entry.balance_after, entry.sequence).unwrap();
        }
        Ok(())
    }
}

#[async_trait]
impl OrderRepository for Rows<'_> {
    async fn insert(&mut self, orders: &[Order], history: &[StatusChange]) -> Result<(), StoreError> {
        match self.0.memory.poison_among(orders) {
            Some(Poison::Defect) => return Err(StoreError::Internal("a defect".into())),
            Some(Poison::Contention) => return Err(contended()),
            None => {}
        }
        self.0.tables.orders.extend_from_slice(orders);
        self.0.tables.history.extend_from_slice(history);
        Ok(())
    }

    async fn lock(&mut self, ids: &BTreeSet<OrderId>) -> Result<Vec<Order>, StoreError> {
        Ok(self.0.tables.orders.iter().filter(|order| ids.contains(&order.id)).cloned().collect())
    }

    async fn lock_overdue(&mut self, now: Timestamp, limit: u32) -> Result<Vec<Order>, StoreError> {
        let overdue = self.0.tables.orders.iter().filter(|order| order.is_overdue(now));
        Ok(overdue.take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    async fn save(&mut self, orders: &[Order], history: &[StatusChange]) -> Result<(), StoreError> {
        for order in orders {
            let stored = self.0.tables.orders.iter_mut().find(|stored| stored.id == order.id).unwrap();
            if stored.version + 1 != order.version {
                return Err(contended());
            }
            *stored = order.clone();
        }
        self.0.tables.history.extend_from_slice(history);
        Ok(())
    }
}

#[async_trait]
impl PaymentRepository for Rows<'_> {
    async fn insert(&mut self, payments: &[Payment]) -> Result<(), StoreError> {
        self.0.tables.payments.extend_from_slice(payments);
        Ok(())
    }

    async fn find(&mut self, id: PaymentId) -> Result<Option<Payment>, StoreError> {
        Ok(self.0.tables.payments.iter().find(|payment| payment.id == id).cloned())
    }

    async fn of_order(&mut self, order: OrderId) -> Result<Vec<Payment>, StoreError> {
        Ok(self.0.tables.payments.iter().filter(|payment| payment.order_id == order).cloned().collect())
    }

    async fn save(&mut self, payment: &Payment, from: PaymentStatus) -> Result<(), StoreError> {
        let stored = self.0.tables.payments.iter_mut().find(|stored| stored.id == payment.id).unwrap();
        if stored.status != from {
            return Err(contended());
        }
        *stored = payment.clone();
        Ok(())
    }

    async fn note(&mut self, notice: &GatewayNotice) -> Result<bool, StoreError> {
        Ok(self.0.tables.notices.insert(notice.id.clone()))
    }
}

#[async_trait]
impl RefundRepository for Rows<'_> {
    async fn insert(&mut self, refunds: &[Refund]) -> Result<(), StoreError> {
        self.0.tables.refunds.extend_from_slice(refunds);
        Ok(())
    }

    async fn of_payment(&mut self, payment: PaymentId) -> Result<Vec<Refund>, StoreError> {
        Ok(self.0.tables.refunds.iter().filter(|refund| refund.payment_id == payment).cloned().collect())
    }

    async fn find(&mut self, id: RefundId) -> Result<Option<Refund>, StoreError> {
        Ok(self.0.tables.refunds.iter().find(|refund| refund.id == id).cloned())
    }

    async fn save(&mut self, refund: &Refund, from: RefundStatus) -> Result<(), StoreError> {
        let stored = self.0.tables.refunds.iter_mut().find(|stored| stored.id == refund.id).unwrap();
        if stored.status != from {
            return Err(contended());
        }
        *stored = refund.clone();
        Ok(())
    }
}

#[async_trait]
impl SalesRepository for Rows<'_> {
    async fn add(&mut self, sales: &[DailySale]) -> Result<(), StoreError> {
        self.0.tables.sales.extend_from_slice(sales);
        Ok(())
    }

    async fn take_back(&mut self, sales: &[DailySale]) -> Result<(), StoreError> {
        for sale in sales {
            let same_day = |sold: &&mut DailySale| (sold.product_id, sold.day) == (sale.product_id, sale.day);
            let sold = self.0.tables.sales.iter_mut().find(same_day).unwrap();
            sold.quantity = sold.quantity.checked_sub(sale.quantity).unwrap();
            sold.amount = sold.amount.checked_sub(sale.amount).unwrap();
        }
        Ok(())
    }
}

#[async_trait]
impl OutboxRepository for Rows<'_> {
    async fn append(&mut self, events: &[DomainEvent]) -> Result<(), StoreError> {
        self.0.tables.events.extend_from_slice(events);
        Ok(())
    }
}

#[async_trait]
impl UserRepository for Rows<'_> {
    async fn insert(&mut self, _users: &[User]) -> Result<(), StoreError> {
        Ok(())
    }
}
