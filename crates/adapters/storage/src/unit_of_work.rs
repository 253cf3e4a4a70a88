//! Transactions and the repositories that they lend.

use std::sync::Arc;

use async_trait::async_trait;
use cart::CartRepository;
use checkout::{IdempotencyRepository, OutboxRepository, SalesRepository, Transaction, UnitOfWork};
use coupon::CouponRepository;
use kernel::StoreError;
use order::OrderRepository;
use payment::PaymentRepository;
use point::WalletRepository;
use product::ProductRepository;
use refund::RefundRepository;
use sea_orm::{DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use user::{LoginAttemptRepository, SessionRepository, UserRepository};

use crate::Database;
use crate::carts::Carts;
use crate::coupons::Coupons;
use crate::error::{commit_failed, database};
use crate::keys::Keys;
use crate::login_attempts::Attempts;
use crate::orders::Orders;
use crate::outbox::Outbox;
use crate::payments::Payments;
use crate::personal_data::Cipher;
use crate::products::Products;
use crate::refunds::Refunds;
use crate::sales::Sales;
use crate::sessions::Sessions;
use crate::users::Users;
use crate::wallets::Wallets;

impl Database {
    /// Begins a transaction: READ COMMITTED on MySQL, by the setting of every session (ADR-017);
    /// `BEGIN IMMEDIATE` on SQLite, so that a transaction that will write waits before it reads.
    pub(crate) async fn begin_write(&self) -> Result<DatabaseTransaction, sea_orm::DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.writer.begin_with_options(options).await
    }
}

#[async_trait]
impl UnitOfWork for Database {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let tx = self.begin_write().await.map_err(database)?;
        Ok(Box::new(SqlTransaction {
            tx,
            key_lifetime: self.settings.key_lifetime,
            cipher: self.cipher.clone(),
        }))
    }
}

struct SqlTransaction {
    tx: DatabaseTransaction,
    key_lifetime: std::time::Duration,
    cipher: Arc<Cipher>,
}

#[async_trait]
impl Transaction for SqlTransaction {
    fn keys(&mut self) -> Box<dyn IdempotencyRepository + '_> {
        Box::new(Keys { tx: &self.tx, lifetime: self.key_lifetime })
    }

    fn users(&mut self) -> Box<dyn UserRepository + '_> {
        Box::new(Users { tx: &self.tx, cipher: &self.cipher })
    }

    fn carts(&mut self) -> Box<dyn CartRepository + '_> {
        Box::new(Carts { tx: &self.tx })
    }

    fn login_attempts(&mut self) -> Box<dyn LoginAttemptRepository + '_> {
        Box::new(Attempts { tx: &self.tx, cipher: &self.cipher })
    }

    fn sessions(&mut self) -> Box<dyn SessionRepository + '_> {
        Box::new(Sessions { tx: &self.tx })
    }

    fn products(&mut self) -> Box<dyn ProductRepository + '_> {
        Box::new(Products { tx: &self.tx })
    }

    fn coupons(&mut self) -> Box<dyn CouponRepository + '_> {
        Box::new(Coupons { tx: &self.tx })
    }

    fn wallets(&mut self) -> Box<dyn WalletRepository + '_> {
        Box::new(Wallets { tx: &self.tx })
    }

    fn orders(&mut self) -> Box<dyn OrderRepository + '_> {
        Box::new(Orders { tx: &self.tx })
    }

    fn payments(&mut self) -> Box<dyn PaymentRepository + '_> {
        Box::new(Payments { tx: &self.tx })
    }

    fn refunds(&mut self) -> Box<dyn RefundRepository + '_> {
        Box::new(Refunds { tx: &self.tx })
    }

    fn sales(&mut self) -> Box<dyn SalesRepository + '_> {
        Box::new(Sales { tx: &self.tx })
    }

    fn outbox(&mut self) -> Box<dyn OutboxRepository + '_> {
        Box::new(Outbox { tx: &self.tx })
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.tx.commit().await.map_err(commit_failed)
    }

    async fn roll_back(self: Box<Self>) -> Result<(), StoreError> {
        self.tx.rollback().await.map_err(database)
    }
}
