//! Two tills of a shop, as two instances of the application have them, and one gateway.

use std::sync::Arc;
use std::time::Duration;

use checkout::{CancelOrder, UseCaseError};
use kernel::{OrderId, PaymentId, UserId};
use order::OrderStatus;
use payment::PaymentStatus;
use refund::RefundStatus;
use storage::Database;
use testkit::TestDatabase;
use testkit::fixtures::no_reply;
use testkit::till::Till;

use crate::instances::warm;

/// Two tills, each with a pool of its own.
pub(crate) struct Tills {
    tills: [Till; 2],
    pools: [Database; 2],
}

impl Tills {
    pub(crate) async fn open(database: Arc<TestDatabase>) -> Arc<Self> {
        let second = TestDatabase::open(&database.url, 16).await;
        let pools = [database.database.clone(), second];
        Self::on(database, pools).await
    }

    /// Opens the tills on pools that somebody else closes.
    pub(crate) async fn on(database: Arc<TestDatabase>, pools: [Database; 2]) -> Arc<Self> {
        for pool in &pools {
            warm(pool).await;
        }
        let shop = Till::open(database);
        let tills = pools.clone().map(|pool| shop.beside(pool));
        Arc::new(Self { tills, pools })
    }

    /// Returns the till of one instance or the other.
    pub(crate) fn at(&self, caller: usize) -> &Till {
        &self.tills[caller % 2]
    }

    /// Returns the database as one instance or the other sees it.
    pub(crate) fn pool(&self, caller: usize) -> &Database {
        &self.pools[caller % 2]
    }

    /// Gives an order up.
    pub(crate) async fn cancel(
        &self,
        caller: usize,
        order_id: OrderId,
        by: UserId,
    ) -> Result<(), UseCaseError> {
        let cancel = CancelOrder { order_id, by, precondition: Box::new(|_| true), trace: None };
        self.at(caller).shop.checkout.cancel_order(cancel, None, |_| Ok(no_reply())).await.map(|_| ())
    }

    /// Returns the attempt at an order of which only one was made.
    pub(crate) async fn only_payment(&self, order: OrderId) -> PaymentId {
        let payments = self.at(0).payments(order).await;
        assert_eq!(payments.len(), 1);
        payments[0].id
    }

    /// Does what is left to do in the background, until nothing has been for longer than a lease and than the
    /// pause between two questions.
    pub(crate) async fn settle_all(&self) {
        let mut quiet = 0;
        for _ in 0..40 {
            let till = self.at(0);
            let mut done = till.shop.checkout.expire_orders().await.expect("orders expire");
            done += till.resolver.run_once().await.expect("payments are settled");
            done += till.refund_resolver.run_once().await.expect("refunds are seen through");
            till.shop.clock.advance(Duration::from_mins(1));
            quiet = if done == 0 { quiet + 1 } else { 0 };
            if quiet == 3 {
                return;
            }
        }
        panic!("there is always something left to do");
    }

    /// Fails the test unless an order is paid by its one payment, or is not and its money is back.
    pub(crate) async fn assert_paid_or_given_back(&self, order: OrderId) -> bool {
        let till = self.at(0);
        let order = till.order(order).await;
        let payments = till.payments(order.id).await;
        let paid = order.status == OrderStatus::Paid;
        for payment in payments {
            match payment.status {
                PaymentStatus::Success => assert!(paid),
                PaymentStatus::Reversed => {
                    let refunds = till.refunds_of(payment.id).await;
                    assert!(refunds.len() == 1 && refunds[0].status == RefundStatus::Success, "{refunds:?}");
                }
                status => assert_eq!(status, PaymentStatus::Failed),
            }
        }
        assert!(paid || matches!(order.status, OrderStatus::Cancelled | OrderStatus::Expired));
        paid
    }

    /// Checks the invariants and closes the second pool.
    pub(crate) async fn close(self: Arc<Self>) {
        self.at(0).shop.assert_audit_is_clean().await;
        let tills = Arc::into_inner(self).expect("nobody uses the tills any more");
        let [_, second] = tills.pools;
        second.close().await.expect("the second pool closes");
    }
}
